"""Nobody gives what they lack."""

import pytest

from llm_incident_manager.domain.access import EVERYWHERE, ROLES, Condition, Principal
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines import granting
from llm_incident_manager.engines.granting import Why


def holder(role: str) -> Principal:
    return Principal(TenantId("t"), "ann", frozenset({role}), ROLES[role], "api_key")


def of(services: str = "", teams: str = "") -> Condition:
    return Condition(frozenset(services.split()), frozenset(teams.split()))


def test_what_one_has_one_may_give() -> None:
    assert granting.lacking(holder("admin"), ROLES["responder"]) is None
    assert granting.lacking(holder("admin"), ROLES["admin"]) is None
    assert granting.lacking(holder("admin"), ()) is None


def test_the_first_permission_that_is_lacking_is_named() -> None:
    assert granting.lacking(holder("admin"), ROLES["platform_admin"]) == "TENANT_READ"
    assert granting.lacking(holder("viewer"), {"INCIDENT_READ", "INCIDENT_WRITE", "EVENT_WRITE"}) == "EVENT_WRITE"


@pytest.mark.parametrize(
    ("given", "own", "why"),
    [
        # Whoever reaches everything may give anything.
        (EVERYWHERE, EVERYWHERE, None),
        (of("a b", "x"), EVERYWHERE, None),
        # Within one's own reach, or narrower.
        (of("a"), of("a b"), None),
        (of("a b"), of("a b"), None),
        (of("a", "x"), of("a"), None),
        # An empty list stands for all.
        (EVERYWHERE, of("a"), Why.SERVICES),
        (of("", "x"), of("a", "x"), Why.SERVICES),
        (of("a"), of("a", "x"), Why.TEAMS),
        # Something else.
        (of("a c"), of("a b"), Why.SERVICES),
        (of("a", "y"), of("a", "x"), Why.TEAMS),
    ],
)
def test_a_reach_is_not_given_beyond_ones_own(given: Condition, own: Condition, why: Why | None) -> None:
    assert granting.wider(given, own) is why
