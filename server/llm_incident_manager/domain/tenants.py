"""Tenants: who shares an installation without seeing each other."""

from dataclasses import dataclass
from enum import StrEnum

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant

DEFAULT = TenantId("default")
"""The tenant that every installation has from its start."""


class TenantState(StrEnum):
    """Whether a tenant is served; only the callers of an ACTIVE one are let in."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    ERASING = "ERASING"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """How much a tenant may send, all its callers together; where 0, what the configuration says."""

    events_per_second: int = 0
    calls_per_minute: int = 0
    burst: int = 0


AS_CONFIGURED = TenantLimits()


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant. `revision` is that of access (ports/access.py) when it was last changed."""

    id: TenantId
    display_name: str
    state: TenantState
    limits: TenantLimits
    created_at: Instant
    updated_at: Instant
    revision: int
