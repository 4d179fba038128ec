"""Who asks: the principal as use cases see it."""

from dataclasses import dataclass

from llm_incident_manager.domain.access import EVERYWHERE, Condition
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.timeline import Proof


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant and a subject in it, how and with which credential that was proven, from which address, and what narrows
    its permissions. `proven_by` is "system" for the system itself."""

    tenant: TenantId
    subject: str
    proven_by: str = "system"
    credential: str = ""
    source: str = ""
    condition: Condition = EVERYWHERE

    @property
    def proof(self) -> Proof:
        """The same for the audit."""
        return Proof(self.proven_by, self.credential, self.source)
