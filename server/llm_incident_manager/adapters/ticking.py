"""Hints for processes that have no way to each other but the database: whoever waits is told to look, again."""

import asyncio
from collections.abc import Iterable

from llm_incident_manager.ports.changes import TOPICS
from llm_incident_manager.ports.hints import AGENTS, FEED, SESSIONS, Heard

FEED_SECONDS = 0.1
TOPICS_SECONDS = 0.5
"""Looking for work writes; reading the feed, which nobody does without watchers, does not."""


class Ticking:
    """Implements ports.hints.Hints."""

    def tell(self, names: Iterable[str]) -> None:
        """Everybody looks soon anyway."""

    async def run(self, heard: Heard) -> None:
        """Tells of all there could be until cancelled."""
        while True:
            for name in (AGENTS, SESSIONS, *TOPICS):
                heard(name)
            for _ in range(round(TOPICS_SECONDS / FEED_SECONDS)):
                heard(FEED)
                await asyncio.sleep(FEED_SECONDS)
