"""Whom the server tells and asks, put together: channels, the services beside it, the breakers in front of them, and
the collector of traces."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from llm_incident_manager.adapters import channels as channel_adapters
from llm_incident_manager.adapters import outbound as outbound_adapter
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.analysis import Service
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.engines.breaker import Thresholds
from llm_incident_manager.engines.notify import RetryPolicy
from llm_incident_manager.pipeline.breakers import Breakers
from llm_incident_manager.pipeline.consulting import Consulting
from llm_incident_manager.ports.channel import Channel
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.consultant import Consultant
from llm_incident_manager.ports.outbound import Outbound
from llm_incident_manager.telemetry import logs, traces
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.foreign import ForeignFrames
from llm_incident_manager.transport.redact import Redactor
from llm_incident_manager.transport.translate.incidents import AsOf


@dataclass(frozen=True, slots=True)
class Outside:
    """The parts."""

    outbound: Outbound
    channels: Mapping[str, Channel]
    breakers: Breakers
    consulting: Consulting


def build(settings: Settings, clock: Clock, metrics: Metrics, stack: AsyncExitStack) -> Outside:
    """As the settings want it; nothing is connected yet, and the stack closes it. Raises OutboundRefused."""
    _start_tracing(settings, stack)
    outbound = outbound_adapter.build(settings, logs.get("outbound"), metrics.outbound_ended, stack)
    channels = channel_adapters.build(settings, SystemClock(), outbound, logs.get("notify"))
    for channel in channels.values():
        stack.push_async_callback(channel.close)
    given = settings.breaker
    thresholds = Thresholds(given.failures, given.successes, int(given.open_secs * SECOND))
    consulting = _consulting(settings, clock, metrics, stack)
    return Outside(outbound, channels, Breakers(clock, thresholds, metrics), consulting)


def _start_tracing(settings: Settings, stack: AsyncExitStack) -> None:
    """Sends traces to the collector of the settings, if there is one."""
    endpoint = settings.traces.endpoint
    if endpoint:
        service = {"service.name": settings.traces.service_name, "service.instance.id": settings.instance_id}
        traces.send_to(endpoint, sample_ratio=settings.traces.sample_ratio, service=service)
        stack.push_async_callback(asyncio.to_thread, traces.stop)


def _consulting(settings: Settings, clock: Clock, metrics: Metrics, stack: AsyncExitStack) -> Consulting:
    given, configured = settings.integrations, settings.integrations.by_service()
    retry = RetryPolicy(given.max_attempts, given.base_delay_secs)
    sources = {source.lower(): service for service, each in configured.items() for source in each.sources}
    return Consulting(_consultants(settings, clock, metrics, stack), sources, retry, given.apply_severity)


def _consultants(
    settings: Settings, clock: Clock, metrics: Metrics, stack: AsyncExitStack
) -> Mapping[Service, Consultant]:
    if not settings.integrations.by_service():
        return {}  # and nothing of it is loaded
    from llm_incident_manager.adapters import integrations

    targets = settings.sla.targets()
    frames = ForeignFrames(lambda: AsOf(clock.now(), targets), Redactor(settings.redaction.shapes(), metrics.redacted))
    addresses = outbound_adapter.addresses(settings, logs.get("outbound"), metrics.outbound_ended, stack)
    return integrations.build(settings, addresses, frames, stack)
