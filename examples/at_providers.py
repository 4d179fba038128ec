"""What providers and their models do on the day: outages, silent changes, slowness, cost."""

import random
from collections.abc import Iterator
from typing import Any

from examples.moments import EDGE, SENTINEL, SERVICES, Moment, at, slow, spread


def provider_outage(rng: random.Random) -> Iterator[Moment]:
    """02:10: a provider fails in one region; every service retries, one of them has nothing to fall back on."""
    for when in spread(rng, "02:10", "03:30", 240):
        service = rng.choice(SERVICES)
        event: dict[str, Any] = {
            "source": EDGE,
            "title": f"openai answers 529 after {rng.randint(2, 6)} attempts",
            "kind": "provider_outage",
            "severity": rng.choice(("error", "critical", "high")),
            "service": service,
            "environment": "production",
            "provider": "openai",
            "model_requested": "gpt-4o",
            "region": "eu-west",
            "error_class": "overloaded",
            "input_tokens": rng.randint(200, 6000),
        }
        if service == "contract-reader":
            event["attributes"] = {"no_fallback": True}
        yield when, event
    for number, service in enumerate(SERVICES):
        yield (
            at("03:41") + number * 20,
            {
                "action": "RESOLVE",
                "source": EDGE,
                "title": "openai answers 529 after 1 attempts",
                "kind": "provider_outage",
                "service": service,
                "environment": "production",
                "provider": "openai",
                "model_requested": "gpt-4o",
                "error_class": "overloaded",
            },
        )


def second_outage(rng: random.Random) -> Iterator[Moment]:
    """21:05: another provider limits the rate. Its producer names the problem itself, and says when it is over."""
    named = {"source": EDGE, "dedup_key": "anthropic/rate-limit/eu", "provider": "anthropic", "kind": "rate_limit"}
    for when in spread(rng, "21:05", "22:10", 70):
        yield (
            when,
            {
                **named,
                "title": "anthropic limits requests a minute",
                "severity": "SEV2",
                "service": rng.choice(SERVICES),
                "model_requested": "claude-sonnet-4-5",
                "error_class": "rate_limit",
                "metrics": {"rate_limit_hits": rng.randint(1, 40)},
            },
        )
    yield at("21:30"), {**named, "action": "ACKNOWLEDGE"}
    yield at("22:24"), {**named, "action": "RESOLVE"}
    yield at("22:25"), {**named, "action": "RESOLVE"}


def silent_model_change(rng: random.Random) -> Iterator[Moment]:
    """06:30: an alias points to another version without a word; quality drifts afterwards."""
    yield (
        at("06:30"),
        {
            "action": "CHANGE",
            "source": EDGE,
            "title": "alias gpt-4o now answers as gpt-4o-2024-11-20",
            "kind": "silent_model_change",
            "provider": "openai",
            "model_requested": "gpt-4o",
            "model_resolved": "gpt-4o-2024-11-20",
        },
    )
    yield from _drift(rng)


def _drift(rng: random.Random) -> Iterator[Moment]:
    for when in spread(rng, "07:05", "09:50", 36):
        yield (
            when,
            {
                "source": SENTINEL,
                "title": f"refusal rate {rng.randint(9, 17)} % against 3 % in the week before",
                "kind": "drift.refusal_rate",
                "severity": "warning",
                "service": "support-bot",
                "model_requested": "gpt-4o",
                "model_resolved": "gpt-4o-2024-11-20",
                "template": "support/answer@14",
                "metrics": {"refusal_rate": round(rng.uniform(0.09, 0.17), 3)},
            },
        )
    for when in spread(rng, "07:20", "12:00", 18):
        yield (
            when,
            {
                "source": SENTINEL,
                "title": "answers are less grounded than the baseline",
                "kind": "hallucination",
                "severity": "medium",
                "service": "search-answers",
                "model_resolved": "gpt-4o-2024-11-20",
                "metrics": {"groundedness": round(rng.uniform(0.71, 0.79), 3)},
            },
        )


def slow_answers(rng: random.Random) -> Iterator[Moment]:
    """Twice over the objective: in the morning, and again after a pause, which makes it a recurrence."""
    where = {"service": "search-answers", "provider": "openai", "model_requested": "gpt-4o-mini"}
    yield from slow(rng, "08:30", "09:10", 45, (5.1, 9.4), where)
    yield from slow(rng, "11:40", "12:20", 40, (5.1, 9.4), where)


def cost_spike(rng: random.Random) -> Iterator[Moment]:
    """13:05: a loop between two agents burns tokens."""
    for when in spread(rng, "13:05", "14:40", 80):
        tokens = rng.randint(40_000, 120_000)
        yield (
            when,
            {
                "source": EDGE,
                "title": f"{tokens} tokens in one conversation",
                "kind": "unbounded_consumption.cost",
                "severity": "warning",
                "service": "code-review",
                "application": "review-agent",
                "model_requested": "claude-opus-4-1",
                "provider": "anthropic",
                "input_tokens": tokens,
                "output_tokens": tokens // 9,
                "cost_usd": round(tokens * 0.000021, 2),
                "metrics": {"cost_ratio": round(rng.uniform(1.6, 4.8), 2)},
            },
        )
