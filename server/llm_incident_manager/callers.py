"""What the settings say of who gets in, made into parts."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from llm_incident_manager.adapters import jwt
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.access import ROLES
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.outbound import Outbound
from llm_incident_manager.telemetry import logs
from llm_incident_manager.transport.bearer import BearerTokens
from llm_incident_manager.transport.identity import Authenticator

if TYPE_CHECKING:
    from llm_incident_manager.adapters.jwt.verifier import Verifier


class BuiltInRoles:
    """What the roles of the product allow. Implements ports.access.KnownRoles."""

    def permissions(self, _: TenantId, roles: Iterable[str]) -> frozenset[str]:
        """A role that nobody knows allows nothing."""
        return frozenset[str]().union(*(ROLES.get(role, frozenset()) for role in roles))


def tokens(settings: Settings, outbound: Outbound, clock: Clock, stack: AsyncExitStack) -> "Verifier | None":
    """What checks bearer tokens; None without issuers."""
    found = jwt.build(settings.identity.issuers, outbound, BuiltInRoles(), clock, logs.get("identity"))
    if found is not None:
        stack.push_async_callback(found.close)
    return found


def authenticators(tokens: "Verifier | None") -> tuple[Authenticator, ...]:
    """What knows a kind of credential, in the order in which they are asked."""
    return () if tokens is None else (BearerTokens(tokens),)
