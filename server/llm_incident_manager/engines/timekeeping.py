"""Decides what a difference between our clock and the one we go by means: nothing, drift, or that one was set."""

from dataclasses import dataclass

from llm_incident_manager.domain.time import SECOND

STEP = SECOND
"""No clock drifts so far between two looks: one of the two was set."""


@dataclass(frozen=True, slots=True)
class Keep:
    """They agree, as far as can be told."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Ours is to be slewed by so many microseconds."""

    by: int


@dataclass(frozen=True, slots=True)
class Step:
    """They are so many microseconds apart because one was set."""

    by: int


def decide(difference: int, uncertainty: int) -> Keep | Drift | Step:
    """What it means that the other clock is `difference` ahead, told to within `uncertainty`; both in microseconds."""
    if abs(difference) <= uncertainty:
        return Keep()
    return Drift(difference) if abs(difference) <= STEP + uncertainty else Step(difference)
