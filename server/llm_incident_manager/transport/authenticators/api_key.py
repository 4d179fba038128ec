"""API keys, in the header or metadata entry `x-api-key`."""

from llm_incident_manager.domain.access import Principal
from llm_incident_manager.transport.call import Call
from llm_incident_manager.usecases.keyring import Keyring

HEADER = "x-api-key"


class ApiKeyAuthenticator:
    """Implements transport.identity.Authenticator."""

    name = "api_key"

    def __init__(self, keyring: Keyring) -> None:
        """Asks the keyring."""
        self._keyring = keyring

    def shown(self, call: Call) -> bool:
        """Whether the call has the header, also an empty one."""
        return HEADER in call.metadata

    async def principal(self, call: Call) -> Principal:
        """Whose key it is. Raises Unauthenticated."""
        return self._keyring.principal(call.metadata[HEADER])

    async def still(self, principal: Principal) -> bool:
        """Whether the key that proved this principal still does."""
        return self._keyring.still(principal)
