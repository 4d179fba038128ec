"""What a condition covers: the same for one incident, for a list of them, and for an event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain import filter_match, filters, scope
from llm_incident_manager.domain.access import EVERYWHERE, NARROWABLE, PERMISSIONS, ROLES, Condition, Principal
from llm_incident_manager.domain.ids import TenantId
from tests.support.builders import make_event, make_incident

NAMES = ("", "payments", "search", 'a "quoted" name', "red' OR 1=1")
SETS = st.frozensets(st.sampled_from(NAMES[1:]), max_size=3)
LABELS = st.dictionaries(st.sampled_from(("team", "Team", "other")), st.sampled_from(NAMES), max_size=2)


@given(services=SETS, teams=SETS, service=st.sampled_from(NAMES), labels=LABELS)
def test_lists_and_single_ones_are_judged_alike(
    services: frozenset[str], teams: frozenset[str], service: str, labels: dict[str, str]
) -> None:
    condition = Condition(services, teams)
    incident, event = make_incident(service=service, labels=labels), make_event(service=service, labels=labels)
    covered = scope.covers(condition, incident)
    narrowed = scope.narrowed(condition, None)
    assert covered == (narrowed is None or filter_match.matches(narrowed, incident))
    assert covered == scope.covers_event(condition, event)
    assert covered == (scope.outside(condition, service, labels) is None)


def test_without_a_condition_nothing_is_narrowed() -> None:
    wanted = filters.parse("state = NEW")
    assert scope.narrowed(EVERYWHERE, wanted) is wanted
    assert scope.narrowed(EVERYWHERE, None) is None


def test_a_filter_passes_only_what_the_condition_covers_as_well() -> None:
    condition = Condition(frozenset({"payments"}), frozenset({"red", "blue"}))
    narrowed = scope.narrowed(condition, filters.parse("state = NEW OR severity = P0"))
    assert narrowed is not None
    assert filters.parse(narrowed.text) == narrowed, "page tokens are bound to the text"
    assert 'service = "payments"' in narrowed.text


@pytest.mark.parametrize(
    ("service", "labels", "field"),
    [
        ("search", {"team": "red"}, "service"),
        ("payments", {"team": "green"}, "labels.team"),
        ("payments", {}, "labels.team"),
        ("", {"team": "red"}, "service"),
    ],
)
def test_what_is_outside_is_told_with_what_would_do(service: str, labels: dict[str, str], field: str) -> None:
    found = scope.outside(Condition(frozenset({"payments"}), frozenset({"red"})), service, labels)
    assert found is not None
    assert found.field == field
    assert "payments" in found.message or "red" in found.message


def test_who_is_narrowed_has_no_permission_that_is_about_a_whole_tenant() -> None:
    everything = frozenset(PERMISSIONS)
    free = Principal(TenantId("a"), "ann", frozenset({"platform_admin"}), everything, "api_key")
    narrow = Principal(
        TenantId("a"), "ann", frozenset(), everything, "api_key", condition=Condition(frozenset({"payments"}))
    )
    assert {permission for permission in PERMISSIONS if free.may(permission)} == everything
    assert {permission for permission in PERMISSIONS if narrow.may(permission)} == NARROWABLE
    assert not any(narrow.may(each) for each in ROLES["admin"] - NARROWABLE)
