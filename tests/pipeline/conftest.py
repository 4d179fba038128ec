"""Every pipeline test has a world of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.support.world import World, a_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A pipeline on an empty embedded database with held time."""
    async with a_world() as made:
        yield made
