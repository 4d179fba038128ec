"""The parcels a process has received of a topic and not finished with: which rows to claim next, and what is done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from llm_incident_manager.ports.bus import Parcel

_Waiting = tuple[str, str, tuple[str, str]]


@dataclass(slots=True)
class Hand:
    """Rows wait in the order in which they came. A parcel is done when each of its rows was handled or given up here;
    what is given up the database still has."""

    _waiting: list[_Waiting] = field(default_factory=list)
    _open: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _parcels: dict[tuple[str, str], Parcel] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many rows wait."""
        return len(self._waiting)

    def add(self, parcels: Sequence[Parcel]) -> None:
        """Takes parcels. One that it has already is not taken twice."""
        for parcel in parcels:
            if parcel.place not in self._parcels:
                self._parcels[parcel.place] = parcel
                self._open[parcel.place] = {id_ for id_, _ in parcel.rows}
                self._waiting += [(id_, lane, parcel.place) for id_, lane in parcel.rows]

    def pick(self, most: int) -> list[str]:
        """The next rows to claim: the first of each lane, as no other of it could be claimed. They wait no longer."""
        picked: dict[str, str] = {}
        left: list[_Waiting] = []
        for waiting in self._waiting:
            id_, lane, _ = waiting
            if lane in picked or len(picked) >= most:
                left.append(waiting)
            else:
                picked[lane] = id_
        self._waiting = left
        return list(picked.values())

    def finish(self, ids: Collection[str]) -> list[Parcel]:
        """These rows are handled or given up; returns the parcels that are done with that."""
        done: list[Parcel] = []
        for place, rows in list(self._open.items()):
            rows.difference_update(ids)
            if not rows:
                del self._open[place]
                done.append(self._parcels.pop(place))
        return done
