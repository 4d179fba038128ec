"""Who asks: the principal as use cases see it."""

from dataclasses import dataclass

from llm_incident_manager.domain.ids import TenantId


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant and a subject in it."""

    tenant: TenantId
    subject: str
