"""What Shield sees on the day: an injection campaign, leaked data, a guard that is down."""

import random
from collections.abc import Iterator

from examples.moments import SENTINEL, SHIELD, Moment, at, repeated, spread


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
    for when in spread(rng, "09:45", "10:30", 95):
        yield when, {**attempt, "severity": "low", "labels": {"client_asn": str(rng.choice((64501, 64502, 64511)))}}
    yield (
        at("10:12:07"),
        {
            **attempt,
            "severity": "low",
            "attributes": {"tool_executed": True},
            "description": "The prompt reached the agent through a retry without the guard; it called send_email.",
        },
    )
    yield from repeated(
        rng,
        "10:20",
        "10:50",
        9,
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
    for when in spread(rng, "11:20", "11:55", 14):
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
    for when in spread(rng, "15:30", "15:50", 26):
        yield when, {**named, "severity": "P1", "error_class": "timeout"}
    yield at("15:52"), {**named, "action": "RESOLVE", "error_class": "timeout"}
