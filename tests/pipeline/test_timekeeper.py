"""Which clock is followed when two of them differ, and who hears of it."""

import pytest

from llm_incident_manager.adapters.clock import SteadyClock
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.time import DAY, HOUR, SECOND, Instant
from llm_incident_manager.pipeline.timekeeper import Timekeeper
from llm_incident_manager.telemetry.metrics import Metrics
from tests.support.builders import NOW


class Place:
    """A machine and a database, each with a clock in our hands."""

    def __init__(self, *, database: bool) -> None:
        self.passed = 0
        self.wall_ahead = 0
        self.database_ahead = 0
        self.clock = SteadyClock(lambda: (NOW + self.passed + self.wall_ahead) * 1_000, lambda: self.passed * 1_000)
        self.metrics = Metrics("test")
        self.keeper = Timekeeper(self.clock, self.database if database else self.nobody, self.metrics)

    async def database(self) -> Instant:
        return Instant(NOW + self.passed + self.database_ahead)

    async def nobody(self) -> None:
        """The database has no clock."""

    def ahead(self) -> int:
        """How far our clock is ahead of true time."""
        return self.clock.now() - NOW - self.passed

    def counted(self, name: str) -> float:
        lines = self.metrics.page().body.decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"incident_manager_{name} ")).split()[1])


@pytest.mark.parametrize("step", [HOUR, -HOUR, DAY, -DAY])
async def test_a_wall_clock_that_is_set_is_not_followed_and_told_until_it_is_right_again(step: int) -> None:
    place = Place(database=False)
    await place.keeper.check()
    place.wall_ahead = step
    for _ in range(3):
        await place.keeper.once()
    assert (place.ahead(), place.counted("clock_steps_total")) == (0, 1)
    assert place.counted("clock_offset_seconds") == step / SECOND
    with pytest.raises(DomainError, match="the system's clock was set by"):
        await place.keeper.check()
    place.wall_ahead = 0
    await place.keeper.once()
    await place.keeper.check()
    assert (place.ahead(), place.counted("clock_steps_total")) == (0, 2)


async def test_a_smear_is_followed_slowly() -> None:
    place = Place(database=False)
    place.wall_ahead = SECOND // 2
    await place.keeper.once()
    place.passed = 1_000 * SECOND
    assert (place.ahead(), place.counted("clock_steps_total")) == (SECOND // 2, 0)


async def test_a_machine_whose_clock_is_wrong_goes_by_the_database_from_the_start() -> None:
    place = Place(database=True)
    place.clock.shift(DAY)
    await place.keeper.once()
    assert place.ahead() == 0


async def test_a_wall_clock_that_is_set_is_nobodys_concern_where_the_database_has_a_clock() -> None:
    place = Place(database=True)
    place.wall_ahead = DAY
    await place.keeper.once()
    await place.keeper.check()
    assert (place.ahead(), place.counted("clock_steps_total")) == (0, 0)


async def test_a_databases_clock_that_is_set_is_followed_as_all_others_do() -> None:
    place = Place(database=True)
    place.database_ahead = -HOUR
    await place.keeper.once()
    assert (place.ahead(), place.counted("clock_steps_total")) == (-HOUR, 1)
    await place.keeper.once()
    assert place.counted("clock_steps_total") == 1
