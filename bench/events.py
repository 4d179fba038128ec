"""Makes the events that are sent: realistic, about 300 bytes, the same in each run. Knows how gRPC and REST write them.

An event is a base, which is serialised once and used often, and a title and key of its own, which are appended: so half
a million events are ready in a few seconds. Titles of different problems differ in words, as numbers are normalised.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from math import prod
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from incidentmanager.v1 import event_pb2

from bench import wire, words

POOL = 200
"""Open incidents that the repeats of a storm join."""

_BASES = 16
_TITLE_FIELD, _KEY_FIELD = 3, 9

_KINDS = (
    ("llm-sentinel", "provider_outage", "critical", "error_rate"),
    ("llm-sentinel", "provider_outage.rate_limit", "high", "error_rate"),
    ("llm-sentinel", "provider_outage.latency_slo", "medium", "latency_p95_seconds"),
    ("llm-sentinel", "drift.quality", "warning", "accuracy"),
    ("llm-sentinel", "hallucination", "medium", "hallucination_rate"),
    ("llm-shield", "prompt_injection.direct", "high", "score"),
    ("llm-shield", "jailbreak", "P2", "score"),
    ("llm-shield", "sensitive_data_leak.pii", "critical", "score"),
    ("edge-agent", "unbounded_consumption.cost", "low", "cost_ratio"),
    ("edge-agent", "toxicity", "SEV3", "toxicity_rate"),
    ("governance-core", "compliance_violation", "major", "findings"),
    ("governance-core", "guardrail_unavailable", "info", "findings"),
)
_MODELS = (
    ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("anthropic", "claude-sonnet", "claude-sonnet-4-20250514"),
    ("google", "gemini-pro", "gemini-2.5-pro"),
    ("mistral", "mistral-large", "mistral-large-2411"),
)
_SERVICES = ("chat-gateway", "support-bot", "search-answers", "code-review", "contract-reader", "triage-desk")
_REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-southeast-1")
_TEAMS = ("platform", "trust-and-safety", "assistants", "search", "finance-ai")

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mix:
    """Which events: each `new_every`-th has a problem of its own, the others repeat one of the pool's."""

    new_every: int
    keys: bool = False


def phrase(number: int) -> str:
    """Words that no other number below three million has; neighbours differ in most of them."""
    choices = (words.QUALITIES, words.THINGS, words.TROUBLES, words.PLACES)
    left = number * 7_919 % prod(map(len, choices))
    chosen = []
    for some in choices:
        left, which = divmod(left, len(some))
        chosen.append(some[which])
    quality, thing, trouble, place = chosen
    return f"{quality.capitalize()} {thing} {trouble} in {place}"


def as_proto(mix: Mix) -> Iterator[bytes]:
    """Endless serialised Event messages."""
    return _events(mix, _proto_base, _proto_event)


def as_json(mix: Mix) -> Iterator[bytes]:
    """The same events as JSON objects."""
    return _events(mix, _json_base, _json_event)


def _events(mix: Mix, encode: Callable[[Fields], bytes], finish: Callable[[bytes, str, str], bytes]) -> Iterator[bytes]:
    make = random.Random(7)
    bases = [[encode(_fields(problem, make)) for _ in range(_BASES)] for problem in range(POOL)]
    titles = [phrase(problem) for problem in range(POOL)]
    for number in count(1):
        problem = make.randrange(POOL)
        base = bases[problem][make.randrange(_BASES)]
        if number % mix.new_every == 0:
            title = phrase(POOL + number)
        elif problem % 2:
            title = titles[problem]
        else:  # the number is normalised, so these belong together, too
            title = f"{titles[problem]} after {make.randrange(100, 10_000)} ms"
        yield finish(base, title, f"{make.getrandbits(128):032x}" if mix.keys else "")


def _fields(problem: int, make: random.Random) -> dict[str, Any]:
    source, kind, severity, metric = _KINDS[problem % len(_KINDS)]
    provider, requested, resolved = _MODELS[problem % len(_MODELS)]
    service, region = _SERVICES[problem % len(_SERVICES)], _REGIONS[problem % len(_REGIONS)]
    return {
        "source": source,
        "kind": kind,
        "severity": severity,
        "description": f"Seen {make.randrange(2, 500)} times in 60 s by detector {make.randrange(10, 99)}",
        "event_time": _moment(make),
        "provider": provider,
        "model_requested": requested,
        "model_resolved": resolved,
        "service": service,
        "region": region,
        "environment": "production",
        "labels": {"team": _TEAMS[problem % len(_TEAMS)], "cluster": f"{region}-a", "release": "stable"},
        "metrics": {metric: round(make.random(), 3)},
        "input_tokens": make.randrange(100, 8_000),
        "output_tokens": make.randrange(10, 2_000),
        "cost_usd": round(make.random() / 10, 4),
    }


def _moment(make: random.Random) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5 * make.random())


def _proto_base(fields: Fields) -> bytes:
    moment = Timestamp()
    moment.FromDatetime(fields["event_time"])
    return event_pb2.Event(**{**fields, "event_time": moment}).SerializeToString()


def _proto_event(base: bytes, title: str, key: str) -> bytes:
    event = base + wire.content(_TITLE_FIELD, title.encode())
    return event + wire.content(_KEY_FIELD, key.encode()) if key else event


def _json_base(fields: Fields) -> bytes:
    moment = fields["event_time"].isoformat().replace("+00:00", "Z")
    return json.dumps({**fields, "event_time": moment}).encode()[:-1]


def _json_event(base: bytes, title: str, key: str) -> bytes:
    named = f', "idempotency_key": "{key}"' if key else ""
    return base + f', "title": "{title}"{named}}}'.encode()
