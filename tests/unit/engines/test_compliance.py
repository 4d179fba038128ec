"""What records show for the controls of the frameworks that come with the server: fails closed, and says why."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from llm_incident_manager.adapters import compliance_packs
from llm_incident_manager.domain import filters
from llm_incident_manager.domain.compliance import (
    Attached,
    Control,
    Entry,
    Framework,
    Gravity,
    KeysUsed,
    Line,
    Report,
    Requirement,
    Sealed,
    Setting,
    Status,
    Test,
    Told,
)
from llm_incident_manager.domain.evidence import Case, SystemRecords, Value
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import TARGETS, Promise
from llm_incident_manager.domain.time import DAY, HOUR, Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines import compliance
from tests.support.access_builders import a_key
from tests.support.builders import NOW, make_id, make_incident
from tests.support.complete import LATER, PERIOD, make_case, make_system, make_values, without

FRAMEWORKS = compliance_packs.load()
IDS = [framework.id for framework in FRAMEWORKS]
Name = tuple[str, str]


def examined(
    framework: Framework, cases: Sequence[Case], system: SystemRecords | None = None, now: Instant = LATER
) -> Report:
    examination = compliance.Examination(framework, PERIOD, TARGETS, now)
    for case in cases:
        examination.look(case)
    return examination.finish(system or make_system())


def by_name(report: Report) -> dict[Name, Line]:
    return {(line.control.id, line.requirement.id): line for line in report.lines}


def test_the_frameworks_are_those_that_were_promised() -> None:
    assert IDS == ["gdpr", "hipaa", "iso27001", "pci_dss", "soc2"]
    assert all("no legal advice" in framework.notice.replace("is no", "no") for framework in FRAMEWORKS)


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=IDS)
def test_every_line_on_complete_records_passes_and_names_its_evidence(framework: Framework) -> None:
    report = examined(framework, [make_case()])
    assert report.status is Status.PASSED
    assert (report.incidents, report.rate) == (1, 1.0)
    for line in report.lines:
        assert (line.status, line.failed, line.applicable) == (Status.PASSED, 0, 1)
        assert line.evidence
        assert all(each.id and each.summary for each in line.evidence)


def _lines() -> Iterator[tuple[Framework, Name]]:
    for framework in FRAMEWORKS:
        for control in framework.controls:
            for requirement in control.requirements:
                yield framework, (control.id, requirement.id)


@pytest.mark.parametrize(
    ("framework", "name"), list(_lines()), ids=lambda value: getattr(value, "id", None) or " ".join(value)
)
def test_a_line_whose_evidence_is_gone_fails_and_says_so_and_no_other_does(framework: Framework, name: Name) -> None:
    case, system = make_case(), make_system()
    before = by_name(examined(framework, [case], system))
    gone = before[name].evidence[0]
    case, system = without(case, system, gone)
    after = by_name(examined(framework, [case], system))
    assert after[name].status is Status.FAILED
    assert "no evidence of" in after[name].reason
    assert after[name].findings
    assert after[name].evidence, "what has failed still names what was looked at"
    untouched = [each for each, line in before.items() if gone not in line.evidence]
    assert {each: after[each] for each in untouched if after[each].status is not Status.PASSED} == {}


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=IDS)
def test_without_any_records_nothing_passes(framework: Framework) -> None:
    bare = Case(replace(make_case().incident, resolution=None, acknowledged_at=None, resolved_at=None))
    report = examined(framework, [bare], SystemRecords({}), Instant(NOW + 100 * DAY))
    assert not report.count(Status.PASSED)
    assert all(line.evidence for line in report.lines)
    assert report.rate == 0.0


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=IDS)
def test_a_line_without_incidents_does_not_apply_and_says_what_it_would_apply_to(framework: Framework) -> None:
    lines = [line for line in examined(framework, []).lines if line.requirement.applies_to is not None]
    assert lines
    for line in lines:
        assert line.status is Status.NOT_APPLICABLE
        assert [each.id for each in line.evidence] == [
            f"requirement.{framework.id}.{line.control.id}.{line.requirement.id}"
        ]
        assert line.requirement.applies_to is not None
        assert line.requirement.applies_to.text in line.reason


def only(test: Test, applies_to: str | None) -> Framework:
    wanted = None if applies_to is None else filters.parse(applies_to)
    requirement = Requirement("it", "evidence", "remedy", (test,), wanted)
    control = Control("C1", "title", "source", "text", Gravity.HIGH, (requirement,))
    return Framework("own", "Own", "1", "2026-11-22", "2026-11-22", "notice", (control,))


def line_of(test: Test, case: Case, now: Instant = LATER) -> Line:
    (line,) = examined(only(test, "severity >= P4"), [case], now=now).lines
    return line


NOTICE = Attached("authority notice", 72 * HOUR)


def test_what_is_not_due_is_neither_passed_nor_failed() -> None:
    case = replace(make_case(), attachments=())
    waiting = line_of(NOTICE, case, Instant(NOW + 72 * HOUR))
    assert (waiting.status, waiting.pending, waiting.applicable) == (Status.NOT_APPLICABLE, 1, 0)
    assert "nothing is due yet: 1 from 2026-11-24T20:40:00.000000Z on" in waiting.reason
    assert line_of(NOTICE, case, Instant(NOW + 72 * HOUR + 1)).status is Status.FAILED


def test_evidence_that_came_late_is_named_and_has_failed() -> None:
    case = make_case()
    late = [each._replace(at=Instant(NOW + 80 * HOUR)) for each in case.attachments]
    line = line_of(NOTICE, replace(case, attachments=late), Instant(NOW + 100 * HOUR))
    assert line.status is Status.FAILED
    assert "it came 8 hours late" in line.findings[0].reason
    assert line.evidence[0].id.startswith("attachment.")


def test_an_attachment_of_another_title_is_no_evidence() -> None:
    case = make_case()
    other = [each._replace(title="authority notice, draft") for each in case.attachments]
    assert line_of(NOTICE, replace(case, attachments=other), Instant(NOW + 100 * HOUR)).status is Status.FAILED


def test_an_incident_that_was_merged_does_not_count() -> None:
    case = make_case()
    merged = replace(case, incident=replace(case.incident, merged_into=IncidentId(make_id())))
    report = examined(only(Told(), "severity >= P4"), [merged])
    assert (report.incidents, report.status) == (0, Status.NOT_APPLICABLE)


def test_incidents_that_may_be_deleted_already_are_missed() -> None:
    system = replace(make_system(), settings=make_values(**{"retention.incidents_days": "30"}))
    short = examined(only(Told(), "severity >= P4"), [], system, Instant(PERIOD.start + 30 * DAY))
    assert short.status is Status.NOT_APPLICABLE
    for cases, more in (([], ""), ([replace(make_case(), sent=()), make_case()], "; 1 of 2 incidents fail")):
        (line,) = examined(only(Told(), "severity >= P4"), cases, system, Instant(PERIOD.start + 30 * DAY + 1)).lines
        assert (line.status, line.evidence[0].id) == (Status.FAILED, "setting.retention.incidents_days")
        says = "no evidence of all incidents: the period begins over 30 days ago, and retention.incidents_days is 30"
        assert line.reason == says + more
    for_ever = replace(system, settings=make_values(**{"retention.incidents_days": "0"}))
    assert examined(only(Told(), "severity >= P4"), [], for_ever).status is Status.NOT_APPLICABLE


def test_what_was_reopened_is_not_resolved() -> None:
    case = make_case()
    test = Entry(frozenset({TimelineKind.STATE}), frozenset({State.RESOLVED}), promise=Promise.RESOLVE)
    assert line_of(test, case).status is Status.PASSED
    reopened = replace(case, incident=replace(case.incident, state=State.IN_PROGRESS, resolved_at=None))
    assert line_of(test, reopened).status is Status.FAILED


def test_what_nothing_is_promised_for_is_no_evidence_of_anything() -> None:
    test = Entry(frozenset({TimelineKind.STATE}), frozenset({State.ACKNOWLEDGED}), promise=Promise.ACKNOWLEDGE)
    line = line_of(test, replace(make_case(), incident=make_incident(severity=Severity.P4)))
    assert line.status is Status.NOT_APPLICABLE
    assert "nothing is promised for its severity" in line.reason


def test_of_many_incidents_all_are_counted_and_the_first_hundred_are_named() -> None:
    cases = [replace(make_case(), sent=()) for _ in range(120)]
    (line,) = examined(only(Told(), "severity >= P4"), [*cases, make_case()]).lines
    assert (line.applicable, line.failed, line.evidence_count) == (121, 120, 121)
    assert (len(line.findings), len(line.evidence)) == (100, 100)
    assert line.reason.startswith(f"120 of 121 incidents fail, first {cases[0].incident.number}: no evidence of")


SETTINGS = [
    ("a word that fits", Setting("k", frozenset({"on"})), "on", True),
    ("another word", Setting("k", frozenset({"on"})), "off", False),
    ("a number that is large enough", Setting("k", least=365), "365", True),
    ("one that is too small", Setting("k", least=365), "364", False),
    ("one that is too large", Setting("k", most=365), "366", False),
    ("for ever where that is meant", Setting("k", least=365, unlimited=True), "0", True),
    ("for ever where it is not", Setting("k", most=365), "0", False),
    ("no number", Setting("k", least=1), "many", False),
]


@pytest.mark.parametrize(("test", "value", "fits"), [row[1:] for row in SETTINGS], ids=[row[0] for row in SETTINGS])
def test_a_setting_fits_or_does_not(test: Setting, value: str, fits: bool) -> None:
    system = SystemRecords({"k": Value(value, "what it means")})
    (line,) = examined(only(test, None), [], system).lines
    assert (line.status is Status.PASSED) == fits
    assert line.evidence[0].summary == f"k is {value}: what it means"


def test_a_checkpoint_counts_only_with_a_right_signature_of_a_known_key() -> None:
    for signed, says in ((None, "its key is not known here"), (False, "its signature is wrong")):
        (line,) = examined(only(Sealed(HOUR), None), [], replace(make_system(), signed=signed)).lines
        assert line.status is Status.FAILED
        assert says in line.reason


def test_a_record_that_is_too_young_for_a_checkpoint_is_not_missed_yet() -> None:
    system = make_system()
    assert system.last_record is not None
    assert system.checkpoint is not None
    young = replace(system, last_record=system.last_record._replace(at=Instant(system.checkpoint.at + 1)))
    soon, late = Instant(system.checkpoint.at + HOUR), Instant(system.checkpoint.at + 2 * HOUR)
    test = only(Sealed(HOUR), None)
    assert examined(test, [], young, soon).status is Status.PASSED
    assert examined(test, [], replace(young, checkpoint=None), soon).status is Status.NOT_APPLICABLE
    assert examined(test, [], young, late).status is Status.FAILED


def test_keys_that_nobody_uses_are_named() -> None:
    idle = a_key(created_at=Instant(NOW - 200 * DAY), last_used_at=Instant(NOW - 100 * DAY))
    system = replace(make_system(), keys=[a_key(last_used_at=NOW), idle])
    (line,) = examined(only(KeysUsed(90 * DAY), None), [], system).lines
    assert (line.status, [each.id for each in line.evidence]) == (Status.FAILED, [f"api_key.{idle.id}"])
    assert idle.id in line.reason
    (line,) = examined(only(KeysUsed(90 * DAY), None), [], replace(system, keys=[])).lines
    assert (line.status, line.reason) == (Status.NOT_APPLICABLE, "there is no API key")
