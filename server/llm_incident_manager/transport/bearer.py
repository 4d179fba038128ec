"""Bearer tokens (`authorization: Bearer …`) as a way to say who calls."""

from llm_incident_manager.domain.access import Principal
from llm_incident_manager.ports.tokens import Tokens
from llm_incident_manager.transport.call import Call

_SCHEME = "bearer "


class BearerTokens:
    """Implements transport.identity.Authenticator. Other schemes of the header are none of its business."""

    name = "jwt"

    def __init__(self, tokens: Tokens) -> None:
        """`tokens` knows the issuers."""
        self._tokens = tokens

    def shown(self, call: Call) -> bool:
        """Whether the call bears a token, good or bad."""
        return call.metadata.get("authorization", "")[: len(_SCHEME)].lower() == _SCHEME

    async def principal(self, call: Call) -> Principal:
        """Whose it is. Raises Unauthenticated."""
        return await self._tokens.principal(call.metadata["authorization"][len(_SCHEME) :])

    async def still(self, principal: Principal) -> bool:
        """Whether it has neither expired nor lost its key."""
        return self._tokens.still(principal)
