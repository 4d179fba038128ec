"""Whether a test finds its evidence among what was recorded. Fails closed: what is not recorded is missing."""

from typing import NamedTuple, TypeAlias

from llm_incident_manager.domain import evidence, sla, time
from llm_incident_manager.domain.compliance import (
    Attached,
    Audited,
    Entry,
    KeysUsed,
    Reference,
    RootCause,
    Sealed,
    Setting,
    Test,
    Told,
)
from llm_incident_manager.domain.evidence import Case, SystemRecords
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.sla import Promise, Targets
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE, Instant
from llm_incident_manager.domain.timeline import TimelineKind


class Shown(NamedTuple):
    """The evidence."""

    references: tuple[Reference, ...]


class Missing(NamedTuple):
    """There is none, or it shows the opposite; `references` are what shows that."""

    reason: str
    references: tuple[Reference, ...] = ()


class Pending(NamedTuple):
    """There is none yet, and it is not due before then."""

    until: Instant


class Untold(NamedTuple):
    """There is nothing that it could be asked of."""

    reason: str


Judged: TypeAlias = Shown | Missing | Pending | Untold
"""What a test has shown."""


def of_incident(test: Test, case: Case, targets: Targets, now: Instant) -> Judged:
    """What was recorded about an incident shows. Raises TypeError for a test of the system."""
    match test:
        case Entry():
            return _entered(test, case, targets, now)
        case Told(within):
            sent = [(each.at, evidence.of_sent(case.incident, each)) for each in case.sent]
            return _in_time("a notification that was sent", sent, _due(case, within), now)
        case Attached(title, within):
            wanted = [each for each in case.attachments if each.title.strip().lower() == title]
            found = [(each.at, evidence.of_attachment(case.incident, each)) for each in wanted]
            return _in_time(f"an attachment titled {title!r}", found, _due(case, within), now)
        case RootCause():
            return _caused(case)
    raise TypeError(f"{test!r} is asked of the system, not of incidents")


def of_system(test: Test, system: SystemRecords, now: Instant) -> Judged:
    """What was recorded about the server and the tenant shows. Raises TypeError for a test of incidents."""
    match test:
        case Setting():
            return _set(test, system)
        case Audited():
            return _audited(system)
        case Sealed(grace):
            return _sealed(grace, system, now)
        case KeysUsed(within):
            return _used(within, system, now)
    raise TypeError(f"{test!r} is asked of incidents, not of the system")


def _entered(test: Entry, case: Case, targets: Targets, now: Instant) -> Judged:
    found = [
        (each.at, evidence.of_entry(case.incident, each))
        for each in case.timeline
        if each.kind in test.kinds and (each.kind is not TimelineKind.STATE or each.details.get("to") in test.states)
    ]
    if test.states == {State.RESOLVED}:  # what was reopened is not resolved
        found = found[-1:] if case.incident.resolved_at is not None else []
    words = sorted(each.lower() for each in (*(test.kinds - {TimelineKind.STATE}), *test.states))
    due = _due(case, test.within)
    if test.promise is not None:
        due = _promised(case, test.promise, targets)
        if due is None:
            return Untold("nothing is promised for its severity")
    return _in_time(f"a timeline entry that it was {' or '.join(words)}", found, due, now)


def _in_time(what: str, found: list[tuple[Instant, Reference]], due: Instant | None, now: Instant) -> Judged:
    """The first of what was found, if that was in time."""
    if not found:
        if due is not None and now <= due:
            return Pending(due)
        until = "" if due is None else f" until {time.rfc3339(due)}"
        return Missing(f"no evidence of {what}{until}")
    at, reference = found[0]
    if due is None or at <= due:
        return Shown((reference,))
    return Missing(f"no evidence of {what} until {time.rfc3339(due)}: it came {_long(at - due)} late", (reference,))


def _due(case: Case, within: int | None) -> Instant | None:
    return None if within is None else Instant(case.incident.created_at + within)


def _promised(case: Case, promise: Promise, targets: Targets) -> Instant | None:
    return sla.judge(case.incident, case.incident.created_at, targets).deadline(promise)


def _caused(case: Case) -> Judged:
    resolution = case.incident.resolution
    if resolution is None:
        return Missing("no evidence of a resolution")
    if not resolution.root_cause.strip():
        return Missing("no evidence of a root cause: its resolution names none")
    return Shown((evidence.of_incident(case.incident, f"root cause: {resolution.root_cause}"),))


def _set(test: Setting, system: SystemRecords) -> Judged:
    value = system.settings.get(test.key)
    if value is None:
        return Missing(f"no evidence of {test.key}: the server tells nothing of it")
    reference = evidence.of_setting(test.key, value)
    return Shown((reference,)) if _fits(test, value.value) else Missing(reference.summary, (reference,))


def _fits(test: Setting, value: str) -> bool:
    if test.words:
        return value in test.words
    if not value.isdecimal():
        return False
    number = int(value)
    if number == 0:
        return test.unlimited
    return (test.least is None or number >= test.least) and (test.most is None or number <= test.most)


def _audited(system: SystemRecords) -> Judged:
    if system.last_record is None:
        return Missing("no evidence of an audit trail: it has no record of the period")
    return Shown((evidence.of_record(system.last_record),))


def _sealed(grace: int, system: SystemRecords, now: Instant) -> Judged:
    last, made = system.last_record, system.checkpoint
    if last is None:
        return Missing("no evidence of an audit trail: it has no record of the period")
    record = evidence.of_record(last)
    if (made is None or made.at < last.at) and now > last.at + grace:
        return Missing(f"no evidence of a signed checkpoint since {time.rfc3339(last.at)}", (record,))
    if made is None or made.at < last.at - grace:
        return Pending(Instant(last.at + grace))
    if not system.signed:
        why = "its key is not known here" if system.signed is None else "its signature is wrong"
        return Missing(f"no evidence of a signed checkpoint: of the last one {why}", (evidence.of_checkpoint(made),))
    return Shown((evidence.of_checkpoint(made), record))


def _used(within: int, system: SystemRecords, now: Instant) -> Judged:
    if not system.keys:
        return Untold("there is no API key")
    since = now - within
    idle = [key for key in system.keys if (key.last_used_at or key.created_at) < since]
    if not idle:
        return Shown(tuple(evidence.of_key(key) for key in system.keys))
    names = ", ".join(key.id for key in idle[:3])
    more = f" and {len(idle) - 3} more" if len(idle) > 3 else ""
    references = tuple(evidence.of_key(key) for key in idle)
    return Missing(f"no evidence of use for {_long(within)} of {names}{more}", references)


def _long(micros: int) -> str:
    """A duration in its largest whole unit."""
    for unit, word in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if micros >= 2 * unit:
            return f"{micros // unit} {word}"
    return f"{micros / 1_000_000:g} seconds"
