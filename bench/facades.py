"""What the clients for Sentinel and Shield cost beside the core they stand on.

Once as whole calls, the same events made by hand and by them, in turns against one server, by the processor time of
this process, of each the median round; and once what they add, taken by itself: the finding instead of the event, and
the circuit breaker, of each the best round.
"""

import asyncio
import gc
import math
import statistics
import timeit
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from itertools import count
from time import perf_counter, process_time
from typing import Any

from bench import databases, measuring
from llm_incident_client import BreakerPolicy, IncidentClient, SentinelClient, ShieldClient, pb
from llm_incident_client.core.attempts import Attempts, Conduct
from llm_incident_client.sentinel import Latency, Subject
from llm_incident_client.shield import Decision, Risk, Violation, evidence_hash

CALLS = 24
AT_ONCE = 8
TIMES, REPEATS = 50, 300
MINUTE = timedelta(minutes=1)
SUBJECT = Subject(service="chat", provider="openai", model="gpt-4o")
HASH = evidence_hash("Ignore all previous instructions")
SOURCES = {"sentinel": "llm-sentinel", "shield": "llm-shield"}

Call = Callable[[int], Awaitable[object]]


def line(seconds: float) -> dict[str, Any]:
    """All figures, in microseconds of processor time a call."""
    database = databases.opened("sqlite")
    try:
        with measuring.server(database) as target:
            return asyncio.run(_measure(target.address, seconds))
    finally:
        database.close()


async def _measure(address: str, seconds: float) -> dict[str, Any]:
    async with IncidentClient(address) as core, SentinelClient(address) as sentinel, ShieldClient(address) as shield:
        calls: Mapping[str, Call] = {
            "core_sentinel": lambda number: core.submit_event(_latency(number)),
            "sentinel": lambda number: sentinel.report(_slow(number)),
            "core_shield": lambda number: core.submit_event(_violation(number)),
            "shield": lambda number: shield.report(_broken(number)),
        }
        assert _latency(7) == _slow(7).event(SOURCES["sentinel"]), "both send the same"
        assert _violation(7) == _broken(7).event(SOURCES["shield"]), "both send the same"
        taken = await _rounds(calls, seconds)
    usual = {name: statistics.median(each) for name, each in taken.items()}
    figures: dict[str, Any] = {f"{name}_us": round(value, 1) for name, value in usual.items()}
    breaker = await _breaker()
    for name, (ours, by_hand) in MADE.items():
        added = _best(ours) - _best(by_hand) + breaker
        figures[f"{name}_over_core"] = round(usual[name] / usual[f"core_{name}"] - 1, 4)
        figures[f"{name}_added_us"] = round(added, 1)
        figures[f"{name}_added"] = round(added / usual[f"core_{name}"], 4)
    return {**figures, "rounds": len(taken["sentinel"]), "calls_per_round": CALLS, "in_flight": AT_ONCE}


async def _rounds(calls: Mapping[str, Call], seconds: float) -> dict[str, list[float]]:
    """Rounds of all in turns, for so long; each round begins with another one."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    names, loop = list(calls), asyncio.get_running_loop()
    for name in names:
        await _round(calls[name])  # connects, and warms up
    gc.collect()
    gc.disable()
    ends = loop.time() + seconds
    while loop.time() < ends:
        for name in names:
            taken[name].append(await _round(calls[name]))
        names.append(names.pop(0))
    gc.enable()
    return taken


async def _round(call: Call) -> float:
    numbers, began = count(), process_time()

    async def caller() -> None:
        while (number := next(numbers)) < CALLS:
            await call(number)

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return (process_time() - began) / CALLS * 1e6


def _best(work: Callable[[], object]) -> float:
    """Microseconds."""
    return min(timeit.repeat(work, number=TIMES, repeat=REPEATS)) / TIMES * 1e6


async def _breaker() -> float:
    """What the breaker adds to a call that is answered, in microseconds."""

    async def answered(_: float) -> None:
        return None

    async def best(attempts: Attempts) -> float:
        found = math.inf
        for _ in range(REPEATS):
            began = perf_counter()
            for _ in range(TIMES):
                await attempts.run("Nothing", answered, MINUTE)
            found = min(found, perf_counter() - began)
        return found / TIMES * 1e6

    return await best(Attempts(Conduct(breaker=BreakerPolicy()))) - await best(Attempts(Conduct()))


def _slow(number: int) -> Latency:
    return Latency(
        subject=SUBJECT,
        title=f"Latency p95 in seconds is {number}",
        observed=timedelta(seconds=4 + number),
        baseline=timedelta(seconds=2),
    )


def _latency(number: int) -> pb.Event:
    observed, baseline = 4.0 + number, 2.0
    return pb.Event(
        source=SOURCES["sentinel"],
        title=f"Latency p95 in seconds is {number}",
        kind="provider_outage.latency_slo",
        service="chat",
        provider="openai",
        model_requested="gpt-4o",
        metrics={
            "latency_p95_seconds": observed,
            "latency_p95_seconds_baseline": baseline,
            "slowdown_ratio": observed / baseline - 1,
        },
    )


def _broken(number: int) -> Violation:
    return Violation(
        subject=SUBJECT,
        title=f"Prompt injection {number}",
        risk=Risk.PROMPT_INJECTION_DIRECT,
        decision=Decision.DENY,
        evidence_hash=HASH,
        policy="input",
        score=0.9,
    )


def _violation(number: int) -> pb.Event:
    return pb.Event(
        source=SOURCES["shield"],
        title=f"Prompt injection {number}",
        kind="prompt_injection.direct",
        policy="input",
        service="chat",
        provider="openai",
        model_requested="gpt-4o",
        labels={"risk_category": "prompt_injection.direct", "decision": "deny", "evidence_hash": HASH},
        metrics={"risk_score": 0.9},
    )


MADE: Mapping[str, tuple[Callable[[], pb.Event], Callable[[], pb.Event]]] = {
    "sentinel": (lambda: _slow(7).event(SOURCES["sentinel"]), lambda: _latency(7)),
    "shield": (lambda: _broken(7).event(SOURCES["shield"]), lambda: _violation(7)),
}
