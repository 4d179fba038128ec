"""Bearer tokens, built from the settings. What they say is `domain.tokens`' to judge."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_incident_manager.config.issuers import Issuer
from llm_incident_manager.ports.access import KnownRoles
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.outbound import Outbound
from llm_incident_manager.telemetry.logs import Logger

if TYPE_CHECKING:
    from llm_incident_manager.adapters.jwt.verifier import Verifier


def build(
    issuers: Sequence[Issuer], outbound: Outbound, roles: KnownRoles, clock: Clock, log: Logger
) -> "Verifier | None":
    """What checks tokens of these issuers; None without any. `roles` says what roles allow."""
    if not issuers:
        return None
    from llm_incident_manager.adapters.jwt.keyring import Keyring  # these load cryptography, which takes long
    from llm_incident_manager.adapters.jwt.verifier import Verifier

    def ring(issuer: Issuer) -> Keyring:
        uri = issuer.jwks_uri or ""
        return Keyring(issuer.issuer, issuer.algorithm, uri, outbound=outbound, clock=clock, log=log)

    return Verifier([(issuer.rules(), ring(issuer)) for issuer in issuers], roles, clock)
