"""What it costs to know who calls by an API key: the key alone, the hook of the handler chain that asks for it, and
that hook beside a flood of wrong keys.

Nothing crosses a socket here: a call over one costs far more than its key, and would hide it.
"""

import asyncio
import gc
import io
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from llm_incident_manager.adapters.clock import SteadyClock
from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.adapters.pepper import draw
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.domain import api_keys
from llm_incident_manager.domain.access import EVERYWHERE
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.errors import DomainError, Unauthenticated
from llm_incident_manager.domain.tenants import DEFAULT
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.engines.lockout import Patience
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.authenticators.api_key import HEADER, ApiKeyAuthenticator
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.guard import Guard
from llm_incident_manager.transport.identity import Identity, OpenStreams
from llm_incident_manager.usecases.access_book import AccessBook
from llm_incident_manager.usecases.key_uses import KeyUses
from llm_incident_manager.usecases.keyring import Keyring

KEYS = 10_000
ROUNDS = 200
PER_ROUND = 100
FLOOD_PER_SECOND = 10_000
VALID_PER_SECOND = 500
AT_ONCE = 50
"""Wrong keys that come before anybody else's turn: a network brings them one by one."""
TICK = 0.002
PEPPER = b"0123456789abcdef0123456789abcdef"

(WHO_AM_I,) = (method for method in methods.all_methods() if method.name == "WhoAmI")


@dataclass(frozen=True, slots=True)
class Place:
    """A keyring with many keys, and the hook that asks it."""

    ring: Keyring
    identity: Identity
    good: Sequence[str]
    wrong: Sequence[str]
    strange: Sequence[str]
    garbage: Sequence[str]

    async def call(self, key: str, peer: str) -> bool:
        """Whether a call with this key passes the hook."""
        call = Call(WHO_AM_I, "grpc", {HEADER: key}, peer)
        try:
            return await self.identity.around(call, _nothing)
        except DomainError:
            return False


async def _nothing() -> bool:
    return True


def line(seconds: float) -> dict[str, Any]:
    """All figures."""
    logs.configure("info", "json", io.StringIO())
    return asyncio.run(_measure(seconds))


async def _measure(seconds: float) -> dict[str, Any]:
    async with _place() as place:
        figures: dict[str, Any] = {"keys": KEYS, **_checks(place)}
        quiet = await _valid_calls(place, seconds)
        stop, flood = asyncio.Event(), [0]
        flooding = asyncio.create_task(_flood(place, stop, flood))
        began = perf_counter()
        beside = await _valid_calls(place, seconds)
        stop.set()
        await flooding
        figures |= {
            "hook_p50_us": quiet[0],
            "hook_p99_us": quiet[1],
            "flood_per_second": round(flood[0] / (perf_counter() - began)),
            "hook_p50_us_in_flood": beside[0],
            "hook_p99_us_in_flood": beside[1],
            "slower_in_flood": round(beside[0] / quiet[0], 2),
        }
        return figures


def _checks(place: Place) -> dict[str, float]:
    """Microseconds of a look at a key, sort by sort, in turns; of each the best round, since whatever else the machine
    does makes it only slower. And by how much a wrong secret of a key that there is takes longer than one of none."""
    refused = _refused(place.ring)
    sorts: dict[str, tuple[Callable[[str], object], Sequence[str]]] = {
        "check_us": (place.ring.principal, place.good),
        "wrong_secret_us": (refused, place.wrong),
        "unknown_id_us": (refused, place.strange),
        "garbage_us": (refused, place.garbage),
    }
    best = dict.fromkeys(sorts, float("inf"))
    gc.collect()
    for _ in range(ROUNDS):
        for name, (check, shown) in sorts.items():
            began = perf_counter()
            for key in shown[:PER_ROUND]:
                check(key)
            best[name] = min(best[name], (perf_counter() - began) / PER_ROUND * 1e6)
    tells = abs(best["wrong_secret_us"] / best["unknown_id_us"] - 1)
    return {**{name: round(value, 2) for name, value in best.items()}, "guessing_tells": round(tells, 3)}


def _refused(ring: Keyring) -> Callable[[str], object]:
    def check(text: str) -> None:
        try:
            ring.principal(text)
        except Unauthenticated:
            return
        raise AssertionError("a wrong key was taken")

    return check


async def _valid_calls(place: Place, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile in microseconds of calls with good keys at an even rate."""
    took: list[float] = []
    begin, due = perf_counter(), 0.0
    while due < seconds:
        await asyncio.sleep(max(0.0, begin + due - perf_counter()))
        began = perf_counter()
        assert await place.call(place.good[len(took) % KEYS], f"ipv4:10.1.0.{len(took) % 250}:9")
        took.append(perf_counter() - began)
        due += 1 / VALID_PER_SECOND
    marks = statistics.quantiles(took, n=100)
    return round(marks[49] * 1e6, 1), round(marks[98] * 1e6, 1)


async def _flood(place: Place, stop: asyncio.Event, sent: list[int]) -> None:
    """Wrong keys of all sorts from many addresses, at an even rate."""
    wrong = [key for sorts in zip(place.wrong, place.strange, place.garbage, strict=True) for key in sorts]
    begin = perf_counter()
    while not stop.is_set():
        owed = int((perf_counter() - begin) * FLOOD_PER_SECOND) - sent[0]
        for _ in range(min(owed, AT_ONCE)):
            at = sent[0] = sent[0] + 1
            assert not await place.call(wrong[at % len(wrong)], f"ipv4:10.2.{at // 250 % 250}.{at % 250}:9")
        await asyncio.sleep(TICK)


@asynccontextmanager
async def _place() -> AsyncIterator[Place]:
    clock, ids, metrics = SteadyClock(), Uuid7(), Metrics("bench")
    store = await sqlite.open_store(sqlite.Options(None, ThreadExecutor), ids.new(clock.now()), clock.now())
    try:
        bodies = [api_keys.body_of(api_keys.key_id(ids.new(clock.now())), draw(32)) for _ in range(KEYS)]
        async with store.transaction() as tx:
            revision = await tx.next_access_revision()
            await tx.write(Changes(access=[_key(body, revision, clock) for body in bodies]))
        book = AccessBook(store, None)
        await book.refresh()
        ring = Keyring(book, PEPPER, clock, KeyUses(store))
        guard = Guard(book, clock, Patience(30, 60 * SECOND, 60 * SECOND), metrics)
        known = (ApiKeyAuthenticator(ring),)
        identity = Identity(known, OpenStreams(known, guard.admits), guard)
        yield Place(ring, identity, *_shown(bodies, ids, clock))
    finally:
        await store.close()


def _key(body: str, revision: int, clock: SteadyClock) -> ApiKey:
    id_, digest, name = body.split("_")[1], api_keys.digest(PEPPER, body), api_keys.name_of_pepper(PEPPER)
    roles = ("producer",)
    return ApiKey(id_, DEFAULT, "", f"key:{id_}", roles, EVERYWHERE, "", name, digest, clock.now(), "bench", revision)


def _shown(bodies: Sequence[str], ids: Uuid7, clock: SteadyClock) -> tuple[list[str], ...]:
    """Good keys, wrong secrets of known ids, keys of ids that nobody has, and what is no key at all."""
    good = [api_keys.text_of(body) for body in bodies]
    wrong = [api_keys.text_of(api_keys.body_of(body.split("_")[1], draw(32))) for body in bodies]
    strange = [api_keys.text_of(api_keys.body_of(api_keys.key_id(ids.new(clock.now())), draw(32))) for _ in bodies]
    return good, wrong, strange, [text[:-1] + "z" for text in good]
