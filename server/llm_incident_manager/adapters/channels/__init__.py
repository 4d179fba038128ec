"""Ways to reach somebody, built from the settings."""

from collections.abc import Mapping, Sequence

from llm_incident_manager.adapters.channels.log import Emit, LogChannel
from llm_incident_manager.adapters.channels.webhook import WebhookChannel
from llm_incident_manager.config.sections import Channel as ChannelSettings
from llm_incident_manager.ports.channel import Channel
from llm_incident_manager.ports.clock import Clock


def build(channels: Sequence[ChannelSettings], clock: Clock, version: str, emit: Emit) -> Mapping[str, Channel]:
    """The enabled channels by name. `version` is told to receivers; `emit` writes a log line."""
    return {settings.label: _build(settings, clock, version, emit) for settings in channels if settings.enabled}


def _build(settings: ChannelSettings, clock: Clock, version: str, emit: Emit) -> Channel:
    if settings.type == "webhook" and settings.webhook_url is not None:
        return WebhookChannel(
            settings.label,
            settings.webhook_url.get_secret_value(),
            clock,
            version=version,
            secret="" if settings.secret is None else settings.secret.get_secret_value(),
            timeout_secs=settings.timeout_secs,
        )
    if settings.type == "log":
        return LogChannel(settings.label, emit)
    raise ValueError(f"channel {settings.label!r} of type {settings.type!r} cannot be built: set enabled: false")
