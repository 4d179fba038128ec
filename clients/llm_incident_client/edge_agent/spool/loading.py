"""What was on the disk when a spool is opened: whole files, one that a crash cut off, and what a bad disk damaged."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from llm_incident_client.edge_agent import disk
from llm_incident_client.edge_agent.spool import records, segment
from llm_incident_client.edge_agent.spool.lane import Lane
from llm_incident_client.edge_agent.spool.limits import Limits, Priority
from llm_incident_client.edge_agent.spool.state import SpoolState


class Loaded(NamedTuple):
    """The lanes from the lowest priority to the highest, the state that fits them, how many events that are not settled
    may have been sent, and the bytes cut off at ends."""

    lanes: dict[Priority, Lane]
    state: SpoolState
    sent: int
    torn_bytes: int


def load_lanes(folder: Path, limits: Limits, known: SpoolState | None) -> Loaded:
    """Opens every file. Raises OSError, and UnknownFile for one that is none of ours."""
    state = known or SpoolState()
    for name in state.dropped_segments:
        (folder / name).unlink(missing_ok=True)
    state = replace(state, dropped_segments=())
    lanes = {priority: Lane(folder, priority, limits) for priority in Priority}
    found = [_load(lane, state, folder) for lane in lanes.values()]
    for lane in lanes.values():
        state = _with_damage(lane, state)
        lane.rewind(state.settled)
    return Loaded(lanes, state, sum(one.sent for one in found), sum(one.torn for one in found))


def _load(lane: Lane, state: SpoolState, folder: Path) -> segment.Loaded:
    """Fills a lane with all its files."""
    sent = torn = 0
    for path in sorted(folder.glob(f"{lane.priority.name.lower()}-*.seg")):
        data = path.read_bytes()
        head = records.decode_head(data)
        if head is None:
            if len(data) <= records.HEAD_BYTES:  # a crash came before anything was written behind it
                path.unlink()
                torn += len(data)
                continue
            head = records.Head(lane.priority, int(path.stem.partition("-")[2]))  # its name says it as well
            data = records.encode_head(head) + data[records.HEAD_BYTES :]
            disk.replace(path, data)
        found = segment.Segment(path, head)
        loaded = found.load(data, state.settled, state.handed)
        lane.take_over(found)
        lane.waiting += loaded.waiting
        sent += loaded.sent
        torn += loaded.torn
    return segment.Loaded(lane.waiting, sent, torn)


def _with_damage(lane: Lane, state: SpoolState) -> SpoolState:
    """Only the newest file may be cut off by a crash; where another one is, events are lost that were on the disk."""
    present = {one.path.name for one in lane.segments}
    for one, following in pairwise(lane.segments):
        lost = following.head.first_ordinal - one.next_ordinal
        if one.was_cut and lost > 0 and one.path.name not in state.damaged_segments:
            state = replace(
                state,
                lost=state.lost + lost,
                sequence=None if one.last_position < state.handed else state.sequence,
                damaged_segments=(*state.damaged_segments, one.path.name),
            )
    others = {name for name in state.damaged_segments if not name.startswith(f"{lane.priority.name.lower()}-")}
    return replace(state, damaged_segments=tuple(name for name in state.damaged_segments if name in present | others))
