"""What must hold when everything has come to rest, whatever happened before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from llm_incident_manager.adapters.codec.events import EventCodec
from llm_incident_manager.adapters.sql.audit import AUDIT_COLUMNS
from llm_incident_manager.adapters.sql.ledger import Kept
from llm_incident_manager.adapters.sqlite import ids, ledger
from llm_incident_manager.adapters.sqlite.store import SqliteStore
from llm_incident_manager.domain import audit_chain
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.transport.translate import times
from simulation.diary import Told

if TYPE_CHECKING:
    from simulation.run import Run

_DUE = """
SELECT max(due_at, lease_until) AS due FROM outbox WHERE dead = 0
UNION ALL SELECT max(due_at, lease_until) FROM timer
ORDER BY due
"""


def waiting(store: SqliteStore) -> list[Instant]:
    """When the work that is left may be done, in order."""
    return [Instant(due) for (due,) in _ask(store, _DUE)]


def check(run: Run) -> None:
    """Looks at everything."""
    for look in (_ledger, _events, _exactly_once, _producers, _notes, _deliveries, _order, _audit):
        look(run)
    for look in (_snoozes, _promises, _states):
        look(run)


def _ask(store: SqliteStore, question: str) -> list[Any]:
    return store._writer.connection.execute(question).fetchall()


def _ledger(run: Run) -> None:
    """The same checks as `ledger check`."""
    report = ledger.report(run.store._writer.connection, Kept(Instant(0), Instant(0)))
    for finding in report.findings:
        if finding.wrong:
            run.world.found(f"ledger {finding.name}", f"{finding.wrong} wrong: {'; '.join(finding.first)}")


def _events(run: Run) -> None:
    """What was acknowledged is stored as it was acknowledged."""
    question = "SELECT id, disposition, incident_id FROM event"
    stored = {ids.text(id_): (disposition, _text(incident)) for id_, disposition, incident in _ask(run.store, question)}
    for name, told in run.diary.told.items():
        if told.disposition == Disposition.REJECTED:
            continue
        if told.event_id not in stored:
            run.world.found("acked is durable", f"{name} was acknowledged as {told.event_id}, which is not stored")
        elif not _agrees(told, *stored[told.event_id]):
            run.world.found("acked is true", f"{name} was told {told}, and stored is {stored[told.event_id]}")


def _agrees(told: Told, disposition: int, incident: str) -> bool:
    """Whose first answer was lost is told of a duplicate, and which event was the first."""
    return told.incident_id == incident and told.disposition in (disposition, Disposition.DUPLICATE)


def _exactly_once(run: Run) -> None:
    """No event is stored more often than it may be. Of events whose bodies were not kept nobody can tell."""
    codec, found = EventCodec(), Counter[str]()
    question = "SELECT body FROM event_body JOIN event ON event.id = event_body.event_id WHERE disposition <> 3"
    for (body,) in _ask(run.store, question):
        found[codec.decode_event(body).external_id] += 1
    for name, number in found.items():
        if number > 1 and run.diary.once[name]:
            run.world.found("stored once", f"{name} is stored {number} times")


def _producers(run: Run) -> None:
    """Producers have come as far as they were told."""
    question = "SELECT producer_id, last_sequence FROM producer"
    last = dict(_ask(run.store, question))
    for producer in run.producers:
        reached = run.diary.reached[producer.name]
        if not reached <= last.get(producer.name, 0) <= producer.total:
            text = f"{producer.name} of {producer.total} events was told {reached}, and stored is {last}"
            run.world.found("producers", text)


def _notes(run: Run) -> None:
    """A note that was asked for under a request id is there once if it was answered, and never twice."""
    found = Counter(text for (text,) in _ask(run.store, "SELECT text FROM timeline WHERE kind = 'NOTE'"))
    for text, answered in run.diary.notes.items():
        if found[text] > 1 or (answered and not found[text]):
            run.world.found("done once", f"note {text} was answered {answered} times and is there {found[text]} times")


def _deliveries(run: Run) -> None:
    """Every notification was delivered or given up with its reason; repeats have a cause each."""
    question = "SELECT id, channel, dedup_key, state, error FROM delivery"
    for id_, channel, key, state, error in _ask(run.store, question):
        messages = [m for m in run.providers[channel].delivered if m.id == ids.text(id_)]
        if state == "pending":
            run.world.found("somebody is told", f"{channel} {key} is still pending")
        if state == "sent" and not messages:
            run.world.found("somebody is told", f"{channel} {key} is called sent, and was never delivered")
        if state == "dead" and not error:
            run.world.found("somebody is told", f"{channel} {key} was given up without a reason")
    for provider in run.providers.values():
        by_key = defaultdict(list)
        for message in provider.delivered:
            by_key[message.key].append(message)
        for key, messages in by_key.items():
            causes = len(run.world.leaps) + sum(len(s.disturbed) for s in {m.by.name: m.by for m in messages}.values())
            if len(messages) - 1 > causes:
                text = f"{key} was delivered {len(messages)} times, for {causes} causes"
                run.world.found("repeats have causes", text)


def _clocks_agree(run: Run) -> bool:
    """Whether all clocks told the same time, and none went back: otherwise what is early by one was late by another."""
    return not any(run.skews.values()) and min(run.world.leaps, default=0) >= 0


def _order(run: Run) -> None:
    """People hear of an incident, channel by channel, in the order in which the messages were asked for.

    Work is done in the order of its ids, whose times come from the servers' clocks: while these disagree, or were set
    back, what comes close together may change places.
    """
    if not _clocks_agree(run):
        return
    for provider in run.providers.values():
        for incident, tried in provider.tried.items():
            asked = [row for row in run.books.lanes[f"{incident}/{provider.name}"] if row in tried]
            if tried != asked:
                run.world.found("order", f"{provider.name} was asked for {asked}, and tried {tried}")


def _audit(run: Run) -> None:
    """The audit follows from its start, and tells what the timeline tells: one record where one change has several
    entries."""
    columns = ", ".join(AUDIT_COLUMNS)
    rows = [AuditRow(*row) for row in _ask(run.store, f"SELECT {columns} FROM audit ORDER BY tenant, writer, sequence")]
    if (broken := audit_chain.first_broken(rows)) is not None:
        run.world.found("audit", f"record {broken.sequence} does not follow")
    told = [entry for row in rows if (entry := orjson.loads(row.details).get("entry"))]
    query = "SELECT id, incident_id, at FROM timeline WHERE kind NOT IN ('NOTIFIED', 'ROUTED')"
    changes: dict[tuple[bytes, int], set[str]] = {}
    for id_, incident, at in _ask(run.store, query):
        changes.setdefault((incident, at), set()).add(ids.text(id_))
    entries = {entry for change in changes.values() for entry in change}
    untold = [change for change in changes.values() if not change & set(told)]
    if len(told) != len(set(told)) or set(told) - entries or untold:
        run.world.found("audit", f"{len(told)} records tell of {len(set(told))} entries, and not of {untold[:3]}")


def _happenings(run: Run) -> Iterator[tuple[str, int, dict[str, str]]]:
    """What the audit tells of incidents, in commit order: which incident, when, and the details."""
    for resource, at, details in _ask(run.store, "SELECT resource, at, details FROM audit ORDER BY writer, sequence"):
        yield resource.removeprefix("incident/"), at, orjson.loads(details)


def _snoozes(run: Run) -> None:
    """Each snooze ends once, and by its timer not before its time; nobody stays snoozed, since all timers are done."""
    until: dict[str, int] = {}
    for incident, at, details in _happenings(run):
        match details.get("verb"):
            case "snooze":
                until[incident] = _instant(details["until"])
            case "wake" if incident not in until:
                run.world.found("timers fire once", f"incident {incident} wakes and was not asleep")
            case "wake":
                due = until.pop(incident)
                if details["reason"] == "time" and at < due and _clocks_agree(run):
                    run.world.found("no timer is early", f"incident {incident} wakes {due - at} us too early")
    for (id_,) in _ask(run.store, "SELECT id FROM incident WHERE snoozed_until IS NOT NULL"):
        run.world.found("timers fire once", f"incident {ids.text(id_)} is still snoozed, without a timer")
    for incident in until:
        run.world.found("timers fire once", f"incident {incident} was snoozed, and nothing tells of the end of it")


def _promises(run: Run) -> None:
    """Each broken promise is told once, and not before it is broken."""
    broken = Counter[tuple[str, str]]()
    for incident, at, details in _happenings(run):
        if "promise" in details:
            broken[incident, details["promise"]] += 1
            if at <= _instant(details["deadline"]) and _clocks_agree(run):
                run.world.found("no timer is early", f"incident {incident} has broken {details} at {at}")
    for (incident, promise), number in broken.items():
        if number > 1:
            run.world.found("timers fire once", f"incident {incident} has broken {promise} {number} times")


def _states(run: Run) -> None:
    """The moves that the audit tells lead from one state to the next, and to the one that is stored."""
    state: dict[str, str] = {}
    for incident, _, details in _happenings(run):
        if "to" not in details or details["to"] not in set(State):
            continue
        before = state.get(incident, State.NEW)
        if "from" in details and details["from"] != before:
            run.world.found("states", f"incident {incident} goes from {details['from']}, and was {before}")
        state[incident] = details["to"]
    for id_, stored in _ask(run.store, "SELECT id, state FROM incident"):
        if state.get(ids.text(id_), State.NEW) != stored:
            run.world.found("states", f"incident {ids.text(id_)} is {stored}, and the audit says {state}")


def _instant(text: str) -> Instant:
    moment = Timestamp()
    moment.FromJsonString(text)
    return times.instant(moment)


def _text(incident: bytes | None) -> str:
    return "" if incident is None else ids.text(incident)
