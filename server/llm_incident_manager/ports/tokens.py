"""Whom bearer tokens stand for."""

from typing import Protocol

from llm_incident_manager.domain.access import Principal


class Tokens(Protocol):
    """Knows the issuers whose tokens count."""

    async def principal(self, token: str) -> Principal:
        """Whose token it is. Raises Unauthenticated."""
        ...

    def still(self, principal: Principal) -> bool:
        """Whether the token that has proven this principal has neither expired nor lost the key it was signed with."""
        ...
