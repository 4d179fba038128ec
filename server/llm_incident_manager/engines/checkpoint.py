"""Decides when a tenant's audit trail needs a new checkpoint, and whether the trail has lost what was signed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.audit_chain import Head
from llm_incident_manager.domain.time import Instant


class Why(StrEnum):
    """Why a checkpoint is made, or not yet."""

    FIRST = "first"
    MANY = "many"
    TIME = "time"
    NOTHING_NEW = "nothing_new"
    SOON = "soon"


class Policy(NamedTuple):
    """After so many new records, or so many microseconds when there is any."""

    records: int
    age: int


class Decision(NamedTuple):
    """Whether to make one now."""

    now: bool
    why: Why


class Lost(NamedTuple):
    """A chain that does not reach where it was seen to end, or that is another one there."""

    writer: str
    sequence: int


def decide(new: int, last: Instant | None, now: Instant, policy: Policy) -> Decision:
    """`new` records are not in the checkpoint made at `last`."""
    if not new:
        return Decision(now=False, why=Why.NOTHING_NEW)
    if last is None:
        return Decision(now=True, why=Why.FIRST)
    if new >= policy.records:
        return Decision(now=True, why=Why.MANY)
    return Decision(now=True, why=Why.TIME) if now - last >= policy.age else Decision(now=False, why=Why.SOON)


def lost(known: Mapping[str, Head], heads: Mapping[str, Head]) -> Lost | None:
    """What was there once and is not any more: nobody takes records away but retention, which says so before."""
    for writer, head in sorted(known.items()):
        found = heads.get(writer)
        if found is None or found.sequence < head.sequence:
            return Lost(writer, 1 if found is None else found.sequence + 1)
        if found.sequence == head.sequence and found.hash != head.hash:
            return Lost(writer, head.sequence)
    return None
