"""An incident while a batch works on it: the value as it is now, the counters to add, and what has to be told."""

from typing import Self

from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident, Tally
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.ports.changes import Changes, TallyRow


class Working:
    """Mutable on purpose: a storm adds hundreds of events of one batch to the same incident."""

    __slots__ = (
        "cost_usd",
        "count",
        "first_seen",
        "incident",
        "last_seen",
        "material",
        "opened",
        "reasons",
        "severity",
        "state",
        "tokens",
        "users",
    )

    def __init__(self, incident: Incident, *, opened: bool = False) -> None:
        """`opened`: this batch opens it."""
        self.incident = incident
        self.opened = opened
        self.material = False
        self.reasons: list[NotifyReason] = []
        self.count = 0
        self.tokens = 0
        self.cost_usd = 0.0
        self.users = 0
        self.first_seen = incident.first_seen
        self.last_seen = incident.last_seen
        self.state = incident.state
        self.severity = incident.severity

    @property
    def id(self) -> IncidentId:
        """The incident's id."""
        return self.incident.id

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

    def become(self, incident: Incident, reason: NotifyReason) -> Self:
        """Takes a materially changed value and why somebody may want to know."""
        self.incident = incident
        self.material = True
        self.reasons.append(reason)
        self.state = incident.state
        self.severity = incident.severity
        return self

    def events_so_far(self) -> int:
        """How many events the incident has, this batch included."""
        return self.incident.event_count + self.count

    def note(self, changes: Changes) -> None:
        """Adds what has to be written: the new row, the changed row, or only the counters."""
        tally = Tally(self.count, self.tokens, self.cost_usd, self.users, self.first_seen, self.last_seen)
        if self.opened:
            changes.opened.append(self.incident.counted(tally) if self.count else self.incident)
        elif self.material:
            changes.changed.append(self.incident.counted(tally))
        elif self.count:
            changes.tallies.append(TallyRow(self.incident.tenant, self.incident.id, tally))
