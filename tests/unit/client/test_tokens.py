"""Tokens are fetched once for all who wait, renewed before they end, and replaced when they are refused."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from llm_incident_client import RenewedToken, Token
from simulation.loop import VirtualLoop


def run(work: Coroutine[Any, Any, None]) -> None:
    VirtualLoop.drawing_from(Random(1)).run(work)


@dataclass
class Issuer:
    """Gives numbered tokens."""

    lives: timedelta | None
    given: int = 0
    away: bool = False

    async def __call__(self) -> Token:
        await asyncio.sleep(0.1)
        if self.away:
            raise ConnectionError("the issuer is away")
        self.given += 1
        return Token(f"token-{self.given}", self.lives)


def test_calls_that_come_together_share_one_question() -> None:
    async def main() -> None:
        issuer = Issuer(timedelta(minutes=5))
        source = RenewedToken(issuer)
        assert set(await asyncio.gather(*(source() for _ in range(50)))) == {"token-1"}
        assert issuer.given == 1

    run(main())


@pytest.mark.parametrize(("lives", "good_for"), [(300.0, 269.0), (20.0, 9.0)])
def test_it_is_renewed_before_it_ends(lives: float, good_for: float) -> None:
    async def main() -> None:
        source = RenewedToken(Issuer(timedelta(seconds=lives)))
        assert await source() == "token-1"
        await asyncio.sleep(good_for)
        assert await source() == "token-1"
        await asyncio.sleep(2)
        assert await source() == "token-2"

    run(main())


def test_without_an_end_it_stays_until_it_is_refused() -> None:
    async def main() -> None:
        source = RenewedToken(Issuer(None))
        assert await source() == "token-1"
        await asyncio.sleep(1e6)
        assert await source() == "token-1"
        source.forget("token-1")
        assert await source() == "token-2"
        source.forget("token-1")  # somebody learned late what was refused before
        assert await source() == "token-2"

    run(main())


def test_an_issuer_that_is_away_is_told_and_asked_again() -> None:
    async def main() -> None:
        issuer = Issuer(None, away=True)
        source = RenewedToken(issuer)
        with pytest.raises(ConnectionError, match="away"):
            await source()
        issuer.away = False
        assert await source() == "token-1"

    run(main())


def test_a_token_is_not_printed() -> None:
    assert "s3cret" not in repr(Token("s3cret"))
