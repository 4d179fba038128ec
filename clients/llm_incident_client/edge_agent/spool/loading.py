"""What was on the disk when a spool is opened: whole files, one that a crash cut off, and what a bad disk damaged."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from llm_incident_client.edge_agent.spool import records
from llm_incident_client.edge_agent.spool.lane import Lane
from llm_incident_client.edge_agent.spool.limits import Limits, Priority
from llm_incident_client.edge_agent.spool.segment import Segment
from llm_incident_client.edge_agent.spool.state import SpoolState


class Loaded(NamedTuple):
    """The lanes from the lowest priority to the highest, the state that fits them, and the bytes cut off at ends."""

    lanes: dict[Priority, Lane]
    state: SpoolState
    torn_bytes: int


def load_lanes(folder: Path, limits: Limits, known: SpoolState | None) -> Loaded:
    """Opens every file. Raises OSError, and UnknownFile for one that is none of ours."""
    state = known or SpoolState()
    for name in state.dropped_segments:
        (folder / name).unlink(missing_ok=True)
    state = replace(state, dropped_segments=())
    lanes = {priority: Lane(folder, priority, limits) for priority in Priority}
    torn = sum(_load(lane, state.settled, folder) for lane in lanes.values())
    for lane in lanes.values():
        state = _with_damage(lane, state)
        lane.rewind(state.settled)
    return Loaded(lanes, state, torn)


def _load(lane: Lane, settled: int, folder: Path) -> int:
    """Fills a lane; how many bytes were cut off."""
    torn = 0
    for path in sorted(folder.glob(f"{lane.priority.name.lower()}-*.seg")):
        data = path.read_bytes()
        head = records.decode_head(data)
        if head is None:
            if len(data) <= records.HEAD_BYTES:  # a crash came before anything was written behind it
                path.unlink()
            else:
                path.rename(path.with_suffix(".damaged"))
            torn += len(data)
            continue
        segment = Segment(path, head)
        waiting, cut = segment.load(data, settled)
        torn += cut
        lane.take_over(segment)
        lane.waiting += waiting
    return torn


def _with_damage(lane: Lane, state: SpoolState) -> SpoolState:
    """Only the newest file may be cut off by a crash; where another one is, events are lost that were on the disk."""
    present = {segment.path.name for segment in lane.segments}
    for segment, following in pairwise(lane.segments):
        lost = following.head.first_ordinal - segment.next_ordinal
        if segment.was_cut and lost > 0 and segment.path.name not in state.damaged_segments:
            state = replace(
                state,
                lost=state.lost + lost,
                sequence=None if segment.last_position < state.handed else state.sequence,
                damaged_segments=(*state.damaged_segments, segment.path.name),
            )
    others = {name for name in state.damaged_segments if not name.startswith(f"{lane.priority.name.lower()}-")}
    return replace(state, damaged_segments=tuple(name for name in state.damaged_segments if name in present | others))
