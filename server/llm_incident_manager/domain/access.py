"""Who may do what: permissions, the roles that come with the product, and principals."""

from collections.abc import Mapping
from dataclasses import dataclass

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant

PERMISSIONS = (
    "EVENT_WRITE",
    "EVENT_READ",
    "INCIDENT_READ",
    "INCIDENT_WRITE",
    "SELF_READ",
    "ADMIN_READ",
    "ADMIN_WRITE",
    "AUDIT_READ",
    "ACCESS_READ",
    "ACCESS_WRITE",
    "TENANT_READ",
    "TENANT_WRITE",
    "AGENT_CONNECT",
    "AGENT_READ",
    "DIRECTIVE_WRITE",
    "INFERENCE_RUN",
)
"""What a method may ask for: the contract's words without prefix (options.proto)."""

_OF_THE_INSTALLATION = frozenset({"TENANT_READ", "TENANT_WRITE"})

ROLES: Mapping[str, frozenset[str]] = {
    "platform_admin": frozenset(PERMISSIONS),
    "admin": frozenset(PERMISSIONS) - _OF_THE_INSTALLATION,
    "responder": frozenset(
        {"EVENT_READ", "INCIDENT_READ", "INCIDENT_WRITE", "SELF_READ", "AGENT_READ", "DIRECTIVE_WRITE", "INFERENCE_RUN"}
    ),
    "viewer": frozenset({"EVENT_READ", "INCIDENT_READ", "SELF_READ", "AGENT_READ"}),
    "producer": frozenset({"EVENT_WRITE", "EVENT_READ", "SELF_READ"}),
    "edge_agent": frozenset({"EVENT_WRITE", "EVENT_READ", "SELF_READ", "AGENT_CONNECT"}),
    "auditor": frozenset({"EVENT_READ", "INCIDENT_READ", "AUDIT_READ", "SELF_READ", "AGENT_READ"}),
}
"""The built-in roles. An `admin` looks after its own tenant, a `platform_admin` after the tenants themselves."""


NARROWABLE = frozenset({"EVENT_WRITE", "EVENT_READ", "INCIDENT_READ", "INCIDENT_WRITE", "SELF_READ", "AGENT_CONNECT"})
"""Permissions that a condition can narrow: what they are about has a service and a team, or is the caller itself. All
others are about a whole tenant, so that whoever is narrowed does not have them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Narrows permissions to incidents and events of certain services and teams; empty lists narrow nothing."""

    services: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.services or self.teams)


EVERYWHERE = Condition()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and how that was proven: "mtls", "api_key", "jwt" or "anonymous". `credential` names the one that was
    shown (id of a key, fingerprint of a certificate, issuer and id of a token) and is no secret; `issue` tells the
    secrets that it has had one after the other apart."""

    tenant: TenantId
    subject: str
    roles: frozenset[str]
    permissions: frozenset[str]
    proven_by: str
    credential: str = ""
    condition: Condition = EVERYWHERE
    expires_at: Instant | None = None
    tier: str = ""
    issue: int = 0

    @property
    def lasting(self) -> str:
        """What somebody stays known by: of tokens and certificates, which come one after the other, whose they are."""
        match self.proven_by:
            case "jwt":
                return f"{self.credential.partition(' ')[0]} {self.tenant} {self.subject}"
            case "mtls":
                return self.subject
            case _:
                return self.credential or self.subject

    def may(self, permission: str) -> bool:
        """Whether it may call what asks for the permission."""
        return permission in self.permissions and (permission in NARROWABLE or not self.condition.narrows)


DEVELOPER = Principal(
    TenantId("default"), "dev", frozenset({"platform_admin"}), ROLES["platform_admin"], "anonymous", "loopback"
)
"""Whoever calls a server that asks nobody who they are."""


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A role that a tenant has made for itself. `revision` is that of access when it was last changed."""

    tenant: TenantId
    name: str
    description: str
    permissions: frozenset[str]
    updated_at: Instant
    revision: int


@dataclass(frozen=True, slots=True)
class DeniedCertificate:
    """A client certificate that is refused, by its SHA-256 (32 bytes, of its DER form)."""

    fingerprint: bytes
    reason: str
    actor: str
    created_at: Instant
    revision: int
