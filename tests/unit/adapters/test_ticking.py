"""Processes behind a pooler hear nothing of each other: each looks by itself, at the feed more often than for work."""

import asyncio
from collections import Counter

import pytest

from llm_incident_manager.adapters import ticking
from llm_incident_manager.adapters.ticking import Ticking
from llm_incident_manager.ports.changes import TOPICS
from llm_incident_manager.ports.hints import FEED
from tests.support.waiting import until


async def test_the_feed_is_looked_at_five_times_as_often_as_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticking, "FEED_SECONDS", 0.001)
    monkeypatch.setattr(ticking, "TOPICS_SECONDS", 0.005)
    heard: Counter[str] = Counter()
    hints = Ticking()
    hints.tell([FEED])
    running = asyncio.create_task(hints.run(lambda name: heard.update([name])))
    await until(lambda: heard[FEED] >= 50)
    running.cancel()
    assert all(9 <= heard[topic] <= 11 for topic in TOPICS)
