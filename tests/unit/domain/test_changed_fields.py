"""Which fields the audit says have changed, and how it says so."""

from dataclasses import fields, replace

import pytest

from llm_incident_manager.domain import changed_fields
from llm_incident_manager.domain.incident import FingerprintName, Incident, Resolution, ResolutionMethod
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant
from tests.support.builders import NOW, make_incident

NO_CHANGE = {
    # What it is from the beginning.
    "id", "tenant", "number", "source", "fingerprint", "created_at", "previous_id", "traceparent",
    # Counters, and what goes along with any change.
    "event_count", "tokens", "cost_usd", "users_affected", "first_seen", "last_seen", "first_received_at", "updated_at",
    # Where it was routed, and what taking a merge apart restores.
    "route", "unmerge",
}  # fmt: skip


def test_every_field_of_an_incident_is_audited_or_known_not_to_be() -> None:
    assert {field.name for field in fields(Incident)} == {*changed_fields.FIELDS, *NO_CHANGE}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("severity", Severity.P0, "P0"),
        ("state", State.RESOLVED, "RESOLVED"),
        ("assignees", ("ann", "bob"), "ann, bob"),
        ("labels", {"b": "2", "a": "1"}, '{"a":"1","b":"2"}'),
        ("recurred", True, "true"),
        ("snoozed_until", Instant(NOW), "2026-11-21T20:40:00.000000Z"),
        ("keys", (FingerprintName(1, "x"), FingerprintName(0, "y")), "1:x, 0:y"),
        ("title", "t" * 501, None),
    ],
)
def test_a_field_as_text(field: str, value: object, told: str | None) -> None:
    before = make_incident()
    difference = changed_fields.between(before, replace(before, **{field: value}))  # type: ignore[arg-type]  # any field
    assert [*difference.before] == [*difference.after] == [field]
    if field == "snoozed_until":
        assert difference.after[field].endswith("Z")
    elif told is None:
        assert len(difference.after[field]) < 330
        assert "(501 characters, sha256 " in difference.after[field]
    else:
        assert difference.after[field] == told


def test_a_resolution_is_told_with_all_its_words() -> None:
    before = make_incident()
    ended = Resolution("ann", ResolutionMethod.MANUAL, "restarted", "memory", NOW)
    told = changed_fields.between(before, replace(before, resolution=ended)).after["resolution"]
    assert all(word in told for word in ("ann", "MANUAL", "restarted", "memory"))


def test_counting_is_no_change() -> None:
    before = make_incident()
    after = replace(before, event_count=9, tokens=5, route="default", updated_at=Instant(NOW + 1))
    assert changed_fields.between(before, after) == ({}, {})
