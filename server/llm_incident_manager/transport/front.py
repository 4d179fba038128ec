"""Who sees the pages beside the contract, which no chain guards: the same addresses as call, as often, and of how the
server is only those who look after it see more than whether it is well."""

from llm_incident_manager.domain.destinations import is_loopback
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.transport.call import Call, source_of
from llm_incident_manager.transport.identity import Identity
from llm_incident_manager.transport.limits import FORWARDED, Source

LIVE = "/health/live"
HEALTH = frozenset({LIVE, "/health/ready", "/health"})
LOOKS_AFTER = "TENANT_READ"
"""Permission of those who look after the installation."""


class Front:
    """Lets callers see pages."""

    def __init__(self, source: Source, identity: Identity) -> None:
        """Asks the hooks of the chain."""
        self._source = source
        self._identity = identity

    def admit(self, call: Call, path: str) -> None:
        """Raises SOURCE_DENIED, RATE_LIMITED. Whether the server lives may be asked as often as one likes, and on its
        own machine, by whatever watches over it, how it is."""
        if path in HEALTH and of_this_machine(call):
            return
        self._source.admit(call, counts=path != LIVE)

    async def tells_all(self, call: Call) -> bool:
        """Whether the caller is told what is wrong, with its names and addresses."""
        if of_this_machine(call):
            return True
        try:
            who = await self._identity.who(call)
        except DomainError:
            return False
        return who.may(LOOKS_AFTER)


def of_this_machine(call: Call) -> bool:
    """Whether nobody else is behind it: a proxy on this machine calls for others."""
    return is_loopback(source_of(call.peer)) and FORWARDED not in call.metadata
