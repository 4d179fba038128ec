"""Incidents as a large installation has them after a year: few sources and states, many services, words and labels.

Always the same ones for the same count. Most are closed; what is rare (an open one, a P0, some services, kinds, words
and labels) is as rare as one in a hundred to one in some ten thousand.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from bench import words
from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident, Resolution, ResolutionMethod
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import DAY, HOUR, SECOND, Instant

TENANT = TenantId("default")
UNTIL = Instant(1_795_219_200_000_000)
"""2026-11-21T00:00:00Z: the newest is from just before."""
DAYS = 400

SOURCES = ("llm-sentinel", "llm-shield", "llm-edge-agent", "llm-governance-core", "prometheus", "synthetic-checks")
PROVIDERS = ("openai", "anthropic", "azure", "bedrock", "vertex", "mistral", "")
MODELS = tuple(f"{family}-{size}" for family in ("gpt", "claude", "gemini", "mistral", "llama") for size in "abcdef")
ENVIRONMENTS = ("production", "staging", "canary", "development")
REGIONS = ("eu-west", "us-east", "us-west", "ap-south", "sa-east")
KINDS = tuple(f"{thing}_{trouble}" for thing in words.THINGS[:8] for trouble in words.TROUBLES[:5])
SERVICES = tuple(f"{place}-{part}" for place in words.PLACES for part in ("api", "worker", "chat", "rag", "gateway"))
PEOPLE = tuple(f"{name}@example.com" for name in words.PLACES)
RARE_WORD = "cryptonymous"
RARE_LABEL = ("canary_cell", "zeta-7")
_STATES = (State.CLOSED, State.RESOLVED, State.NEW, State.ACKNOWLEDGED, State.IN_PROGRESS, State.ESCALATED)
_STATE_SHARES = (880, 100, 10, 5, 4, 1)


class _Weighted(NamedTuple):
    """Values of which the first are the most frequent."""

    values: Sequence[str]
    sums: Sequence[float]

    def draw(self, random: Random) -> str:
        """One of them."""
        return random.choices(self.values, cum_weights=self.sums)[0]


def _falling(values: Sequence[str]) -> _Weighted:
    return _Weighted(values, list(accumulate(1 / (rank + 1) for rank in range(len(values)))))


_KINDS, _SERVICES, _MODELS = _falling(KINDS), _falling(SERVICES), _falling(MODELS)
_SOURCES, _PROVIDERS, _ENVIRONMENTS = _falling(SOURCES), _falling(PROVIDERS), _falling(ENVIRONMENTS)


def incidents(count: int, seed: int = 1) -> Iterator[Incident]:
    """So many, oldest first."""
    random, day, number = Random(seed), -1, 0
    step = DAYS * DAY // count
    for index in range(count):
        at = Instant(UNTIL - DAYS * DAY + index * step)
        number = number + 1 if at // DAY == day else 1
        day = at // DAY
        yield _incident(random, index, at, f"INC-{_date(at)}-{number:05d}")


def _incident(random: Random, index: int, at: Instant, number: str) -> Incident:
    state = random.choices(_STATES, _STATE_SHARES)[0]
    severity = Severity(random.choices(range(5), (1, 9, 30, 40, 20))[0])
    kind = _KINDS.draw(random)
    ended = state in {State.CLOSED, State.RESOLVED}
    resolved = Instant(at + random.randrange(10 * 60, 40 * 3600) * SECOND) if ended else None
    seen = Instant(at + random.randrange(6 * HOUR))
    return Incident(
        id=IncidentId(_id(at, index)),
        tenant=TENANT,
        number=number,
        state=state,
        severity=severity,
        incident_type=IncidentType(list(IncidentType)[KINDS.index(kind) % 8]),
        kind=kind,
        source=_SOURCES.draw(random),
        title=_title(random, index),
        description=_description(random),
        fingerprint=Fingerprint(1, f"{random.getrandbits(128):032x}"),
        created_at=at,
        updated_at=resolved or seen,
        first_seen=at,
        last_seen=seen,
        labels=_labels(random, index),
        service=_SERVICES.draw(random),
        environment=_ENVIRONMENTS.draw(random),
        application=random.choice(words.PLACES),
        provider=_PROVIDERS.draw(random),
        model=_MODELS.draw(random),
        deployment=f"{random.choice(REGIONS)}-{random.randrange(20)}",
        assignees=(random.choice(PEOPLE),) if state is not State.NEW else (),
        route="default",
        event_count=1 + int(random.expovariate(0.1)),
        tokens=random.randrange(100_000),
        cost_usd=random.random() * 10,
        users_affected=random.randrange(500),
        recurred=random.random() < 0.05,
        resolution=None if resolved is None else Resolution("ann", ResolutionMethod.MANUAL, "", "overload", resolved),
        acknowledged_at=None if state is State.NEW else Instant(at + 300 * SECOND),
        resolved_at=resolved,
        closed_at=None if state is not State.CLOSED or resolved is None else Instant(resolved + DAY),
        revision=4 if ended else 1,
    )


def _id(at: Instant, index: int) -> str:
    return f"{at // 1000 >> 16:08x}-{at // 1000 % 65_536:04x}-7000-8000-{index:012x}"


def _date(at: Instant) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y%m%d")


def _title(random: Random, index: int) -> str:
    parts = [random.choice(part) for part in (words.QUALITIES, words.THINGS, words.TROUBLES, words.PLACES)]
    if index % 20_011 == 7:
        parts.append(RARE_WORD)
    return f"{parts[0].capitalize()} {' '.join(parts[1:])} above {random.randrange(100)} percent"


def _description(random: Random) -> str:
    said = " ".join(random.choice(part) for part in (words.THINGS, words.TROUBLES, words.PLACES) * 4)
    return f"The monitor reports {said}. See request {random.getrandbits(32):08x} of host node-{random.randrange(500)}."


def _labels(random: Random, index: int) -> dict[str, str]:
    found = {
        "region": random.choice(REGIONS),
        "team": random.choice(words.PLACES),
        "build": f"{random.randrange(3_000)}",
    }
    if index % 10_007 == 3:
        found[RARE_LABEL[0]] = RARE_LABEL[1]
    return found


def records_rows(count: int, pack: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  # as each driver stores ids
    """Rows of the table `incident`."""
    from llm_incident_manager.adapters.sql import records

    return (records.incident_row(incident, pack) for incident in incidents(count))
