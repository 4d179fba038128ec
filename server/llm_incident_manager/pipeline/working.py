"""An incident while a batch works on it: the value as it is now, the counters to add, and what has to be told."""

from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.incident import Holder, Incident, Tally
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.ports.changes import Changes, TallyRow
from llm_incident_manager.ports.told import Happening


class Working:
    """Mutable on purpose: a storm adds hundreds of events of one batch to the same incident. The whole incident is
    there only where an event changes more than counters."""

    __slots__ = (
        "cost_usd",
        "count",
        "first_seen",
        "happenings",
        "id",
        "last_seen",
        "material",
        "opened",
        "reasons",
        "severity",
        "state",
        "stored_count",
        "tenant",
        "tokens",
        "users",
        "whole",
    )

    def __init__(self, holder: Holder, whole: Incident | None = None, *, opened: bool = False) -> None:
        """`opened`: this batch opens it."""
        self.id, self.tenant, self.state, self.severity, self.stored_count, self.first_seen, self.last_seen = holder
        self.whole = whole
        self.opened = opened
        self.material = False
        self.reasons: list[NotifyReason] = []
        self.happenings: list[Happening] = []
        self.count = 0
        self.tokens = 0
        self.cost_usd = 0.0
        self.users = 0

    @property
    def incident(self) -> Incident:
        """The whole incident. Raises LookupError where nobody loaded it: a defect of the scene."""
        if self.whole is None:
            raise LookupError(f"incident {self.id} is to be changed and was not loaded")
        return self.whole

    def count_in(self, event: Event) -> None:
        """Adds one event to the counters."""
        self.count += 1
        self.tokens += event.input_tokens + event.output_tokens
        self.cost_usd += event.cost_usd
        self.users = max(self.users, event.users_affected)
        if event.event_time > self.last_seen:
            self.last_seen = event.event_time
        elif event.event_time < self.first_seen:
            self.first_seen = event.event_time

    def become(self, incident: Incident, reason: NotifyReason) -> None:
        """Takes a materially changed value and why somebody may want to know."""
        self.whole = incident
        self.material = True
        self.reasons.append(reason)
        self.state = incident.state
        self.severity = incident.severity

    def events_so_far(self) -> int:
        """How many events the incident has, this batch included."""
        return self.stored_count + self.count

    def note(self, changes: Changes) -> None:
        """Adds what has to be written: the new row, the changed row, or only the counters."""
        tally = Tally(self.count, self.tokens, self.cost_usd, self.users, self.first_seen, self.last_seen)
        if self.opened:
            changes.opened.append(self.incident.counted(tally) if self.count else self.incident)
        elif self.material:
            changes.changed.append(self.incident.counted(tally))
        elif self.count:
            changes.tallies.append(TallyRow(self.tenant, self.id, tally))
