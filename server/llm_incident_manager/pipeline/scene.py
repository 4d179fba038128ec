"""The open incidents of one batch while it is decided: later items see what earlier ones did."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from llm_incident_manager.domain import changed_fields, lifecycle, scope
from llm_incident_manager.domain.disposition import Disposition, EventResult, Reason
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident, Resolution, ResolutionMethod
from llm_incident_manager.domain.lifecycle import Step, Verb
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines import create
from llm_incident_manager.pipeline import bodies, opening, reading
from llm_incident_manager.pipeline.batch import Batch, Item
from llm_incident_manager.pipeline.tools import DrawnIds, Tools
from llm_incident_manager.pipeline.working import Working
from llm_incident_manager.ports import snoozing, told
from llm_incident_manager.ports.changes import Claimed, FingerprintKey, KeyCount, KeyRow
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.ports.told import Happening

_ATTACHED = Disposition.ATTACHED
_VERB_REASONS = {Verb.ACKNOWLEDGE: NotifyReason.ACKNOWLEDGED, Verb.RESOLVE: NotifyReason.RESOLVED}


class Scene:
    """Applies decisions to items and incidents, and notes what has to be written."""

    def __init__(self, batch: Batch, claimed: Claimed, tools: Tools) -> None:
        """Starts from what the database said."""
        self._batch = batch
        self._tools = replace(tools, ids=DrawnIds(tools.ids))
        self._previous = dict(claimed.previous)
        by_id = {holder.id: Working(holder) for holder in claimed.holders.values()}
        self._all = list(by_id.values())
        self._open = {key: by_id[holder.id] for key, holder in claimed.holders.items()}
        # In order, since one fingerprint may be released and taken several times within a batch.
        self._taken: list[KeyRow] = []
        self._released: list[KeyRow] = []
        self._counted, self._key_counts = claimed.counted, Counter[FingerprintKey]()

    async def load(self, items: Sequence[Item], tx: Transaction) -> None:
        """Reads the incidents that may change in more than their counters: those with an event that raises them, comes
        after a gap, or acts on them. What an earlier event of the batch does can only make that less. Also those that
        tell only by themselves whether the sender of an event may touch them."""
        wanted = (item for item in items if self._may_change(item) or self._asks_whose(item))
        stirred = {item.key: self._open[item.key] for item in wanted}
        by_id = {working.id: working for working in stirred.values()}
        for incident in (
            await reading.incidents(tx.incidents, ((each.tenant, each.id) for each in by_id.values()))
        ).values():
            by_id[incident.id].whole = incident

    def _may_change(self, item: Item) -> bool:
        holder = self._open.get(item.key)
        if holder is None:
            return False
        gap = item.event.event_time - holder.last_seen
        return (
            item.judged.severity < holder.severity
            or gap > self._tools.window
            or item.action not in (Action.TRIGGER, Action.CHANGE)
        )

    def _asks_whose(self, item: Item) -> bool:
        return item.submission.condition.narrows and item.key in self._open

    def act(self, item: Item) -> None:
        """Decides one item and applies the decision."""
        holder = self._open.get(item.key)
        if holder is not None and item.submission.condition.narrows and not self._may_touch(item, holder):
            self._keep(item, Disposition.IGNORED, Reason.NOT_COVERED, None)
            return
        known = holder is None and item.key in self._previous
        event_time, severity = item.event.event_time, item.judged.severity
        decision = create.decide(item.action, event_time, severity, holder, self._tools.window, known=known)
        if decision is create.ATTACH and holder is not None:  # nearly all events of a storm, before all matching
            self._count(item, holder)
            item.result = _result(item, _ATTACHED, decision.reason, holder.id)
            return
        match decision:
            case create.Attach(reason, raises, recurs) if holder is not None:
                if raises or recurs:
                    self._stir(item, holder, raises=raises, recurs=recurs)
                self._count(item, holder)
                item.result = _result(item, Disposition.ATTACHED, reason, holder.id)
            case create.Open(reason):
                self._start(item, reason)
            case create.Move(verb, reason) if holder is not None:
                self._move(item, holder, verb, reason)
            case create.Record(reason):
                self._keep(item, Disposition.APPLIED, reason, None)
            case create.Ignore(reason):
                self._keep(item, Disposition.IGNORED, reason, None if holder is None else holder.id)

    def _may_touch(self, item: Item, holder: Working) -> bool:
        """A producer chooses its fingerprints, and must not reach by one what is not its own."""
        return scope.covers(item.submission.condition, holder.incident)

    def note(self) -> None:
        """Adds to the batch's changes what became of the incidents."""
        changes, now, ids = self._batch.changes, self._batch.now, self._tools.ids
        for working in self._all:
            working.note(changes)
            self._tell_all(working)
            for reason in dict.fromkeys(working.reasons):
                told.ask_route(changes, ids, working.incident, reason, now)
        changes.keys_released.extend(self._released)
        changes.keys_taken.extend(self._taken)
        changes.key_counts.extend(KeyCount(key, events) for key, events in self._key_counts.items())

    def _start(self, item: Item, reason: Reason) -> None:
        incident = opening.incident(item, self._previous.get(item.key), self._batch.now, self._tools)
        working = Working(incident.holder, incident, opened=True)
        working.reasons.append(NotifyReason.OPENED)
        self._all.append(working)
        self._open[item.key] = working
        self._taken.append(KeyRow(item.key, working.id))
        working.happenings.append(opening.happening(item, incident))
        bodies.keep(self._batch.changes, item, self._tools)
        item.result = _result(item, Disposition.NEW, reason, working.id)

    def _stir(self, item: Item, working: Working, *, raises: bool, recurs: bool) -> None:
        now, source, cause = self._batch.now, item.event.source, {"event": item.event_id}
        if raises:
            before, after = working.severity.name, item.judged.severity.name
            holder = working.incident
            raised = holder.changed(now, severity=item.judged.severity)
            text = f"Severity raised from {before} to {after}: {item.judged.explanation}"
            working.become(raised, NotifyReason.SEVERITY_RAISED)
            details = {"from": before, "to": after, **cause}
            self._happen(item, working, Happening(TimelineKind.SEVERITY, source, text, details), holder)
            self._settle(holder, working, item)
        if recurs:
            before_it = working.incident
            working.become(before_it.changed(now, recurred=True), NotifyReason.RECURRED)
            text = "Came back after a gap longer than the deduplication window"
            self._happen(item, working, Happening(TimelineKind.RECURRED, source, text, cause), before_it)

    def _move(self, item: Item, working: Working, verb: Verb, reason: Reason) -> None:
        before = working.incident
        for step in lifecycle.steps(working.state, verb, force=True):
            self._step(item, working, step, _VERB_REASONS[verb])
        self._settle(before, working, item)
        working.count_in(item.event)
        if item.key in self._counted:
            self._key_counts[item.key] += 1
        if verb is Verb.RESOLVE:
            self._release(working)
        self._keep(item, Disposition.APPLIED, reason, working.id)

    def _step(self, item: Item, working: Working, step: Step, reason: NotifyReason) -> None:
        before = working.incident
        moved = before.moved(step.after, self._batch.now)
        if not moved.is_open:
            moved = self._ended(item, moved)
        working.become(moved, reason)
        details = {"from": step.before, "to": step.after, "verb": step.verb, "event": item.event_id}
        text = f"{step.before} to {step.after} by an event of {item.event.source}"
        self._happen(item, working, Happening(TimelineKind.STATE, item.event.source, text, details), before)

    def _ended(self, item: Item, incident: Incident) -> Incident:
        notes = item.event.description or item.event.title
        resolution = Resolution(item.event.source, ResolutionMethod.AUTOMATED, notes, "", self._batch.now)
        return replace(incident, resolution=resolution)

    def _happen(self, item: Item, working: Working, what: Happening, before: Incident) -> None:
        """Notes what an event did to an incident that was there: which fields it changed, and who sent it."""
        was, is_ = changed_fields.between(before, working.incident)
        sent = item.submission
        working.happenings.append(what._replace(before=was, after=is_, subject=sent.actor, proof=sent.proof))

    def _settle(self, before: Incident, working: Working, item: Item) -> None:
        """What became of a snooze by a change."""
        changes, ids, sent = self._batch.changes, self._tools.ids, item.submission
        since = len(changes.audit)
        working.whole = snoozing.settled(changes, ids, before, working.incident, item.event.source, self._batch.now)
        told.attribute(changes, sent.actor, sent.proof, since)

    def _release(self, working: Working) -> None:
        """The fingerprint is free again: a later trigger of this very batch opens a successor."""
        for key in [key for key, holder in self._open.items() if holder is working]:
            del self._open[key]
            self._previous[key] = working.id
        for version, value in working.incident.held:
            self._released.append(KeyRow(FingerprintKey(working.tenant, version, value), working.id))

    def _count(self, item: Item, working: Working) -> None:
        working.count_in(item.event)
        if item.key in self._counted:
            self._key_counts[item.key] += 1
        bodies.keep_sampled(self._batch.changes, item, working.events_so_far(), self._tools)

    def _keep(self, item: Item, disposition: Disposition, reason: Reason, incident: IncidentId | None) -> None:
        item.result = _result(item, disposition, reason, incident)
        bodies.keep(self._batch.changes, item, self._tools)

    def _tell_all(self, working: Working) -> None:
        """Each happening with the revision under which people are told of it; ExplainEvent finds messages by it."""
        for happening in working.happenings:
            details = {**happening.details, "revision": working.incident.etag}
            entry = happening._replace(details=details)
            told.tell(self._batch.changes, self._tools.ids, working.incident, entry, self._batch.now)


def _result(item: Item, disposition: Disposition, reason: Reason, incident: IncidentId | None) -> EventResult:
    return EventResult(item.event_id, disposition, reason, incident, (), item.judged.warnings)
