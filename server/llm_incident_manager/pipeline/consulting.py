"""Whom the effect `consult` asks, and how: the services that are configured."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_incident_manager.domain.analysis import Service
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.ports.consultant import Consultant

AT_ONCE = 16
"""Questions to one service that are under way at the same time, in each process."""


@dataclass(frozen=True, slots=True)
class Consulting:
    """The services that can be asked, and the sources whose incidents they are asked about. With `apply` a recommended
    severity raises an incident's."""

    consultants: Mapping[Service, Consultant] = field(default_factory=dict)
    sources: Mapping[str, Service] = field(default_factory=dict)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    apply: bool = False
    gates: Mapping[Service, asyncio.Semaphore] = field(
        default_factory=lambda: {service: asyncio.Semaphore(AT_ONCE) for service in Service}
    )
