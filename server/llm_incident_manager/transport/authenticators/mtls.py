"""Client certificates as credentials: whose a certificate is, as long as it is valid and nobody has refused it."""

from collections.abc import Iterable
from functools import lru_cache

from llm_incident_manager.domain import recognise
from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.certificates import Certificate, IdentityRule, Whose
from llm_incident_manager.domain.errors import Unauthenticated
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.recognise import Decision, Refused, Rules
from llm_incident_manager.ports.access import DeniedCertificates, KnownRoles
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.credentials import ReadsCertificates
from llm_incident_manager.transport.call import Call

NAME = "mtls"
REMEMBERED = 4_096
"""Certificates that need not be read again with each call."""


class MtlsAuthenticator:
    """The authenticator of client certificates."""

    name = NAME

    def __init__(
        self,
        rules: Iterable[IdentityRule],
        read: ReadsCertificates,
        denied: DeniedCertificates,
        roles: KnownRoles,
        clock: Clock,
    ) -> None:
        """`clock` is that of the system, by which certificates are valid."""
        self._rules = Rules(rules)
        self._read = lru_cache(REMEMBERED)(read)
        self._denied, self._roles, self._clock = denied, roles, clock

    def shown(self, call: Call) -> bool:
        """Whether the connection has one."""
        return bool(call.certificate)

    async def principal(self, call: Call) -> Principal:
        """Whose it is. Raises Unauthenticated."""
        try:
            certificate = self._read(call.certificate)
        except ValueError as error:
            raise Unauthenticated("malformed") from error
        call.facts["certificate"] = certificate.fingerprint.hex()
        decision = self._decide(certificate)
        if isinstance(decision, Refused):
            raise Unauthenticated(decision.why)
        return self._principal(certificate, decision)

    async def still(self, principal: Principal) -> bool:
        """Whether it is valid still, and nobody has refused it."""
        ended = principal.expires_at is not None and self._clock.now() > principal.expires_at
        return not ended and not self._denied.denied(bytes.fromhex(principal.credential))

    def _decide(self, certificate: Certificate) -> Decision:
        denied = self._denied.denied(certificate.fingerprint)
        return recognise.decide(certificate, self._rules, self._clock.now(), denied=denied)

    def _principal(self, certificate: Certificate, whose: Whose) -> Principal:
        tenant = TenantId(whose.tenant)
        return Principal(
            tenant,
            whose.subject,
            whose.roles,
            self._roles.permissions(tenant, whose.roles),
            NAME,
            certificate.fingerprint.hex(),
            expires_at=certificate.not_after,
            tier=whose.tier,
        )
