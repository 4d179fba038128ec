"""Whatever texts and bytes a client sends: the connection lives, and the server never stumbles."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_incident_manager.transport.ws import frames
from llm_incident_manager.transport.ws.frames import BadFrame
from tests.support.server import RunningServer
from tests.support.sizes import size
from tests.support.sockets import EVENT, SECONDS, talking

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
KEYS = st.sampled_from(
    [*EVENT, "id", "event", "events", "subscription_id", "filter", "filters", "resume_token", "snapshot", "labels"]
)
MESSAGES = st.dictionaries(KEYS | st.text(), VALUES, max_size=6).flatmap(
    lambda fields: st.sampled_from([*frames.TYPES, "ack", "connection_ack", ""]).map(
        lambda word: {**fields, "type": word}
    )
)
FILTERS = st.dictionaries(
    st.sampled_from(["severities", "states", "sources", "labels", "incident_ids", "event_types", "affected_resources"]),
    VALUES | st.lists(st.sampled_from(["P1", "NEW", "opened", "x*", '"', "\\"]), max_size=3),
)
SUBSCRIBES = st.builds(lambda filters: {"type": "subscribe", "subscription_id": "s", "filters": filters}, FILTERS)
SENT = st.one_of(MESSAGES.map(json.dumps), SUBSCRIBES.map(json.dumps), st.text(), st.binary(), VALUES.map(json.dumps))


@settings(max_examples=size(300, 20_000), deadline=None)
@given(SENT)
def test_a_message_is_understood_or_refused_with_a_reason(sent: str | bytes) -> None:
    try:
        said = frames.kind(frames.parse(sent, 100_000, 1_000))
    except BadFrame as bad:
        said = bad.error.message
    assert said


@pytest.mark.asyncio(loop_scope="module")
async def test_a_connection_lives_whatever_is_sent(server: RunningServer) -> None:
    tried: list[list[str | bytes]] = []
    _drawn(tried.append)
    for messages in tried:
        async with talking(server) as talk:
            for message in messages:
                await talk.send(message)
            async with asyncio.timeout(SECONDS):
                while (await talk.ask({"type": "ping", "id": "last"}, "pong")).get("id") != "last":
                    pass
    assert "Traceback" not in server.log
    assert "INTERNAL" not in server.log


def _drawn(take: Callable[[Any], None]) -> None:
    """Draws before anything is sent: Hypothesis runs in no event loop."""

    @settings(max_examples=size(25, 2_000), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(SENT, min_size=1, max_size=8))
    def draw(messages: list[str | bytes]) -> None:
        take(messages)

    draw()
