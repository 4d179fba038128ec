"""Which reasons go with which disposition: each reason has its place, and nothing accepted is without one."""

from llm_incident_manager.domain.disposition import REASONS, WITHOUT_INCIDENT, Disposition, Reason

ANSWERS_ONLY = {Reason.RECORD_EXPIRED, Reason.INVALID}


def test_each_reason_on_record_belongs_to_one_disposition() -> None:
    placed = [reason for reasons in REASONS.values() for reason in reasons]
    assert sorted(placed) == sorted(set(Reason) - ANSWERS_ONLY)


def test_each_disposition_of_an_accepted_event_has_reasons() -> None:
    assert set(REASONS) == set(Disposition) - {Disposition.REJECTED}
    assert all(REASONS.values())


def test_what_touches_no_incident_is_on_record() -> None:
    assert set(Reason) - ANSWERS_ONLY >= WITHOUT_INCIDENT
