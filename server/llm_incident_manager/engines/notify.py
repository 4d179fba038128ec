"""Decides what becomes of a notification after an attempt: sent, tried again and when, or given up and why."""

import hashlib
from dataclasses import dataclass

from llm_incident_manager.domain.time import SECOND, Instant


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again at `due_at`."""

    due_at: Instant


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt; the row is kept apart with the error."""

    why: str


Outcome = Sent | Again | GiveUp


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon: the n-th wait is base · 2ⁿ⁻¹ seconds, at most `longest`, then up to a quarter more."""

    max_attempts: int = 5
    base: float = 5.0
    longest: float = 3600.0


def dedup_key(incident_id: str, revision: int, reason: str) -> str:
    """The key under which repeats of one message are one: stable over crashes and retries."""
    return f"{incident_id}:{revision}:{reason}"


def decide(
    row_id: str,
    attempts: int,
    *,
    ok: bool,
    retryable: bool,
    retry_after: float | None,
    now: Instant,
    policy: RetryPolicy,
) -> Outcome:
    """What becomes of a row after `attempts` attempts (this one included). `retry_after` is the channel's own wish."""
    if ok:
        return Sent()
    if not retryable:
        return GiveUp("the channel refused it for good")
    if attempts >= policy.max_attempts:
        return GiveUp(f"{attempts} attempts failed")
    wait = min(policy.longest, policy.base * 2 ** (attempts - 1))
    if retry_after is not None:
        wait = max(wait, min(retry_after, policy.longest))
    return Again(Instant(now + int(wait * SECOND * (1 + _spread(row_id, attempts)))))


def _spread(row_id: str, attempts: int) -> float:
    """A share in [0, 0.25) that differs from row to row and is the same in every replay."""
    digest = hashlib.blake2b(f"{row_id}:{attempts}".encode(), digest_size=2).digest()
    return int.from_bytes(digest, "big") / 65536 / 4
