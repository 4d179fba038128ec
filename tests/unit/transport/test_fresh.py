"""What costs something is found out once for all who ask within a moment."""

import asyncio

import pytest

from llm_incident_manager.transport.fresh import Fresh


class Finding:
    """Counts how often it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()
        self.may.set()

    async def find(self) -> int:
        self.asked += 1
        await self.may.wait()
        if self.asked < 0:
            raise ValueError("told to fail")
        return self.asked


async def test_many_at_once_and_soon_after_get_one_answer() -> None:
    finding = Finding()
    fresh = Fresh(finding.find, 60.0)
    finding.may.clear()
    asking = [asyncio.create_task(fresh.get()) for _ in range(100)]
    await asyncio.sleep(0)
    finding.may.set()
    assert await asyncio.gather(*asking) == [1] * 100
    assert await fresh.get() == 1


async def test_an_old_answer_is_found_again() -> None:
    finding = Finding()
    fresh = Fresh(finding.find, 0.0)
    assert [await fresh.get(), await fresh.get()] == [1, 2]


async def test_who_goes_away_spoils_it_for_nobody() -> None:
    finding = Finding()
    fresh = Fresh(finding.find, 60.0)
    finding.may.clear()
    first, second = asyncio.create_task(fresh.get()), asyncio.create_task(fresh.get())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    finding.may.set()
    assert await second == 1


async def test_a_failure_is_told_to_all_who_wait_and_kept_for_nobody() -> None:
    finding = Finding()
    finding.asked = -2
    fresh = Fresh(finding.find, 60.0)
    for _ in range(1):
        with pytest.raises(ValueError, match="told to fail"):
            await fresh.get()
    assert await fresh.get() == 0
