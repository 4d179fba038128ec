"""The simulation finds what it is for: with one guard of the product switched off, some seed fails, and says why."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from llm_incident_manager.adapters.sqlite import outbox, timers
from llm_incident_manager.adapters.sqlite.store import SqliteStore
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.time import MINUTE, Instant
from llm_incident_manager.engines import dedup
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.usecases import unit
from simulation.run import run

SEEDS = 40
"""So many at most it takes to find any of them."""

Plant = Callable[[pytest.MonkeyPatch], None]


def fence_of_work(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outbox, "still_leased", lambda connection, claimed: claimed)


def fence_of_timers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(timers, "leased", lambda connection, claimed: claimed)


def numbers_of_resent_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dedup, "is_resend", lambda sequence, last: False)


def gaps_between_frames(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dedup, "has_gap", lambda first, last: False)


def epochs_of_producers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dedup, "is_fenced", lambda epoch, current: False)


def names_of_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dedup, "decide", lambda key, seen: dedup.FRESH)


def answers_to_request_ids(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(unit, "_stored", lambda row, once: None)


def failed_commits(patch: pytest.MonkeyPatch) -> None:
    """Acknowledges, although the database has refused."""
    commit = Runner.commit

    async def careless(self: Runner, submissions: Sequence[Submission]) -> None:
        try:
            await commit(self, submissions)
        except StoreUnavailable:
            return

    patch.setattr(Runner, "commit", careless)


def length_of_leases(patch: pytest.MonkeyPatch) -> None:
    claim = SqliteStore.claim_work

    async def short(self: SqliteStore, topic: str, owner: str, now: Instant, until: Instant, limit: int) -> Any:  # noqa: ANN401
        return await claim(self, topic, owner, now, now, limit)

    patch.setattr(SqliteStore, "claim_work", short)


def moments_of_timers(patch: pytest.MonkeyPatch) -> None:
    claim = timers.claim

    def early(connection: Any, owner: str, now: Instant, until: Instant, limit: int) -> Any:  # noqa: ANN401
        return claim(connection, owner, Instant(now + MINUTE), until, limit)

    patch.setattr(timers, "claim", early)


PLANTED = (
    fence_of_work,
    fence_of_timers,
    numbers_of_resent_events,
    gaps_between_frames,
    epochs_of_producers,
    names_of_events,
    answers_to_request_ids,
    failed_commits,
    length_of_leases,
    moments_of_timers,
)


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_guard_that_is_off_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all guards on these seeds hold: test_seeds runs them."""
    plant(monkeypatch)
    assert any(run(seed).violations for seed in range(1, SEEDS + 1)), f"{SEEDS} seeds found nothing"
