"""What retention knows of both databases: which tables tell about an incident, which audit chains are over."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from llm_incident_manager.domain.time import Instant

_APART = frozenset(
    {"event", "idempotency", "incident_change", "incident_key", "incident_key_released", "outbox", "incident"}
)
"""Tables that name incidents and have an end of their own: by age, by the day, with the work, or never."""

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def tables_of_incidents(found: Iterable[str]) -> tuple[str, ...]:
    """Those whose rows go with their incident, of all tables that name one; each has an index that begins with it."""
    return tuple(name for name in found if name not in _APART and _NAME.fullmatch(name))


class Chain(NamedTuple):
    """An audit chain and when its last record was written."""

    tenant: str
    writer: str
    last: Instant


def finished_chains(chains: Iterable[Chain], before: Instant, running: str) -> list[Chain]:
    """Chains of runs of a server that have written nothing since, oldest run first; never of the `running` one.

    A writer is called run/number. A run that has written anything later may still extend any of its chains.
    """
    known = list(chains)
    latest: dict[str, Instant] = {}
    for chain in known:
        run = _run(chain)
        latest[run] = max(latest.get(run, chain.last), chain.last)
    over = (chain for chain in known if latest[_run(chain)] < before and _run(chain) != running)
    return sorted(over, key=lambda chain: (chain.writer, chain.tenant))


def _run(chain: Chain) -> str:
    return chain.writer.partition("/")[0]
