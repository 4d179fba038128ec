"""What a spool remembers beside its events: how far they are acknowledged, and what became of all others."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from llm_incident_client.edge_agent import disk

_NAME = "state.json"


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What is changed together is saved together: an acknowledged event, its sequence number, the counts of results.

    `sequence` is None while the manager has not told from where to count. `handed` is the highest position that may
    have been sent: nothing up to it is given up, since the numbers of a stream follow from the order of what is kept.
    `told` is how many of the events that were given up have been reported.
    """

    settled: int = 0
    sequence: int | None = None
    handed: int = 0
    results: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    told: int = 0
    dropped_segments: tuple[str, ...] = ()
    damaged_segments: tuple[str, ...] = ()

    @property
    def given_up(self) -> int:
        """Events that were accepted or offered and will never be sent."""
        return sum(self.dropped.values()) + sum(self.refused.values()) + self.lost


def added(counts: Mapping[str, int], name: str, number: int) -> Mapping[str, int]:
    """The counts with more of one kind."""
    return {**counts, name: counts.get(name, 0) + number}


def load(folder: Path) -> SpoolState | None:
    """What was saved; None when nothing was, or when it cannot be read any more."""
    try:
        stored = json.loads((folder / _NAME).read_text("utf-8"))
        for name in ("dropped_segments", "damaged_segments"):
            stored[name] = tuple(stored[name])
        return SpoolState(**stored)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def save(folder: Path, state: SpoolState) -> None:
    """Makes it durable. Raises OSError."""
    disk.replace(folder / _NAME, json.dumps(asdict(state), indent=1).encode())
