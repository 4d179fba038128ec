"""What happens on a day in a company whose products stand on language models. Invented from beginning to end."""

import random
from collections.abc import Iterator

from examples import at_providers, attacks
from examples.moments import EDGE, GOVERNANCE, SERVICES, SHIELD, Moment, Story, at, repeated, slow


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
    yield from repeated(
        rng,
        "17:30",
        "18:10",
        6,
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
    yield from repeated(
        rng,
        "19:00",
        "19:25",
        11,
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
    where = {"service": "support-bot", "provider": "anthropic", "model_requested": "claude-sonnet-4-5"}
    yield from slow(rng, "23:10", "23:58", 60, (6.0, 12.0), where)
    yield from repeated(
        rng,
        "23:20",
        "23:55",
        12,
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
    at_providers.provider_outage,
    at_providers.silent_model_change,
    at_providers.slow_answers,
    attacks.injection_campaign,
    attacks.leaked_data,
    at_providers.cost_spike,
    attacks.guardrail_down,
    odd_producers,
    governance,
    at_providers.second_outage,
    last_hour,
)
