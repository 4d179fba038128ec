"""Which fingerprints go along when events leave an incident, and why. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.incident import FingerprintName


class Why(StrEnum):
    """Why a fingerprint went along or stayed."""

    ALL_EVENTS_LEFT = "all_events_left"
    EVENTS_REMAIN = "events_remain"
    EVENTS_UNKNOWN = "events_unknown"
    NEW = "new"


class Fate(NamedTuple):
    """Where later events with a fingerprint land: in the new incident when it moved."""

    name: FingerprintName
    moved: bool
    why: Why


def fates(
    held: Sequence[FingerprintName],
    counts: Mapping[FingerprintName, int | None],
    leaving: Mapping[FingerprintName, int],
    unknown: int,
) -> Sequence[Fate]:
    """What becomes of the fingerprints that leaving events had. `counts`: how many events each had, where that is
    known; `leaving`: how many of those leave; `unknown`: leaving events whose fingerprint nobody knows any more.

    One fingerprint always stays: an open incident without any would never see an event again.
    """
    found = [_fate(name, counts.get(name), leaving[name], unknown) for name in held if leaving.get(name)]
    if len([fate for fate in found if fate.moved]) == len(held):
        found[0] = Fate(found[0].name, moved=False, why=Why.EVENTS_REMAIN)
    return found


def _fate(name: FingerprintName, count: int | None, leaving: int, unknown: int) -> Fate:
    if count is not None and leaving >= count:
        return Fate(name, moved=True, why=Why.ALL_EVENTS_LEFT)
    doubt = count is None or leaving + unknown >= count
    return Fate(name, moved=False, why=Why.EVENTS_UNKNOWN if doubt else Why.EVENTS_REMAIN)
