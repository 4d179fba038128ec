"""How work is spread over shards: all of a lane in one, and about the same number of them for each process."""

from collections.abc import Collection
from zlib import crc32


def shard_of(lane: str, shards: int) -> int:
    """The shard of a lane; the same in every process and release."""
    return crc32(lane.encode()) % shards


def share(shards: int, members: int) -> int:
    """How many shards one of so many processes may hold: together they hold all, even if some hold fewer."""
    return -(-shards // max(1, members))


def surplus(held: Collection[int], allowed: int) -> list[int]:
    """Which of the shards held are to be given up; those that stay are the same next time."""
    return sorted(held)[allowed:]


def vacancies(held: Collection[int], shards: int, allowed: int, start: int) -> list[int]:
    """Shards to try for, one after the other until `allowed` are held; `start` lets processes begin at different
    ones."""
    if len(held) >= allowed:
        return []
    return [shard for shard in ((start + n) % shards for n in range(shards)) if shard not in held]
