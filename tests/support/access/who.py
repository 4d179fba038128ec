"""Who a test's caller is: any principal, told to a server that believes it (see `trusting`)."""

import json
from dataclasses import dataclass, replace
from typing import Any

from llm_incident_manager.domain.access import NARROWABLE, ROLES, Condition, Principal
from llm_incident_manager.domain.ids import TenantId

HEADER = "x-test-principal"


@dataclass(frozen=True)
class Who:
    """A principal in few words. `permissions` are those of the roles unless they are given."""

    tenant: str = "alpha"
    subject: str = "ann"
    roles: tuple[str, ...] = ("admin",)
    permissions: tuple[str, ...] | None = None
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a call shows to be this one."""
        return ((HEADER, json.dumps(vars(self))),)

    @property
    def principal(self) -> Principal:
        """As the server knows it."""
        own = frozenset().union(*(ROLES[role] for role in self.roles if role in ROLES))
        held = own if self.permissions is None else frozenset(self.permissions)
        condition = Condition(frozenset(self.services), frozenset(self.teams))
        return Principal(TenantId(self.tenant), self.subject, frozenset(self.roles), held, "api_key", "test", condition)

    def may(self, permission: str) -> bool:
        """What the roles declare, worked out anew."""
        principal = self.principal
        whole = permission in principal.permissions
        return whole and (permission in NARROWABLE or not (self.services or self.teams))

    def named(self, subject: str) -> "Who":
        """Another principal with the same rights."""
        return replace(self, subject=subject)


def read(text: str) -> Principal:
    """The principal of a header. Raises ValueError and KeyError for what is none."""
    told: dict[str, Any] = json.loads(text)
    given: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Who(**given).principal


EVERY_ROLE = tuple(Who(subject=role, roles=(role,)) for role in ROLES)
CUSTOM = Who(subject="custom", roles=("reader-of-notes",), permissions=("INCIDENT_READ", "AUDIT_READ"))
POWERLESS = Who(subject="powerless", roles=(), permissions=())
NARROWED = Who(subject="narrowed", roles=("platform_admin",), services=("payments",))
