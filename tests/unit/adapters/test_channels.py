"""Channels built from settings, and the one that writes log lines."""

from contextlib import AsyncExitStack

import pytest

from llm_incident_manager.adapters import channels, outbound
from llm_incident_manager.adapters.channels.log import LogChannel
from llm_incident_manager.adapters.channels.webhook import WebhookChannel
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.ports.channel import Notification, Receipt
from llm_incident_manager.telemetry import logs
from tests.support.builders import NOW

PAYLOAD = {"number": "INC-20261121-00001", "severity": "P1", "title": "Slow", "kind": "", "labels": {"a": "b"}}
NOTIFICATION = Notification("n1", TenantId("default"), IncidentId("i1"), "i1:1:opened", "opened", NOW, PAYLOAD)


def built(*configured: dict[str, object]) -> dict[str, object]:
    settings = Settings.model_validate({"notifications": {"channels": configured}})
    way = outbound.build(settings, logs.get("test"), lambda *_: None, AsyncExitStack())
    return dict(channels.build(settings, SystemClock(), way, logs.get("test")))


def test_enabled_channels_are_built_under_their_names() -> None:
    found = built(
        {"type": "webhook", "name": "ops", "webhook_url": "https://example.org/x", "secret": "s"},
        {"type": "webhook", "webhook_url": "https://example.org/y"},
        {"type": "log"},
        {"type": "email", "enabled": False},
    )
    assert {name: type(channel) for name, channel in found.items()} == {
        "ops": WebhookChannel,
        "webhook": WebhookChannel,
        "log": LogChannel,
    }


def test_out_of_the_box_there_is_the_log() -> None:
    assert list(built(*Settings().model_dump()["notifications"]["channels"])) == ["log"]


def test_a_channel_of_a_later_release_is_not_built() -> None:
    with pytest.raises(ValueError, match="'slack' of type 'slack' cannot be used: set enabled: false"):
        built({"type": "slack"})


async def test_the_log_channel_writes_one_line_that_says_what_is_wrong() -> None:
    lines: list[tuple[str, dict[str, object]]] = []

    def emit(event: str, **fields: object) -> None:
        lines.append((event, fields))

    channel = LogChannel("log", emit)
    assert await channel.send(NOTIFICATION) == Receipt(ok=True, detail="logged")
    await channel.close()
    assert lines == [
        (
            "notify.sent",
            {
                "channel": "log",
                "reason": "opened",
                "incident_id": "i1",
                "notification_id": "n1",
                "number": "INC-20261121-00001",
                "severity": "P1",
                "title": "Slow",
            },
        )
    ]
    assert channel.name == "log"
