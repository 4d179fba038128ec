"""Whoever gives permissions to others: a caller with what it has itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from llm_incident_manager.domain.access import EVERYWHERE, Condition, Principal
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.engines import granting
from llm_incident_manager.usecases.caller import Caller


@dataclass(frozen=True, slots=True)
class Giver:
    """A caller, and the principal it is."""

    caller: Caller
    principal: Principal

    def must_have(self, permissions: Iterable[str]) -> None:
        """Raises PERMISSION_DENIED naming a permission that the giver lacks."""
        missing = granting.lacking(self.principal, permissions)
        if missing is not None:
            text = f"this would give permission {missing}, which you do not have: ask somebody who has it"
            raise DomainError(ErrorReason.PERMISSION_DENIED, text, {"permission": missing})

    def must_reach(self, condition: Condition) -> None:
        """Raises PERMISSION_DENIED for a condition that lets through more than the giver's own."""
        why = granting.wider(condition, self.principal.condition)
        if why is not None:
            own = ", ".join(sorted(getattr(self.principal.condition, why)))
            text = f"this would reach beyond your own {why}: name some of {own}"
            raise DomainError(ErrorReason.PERMISSION_DENIED, text, {"permission": "ACCESS_WRITE"})

    def must_reach_everywhere(self) -> None:
        """Raises PERMISSION_DENIED for a giver whose permissions a condition narrows."""
        self.must_reach(EVERYWHERE)

    def must_set_limits(self) -> None:
        """Raises PERMISSION_DENIED for a giver that does not say how much tenants may send."""
        if not self.principal.may("TENANT_WRITE"):
            text = (
                "tier: a key of its own tier goes beyond what its tenant's keys have, and naming one needs permission "
                "TENANT_WRITE: leave it out, or ask those who run this installation"
            )
            raise DomainError(ErrorReason.PERMISSION_DENIED, text, {"permission": "TENANT_WRITE"})
