"""What a spool may hold, what matters more when it is full, and how it says that it cannot go on."""

from dataclasses import dataclass
from enum import IntEnum

MIB = 1024 * 1024
_PARTS = 16  # segments that a full spool consists of: what is given up at once is about this fraction


class Priority(IntEnum):
    """What a full spool keeps: it gives up the oldest events of the lowest priority first."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


class SpoolFull(Exception):
    """There is no room, and nothing of the same or a lower priority that could be given up. The event was counted."""


class SpoolBroken(Exception):
    """The disk refused what cannot be taken back, for instance fsync. Nothing more is accepted: end the process."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a spool holds, on disk in bytes and in events that wait. One event more than fits is never written."""

    max_bytes: int = 1024 * MIB
    max_events: int = 5_000_000

    def __post_init__(self) -> None:
        """Refuses bounds that hold nothing."""
        if self.max_bytes < 64 * 1024:
            raise ValueError(f"spool.max_bytes is {self.max_bytes}: 65536 is the least")
        if self.max_events < 16:
            raise ValueError(f"spool.max_events is {self.max_events}: 16 is the least")

    @property
    def segment_bytes(self) -> int:
        """When a file is full."""
        return min(8 * MIB, self.max_bytes // _PARTS)

    @property
    def segment_events(self) -> int:
        """When a file has enough events."""
        return max(1, self.max_events // _PARTS)
