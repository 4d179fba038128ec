"""Who is told and asked: the breakers in front of them, and what became of questions."""

from llm_incident_manager.telemetry.instruments import Children, Instruments

_STATES = {"closed": 0, "open": 1, "half_open": 2}


class DestinationMetrics:
    """Breakers and questions."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        how = "Whether a destination is called: 0 closed, 1 open, 2 half open (tried)."
        self._breaker_states = Children(make.gauge("breaker_state", how, "destination"))
        changed = make.counter(
            "breaker_changes", "Changes of breakers by the state they led to.", "destination", "state"
        )
        self._breaker_changes = Children(changed)
        refused = make.counter("breaker_refused", "Calls that were not made, since a breaker was open.", "destination")
        self._breaker_refused = Children(refused)
        asked = "Questions to the services beside the manager by what became of an attempt."
        self._consulted = Children(make.counter("consultations", asked, "question", "outcome"))

    def breaker_is(self, destination: str, state: str) -> None:
        """Sets and counts the state of a breaker: "closed", "open" or "half_open"."""
        self._breaker_states[(destination,)].set(_STATES[state])
        self._breaker_changes[(destination, state)].inc()

    def breaker_refused(self, destination: str) -> None:
        """Counts a call that was not made."""
        self._breaker_refused[(destination,)].inc()

    def consulted(self, question: str, outcome: str) -> None:
        """Counts an attempt at a question: "answered", "retryable" or "given_up"."""
        self._consulted[(question, outcome)].inc()
