"""What happens on a day in a company whose products stand on language models. Invented from beginning to end.

Each story yields moments: seconds since the day began and the fields of an event. Same seed, same day.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]
Moment = tuple[float, Fields]
Story = Callable[[random.Random], Iterator[Moment]]

EDGE, SHIELD, SENTINEL, GOVERNANCE = "llm-edge-agent", "llm-shield", "llm-sentinel", "llm-governance-core"
SERVICES = ("support-bot", "search-answers", "code-review", "contract-reader")


def at(clock: str) -> float:
    """Seconds since midnight of HH:MM or HH:MM:SS."""
    hours, minutes, seconds = (clock + ":0:0").split(":")[:3]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _spread(rng: random.Random, start: str, end: str, count: int) -> list[float]:
    return sorted(rng.uniform(at(start), at(end)) for _ in range(count))


def provider_outage(rng: random.Random) -> Iterator[Moment]:
    """02:10: a provider fails in one region; every service retries, one of them has nothing to fall back on."""
    for when in _spread(rng, "02:10", "03:30", 240):
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
    for when in _spread(rng, "21:05", "22:10", 70):
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
    for when in _spread(rng, "07:05", "09:50", 36):
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
    for when in _spread(rng, "07:20", "12:00", 18):
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
    for start, end, count in (("08:30", "09:10", 45), ("11:40", "12:20", 40)):
        for when in _spread(rng, start, end, count):
            seconds = round(rng.uniform(5.1, 9.4), 1)
            yield (
                when,
                {
                    "source": SENTINEL,
                    "title": f"p95 latency {seconds} s, objective 4 s",
                    "kind": "latency_slo",
                    "severity": "high",
                    "service": "search-answers",
                    "environment": "production",
                    "provider": "openai",
                    "model_requested": "gpt-4o-mini",
                    "metrics": {"latency_p95_seconds": seconds},
                },
            )


def injection_campaign(rng: random.Random) -> Iterator[Moment]:
    """09:45: somebody tries prompts on the support bot until one makes it call a tool."""
    attempt = {
        "source": SHIELD,
        "title": "instruction to ignore the system prompt",
        "kind": "prompt_injection.direct",
        "service": "support-bot",
        "application": "support-agent",
        "policy": "input-guard",
        "rule": "override-instructions",
    }
    for when in _spread(rng, "09:45", "10:30", 95):
        yield when, {**attempt, "severity": "low", "labels": {"client_asn": str(rng.choice((64501, 64502, 64511)))}}
    yield (
        at("10:12:07"),
        {
            **attempt,
            "severity": "low",
            "tool": "",
            "attributes": {"tool_executed": True},
            "description": "The prompt reached the agent through a retry without the guard; it called send_email.",
        },
    )
    for when in _spread(rng, "10:20", "10:50", 9):
        yield (
            when,
            {
                "source": SHIELD,
                "title": "hidden instruction in an attached document",
                "kind": "prompt_injection.indirect",
                "severity": "medium",
                "service": "contract-reader",
                "application": "contract-agent",
                "policy": "document-guard",
                "rule": "hidden-text",
            },
        )
    yield (
        at("10:41"),
        {
            "source": SHIELD,
            "title": "role-play prompt answered in full",
            "kind": "jailbreak",
            "severity": "medium",
            "service": "support-bot",
            "policy": "output-guard",
            "attributes": {"success_confirmed": True},
        },
    )


def leaked_data(rng: random.Random) -> Iterator[Moment]:
    """11:20: answers carry other customers' addresses."""
    users = 0
    for when in _spread(rng, "11:20", "11:55", 14):
        users += rng.randint(1, 40)
        yield (
            when,
            {
                "source": SHIELD,
                "title": "postal addresses in an answer",
                "kind": "sensitive_data_leak.pii",
                "severity": "critical",
                "service": "support-bot",
                "policy": "output-guard",
                "rule": "pii-address",
                "users_affected": users,
                "labels": {"direction": "output", "data_class": "contact"},
            },
        )
    yield (
        at("11:48"),
        {
            "source": SENTINEL,
            "title": "retrieval returned another tenant's documents",
            "kind": "retrieval_poisoning",
            "service": "support-bot",
            "attributes": {"cross_tenant": True},
            "labels": {"index": "support-articles"},
        },
    )


def cost_spike(rng: random.Random) -> Iterator[Moment]:
    """13:05: a loop between two agents burns tokens."""
    for when in _spread(rng, "13:05", "14:40", 80):
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


def guardrail_down(rng: random.Random) -> Iterator[Moment]:
    """15:30: the output guard does not answer and everything passes; it is back after twenty minutes."""
    named = {
        "source": SHIELD,
        "title": "output guard does not answer, requests pass unchecked",
        "kind": "guardrail_unavailable",
        "service": "support-bot",
        "policy": "output-guard",
        "deployment": "guard-eu-1",
    }
    for when in _spread(rng, "15:30", "15:50", 26):
        yield when, {**named, "severity": "P1", "error_class": "timeout"}
    yield at("15:52"), {**named, "action": "RESOLVE", "error_class": "timeout"}


def odd_producers(rng: random.Random) -> Iterator[Moment]:
    """Words nobody agreed on, repeats of the very same event, and a resolve with nothing to resolve."""
    for number, word in enumerate(("catastrophic", "purple", "sev-banana", "Error", "SEV3", "moderate")):
        yield (
            at("16:00") + number * 45,
            {
                "source": "nightly-evals",
                "title": "evaluation below its bar",
                "kind": "drift.quality",
                "severity": word,
                "service": rng.choice(SERVICES),
                "labels": {"suite": "regression"},
            },
        )
    same = {
        "source": "nightly-evals",
        "title": "evaluation run failed",
        "kind": "application.evaluation",
        "severity": "minor",
        "idempotency_key": "evals-4711",
    }
    for number in range(8):
        yield at("16:20") + number * 30, same
    yield at("16:40"), {"action": "RESOLVE", "source": "nightly-evals", "dedup_key": "nothing-open-here"}


def governance(rng: random.Random) -> Iterator[Moment]:
    """Deploys and prompt edits over the day, a control that fails, an agent that does more than it may."""
    changes = (
        "prompt support/answer@15",
        "prompt search/rank@3",
        "guard rules 2.8",
        "router weights",
        "agent tools 1.4",
    )
    for number, what in enumerate(changes):
        yield (
            at("07:45") + number * 7900,
            {
                "action": "CHANGE",
                "source": "deploys",
                "title": f"rolled out {what}",
                "kind": "deploy",
                "service": SERVICES[number % len(SERVICES)],
            },
        )
    for when in _spread(rng, "17:30", "18:10", 6):
        yield (
            when,
            {
                "source": GOVERNANCE,
                "title": "retention of prompts exceeds 30 days",
                "kind": "compliance_violation",
                "severity": "high",
                "policy": "retention",
                "rule": "prompts-30d",
                "service": "contract-reader",
            },
        )
    for when in _spread(rng, "19:00", "19:25", 11):
        yield (
            when,
            {
                "source": EDGE,
                "title": "agent called a tool outside its task",
                "kind": "excessive_agency",
                "severity": "high",
                "application": "review-agent",
                "tool": "merge_pull_request",
                "attributes": {"tool_executed": True},
            },
        )


def last_hour(rng: random.Random) -> Iterator[Moment]:
    """23:10: what is still open when the day ends."""
    for when in _spread(rng, "23:10", "23:58", 60):
        seconds = round(rng.uniform(6.0, 12.0), 1)
        yield (
            when,
            {
                "source": SENTINEL,
                "title": f"p95 latency {seconds} s, objective 4 s",
                "kind": "latency_slo",
                "severity": "high",
                "service": "support-bot",
                "environment": "production",
                "provider": "anthropic",
                "model_requested": "claude-sonnet-4-5",
                "metrics": {"latency_p95_seconds": seconds},
            },
        )
    for when in _spread(rng, "23:20", "23:55", 12):
        yield (
            when,
            {
                "source": SHIELD,
                "title": "toxic answer withheld",
                "kind": "toxicity",
                "severity": "low",
                "service": "support-bot",
                "policy": "output-guard",
                "rule": "toxicity",
            },
        )
    yield (
        at("23:31"),
        {
            "source": SHIELD,
            "title": "API key in an answer",
            "kind": "sensitive_data_leak.secret",
            "severity": "critical",
            "service": "code-review",
            "policy": "output-guard",
            "rule": "secrets",
        },
    )


STORIES: tuple[Story, ...] = (
    provider_outage,
    silent_model_change,
    slow_answers,
    injection_campaign,
    leaked_data,
    cost_spike,
    guardrail_down,
    odd_producers,
    governance,
    second_outage,
    last_hour,
)
