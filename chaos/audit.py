"""Holds the log of acknowledgements against the store: lost, doubled, fingerprints open twice, and the ledger's sum."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaos.acks import Ack
from tests.support.books import Books
from tests.support.command import command


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found. `wrong` are broken promises beside the counts."""

    acked: int
    lost: int
    doubled: int
    wrong: Sequence[str]


async def audit(acks: Sequence[Ack], books: Books, env: Mapping[str, str]) -> Audit:
    """Compares. All that was sent must have been acknowledged by now, and nobody else may have sent anything."""
    kept = books.first_event_ids()
    ids = Counter(ack.event_id for ack in acks)
    lost = len(ids.keys() - kept) + sum(count - 1 for count in ids.values())  # two acks of one event: one is lost
    wrong = [*_of_fingerprints(books), *await _of_ledger(env)]
    return Audit(len(acks), lost, len(kept - ids.keys()), wrong)


def _of_fingerprints(books: Books) -> Sequence[str]:
    found = {
        "fingerprints with two open incidents": len(books.fingerprints_open_twice()),
        "open incidents without their key": books.open_without_key(),
        "keys of incidents that are over": books.keys_of_nothing_open(),
    }
    return [f"{number} {what}" for what, number in found.items() if number]


async def _of_ledger(env: Mapping[str, str]) -> Sequence[str]:
    done = await command("ledger", "check", "-o", "json", env=env)
    if done.code == 0:
        return []
    return [f"ledger check: {done.out[:500]}{done.err[:500]}"]
