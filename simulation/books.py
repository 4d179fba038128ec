"""Watches what the database commits, in commit order, and whether whoever wrote it still had the right to."""

from collections import Counter
from dataclasses import dataclass, field, fields

from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.ports import deliveries
from llm_incident_manager.ports.changes import NOTIFY, Changes, OutboxRow
from llm_incident_manager.ports.timers import TimerKey, TimerRow
from simulation.world import World

_LISTS = tuple(each.name for each in fields(Changes))


@dataclass(slots=True)
class Books:
    """What was claimed and written so far."""

    world: World
    fences: dict[str, int] = field(default_factory=dict)
    timer_fences: dict[TimerKey, int] = field(default_factory=dict)
    revisions: dict[IncidentId, int] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    lanes: dict[str, list[str]] = field(default_factory=dict)
    """Work of `notify` by lane, ids of deliveries in the order in which they were asked for."""

    def claimed(self, rows: list[OutboxRow]) -> None:
        """Rows were leased anew: whoever had them before has lost them."""
        for row in rows:
            self.fences[row.id] = row.fence
            self.world.trace(f"claims {row.topic} {row.id} fence {row.fence}")

    def claimed_timers(self, rows: list[TimerRow]) -> None:
        """The same for timers."""
        for row in rows:
            self.timer_fences[TimerKey(row.incident_id, row.key)] = row.fence
            self.world.trace(f"claims timer {row.key} of {row.incident_id} fence {row.fence}")

    def committed(self, changes: Changes) -> None:
        """A transaction has been made durable."""
        written = " ".join(f"{name}={len(rows)}" for name in _LISTS if (rows := getattr(changes, name)))
        self.world.trace(f"commits {written}")
        self._check_fences(changes)
        self._check_timers(changes)
        self._check_revisions(changes)
        for row in changes.outbox:
            if row.topic == NOTIFY:
                self.lanes.setdefault(row.lane, []).append(deliveries.of(row).id)

    def _check_fences(self, changes: Changes) -> None:
        retried = [(each.id, each.fence, False) for each in changes.outbox_retries] if changes.delivery_updates else []
        for id_, fence, done in [*((row.id, row.fence, True) for row in changes.outbox_done), *retried]:
            if self.fences.get(id_, fence) != fence:
                self.world.found("stale fence", f"work {id_} was written with fence {fence}, not {self.fences[id_]}")
            self.ended[id_] += done
            if self.ended[id_] > 1:
                self.world.found("done once", f"work {id_} was done {self.ended[id_]} times")

    def _check_timers(self, changes: Changes) -> None:
        for row in changes.timers_done:
            key = TimerKey(row.incident_id, row.key)
            if self.timer_fences.pop(key, None) != row.fence:
                self.world.found("stale fence", f"timer {row.key} of {row.incident_id} was done with fence {row.fence}")
        for gone in (*changes.timers_removed, *(TimerKey(row.incident_id, row.key) for row in changes.timers)):
            self.timer_fences.pop(gone, None)

    def _check_revisions(self, changes: Changes) -> None:
        written = (*changes.opened, *changes.changed, *changes.breached)
        for incident in sorted(written, key=lambda each: each.revision):
            before = self.revisions.get(incident.id, 0)
            if incident.revision <= before:
                text = f"{incident.number} goes from revision {before} to {incident.revision}"
                self.world.found("lost update", text)
            self.revisions[incident.id] = incident.revision
