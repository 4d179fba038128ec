"""Ways to reach somebody, built from the settings."""

from collections.abc import Mapping

from llm_incident_manager.adapters.channels.log import LogChannel
from llm_incident_manager.adapters.channels.webhook import WebhookChannel
from llm_incident_manager.config import Settings, sections
from llm_incident_manager.ports.channel import Channel
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.outbound import Outbound
from llm_incident_manager.telemetry.logs import Logger


def build(settings: Settings, clock: Clock, outbound: Outbound, log: Logger) -> Mapping[str, Channel]:
    """The enabled channels by name. The clock dates signatures; channels of type `log` write to the logger."""
    enabled = [channel for channel in settings.notifications.channels if channel.enabled]
    return {channel.label: _build(channel, clock, outbound, log) for channel in enabled}


def _build(channel: sections.Channel, clock: Clock, outbound: Outbound, log: Logger) -> Channel:
    if channel.type == "webhook" and channel.webhook_url is not None:
        return WebhookChannel(
            channel.label,
            channel.webhook_url.get_secret_value(),
            clock,
            outbound,
            secret="" if channel.secret is None else channel.secret.get_secret_value(),
            timeout_secs=channel.timeout_secs,
        )
    if channel.type == "log":
        return LogChannel(channel.label, log.info)
    raise ValueError(f"channel {channel.label!r} of type {channel.type!r} cannot be used: set enabled: false")
