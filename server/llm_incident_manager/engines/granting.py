"""Nobody gives what they lack: neither a permission, nor a reach that their own condition narrows."""

from collections.abc import Iterable
from enum import StrEnum

from llm_incident_manager.domain.access import Condition, Principal


class Why(StrEnum):
    """What a giver lacks when it is no permission."""

    SERVICES = "services"
    TEAMS = "teams"


def lacking(giver: Principal, permissions: Iterable[str]) -> str | None:
    """The first permission that the giver does not have."""
    return min(frozenset(permissions) - giver.permissions, default=None)


def wider(condition: Condition, own: Condition) -> Why | None:
    """Where a condition lets through what `own` does not."""
    if _beyond(condition.services, own.services):
        return Why.SERVICES
    return Why.TEAMS if _beyond(condition.teams, own.teams) else None


def _beyond(names: frozenset[str], own: frozenset[str]) -> bool:
    """An empty set stands for all names."""
    return bool(own) and (not names or not names <= own)
