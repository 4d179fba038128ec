"""Parcels in the hand of a process: which row is claimed next, and when a parcel is done."""

from llm_incident_manager.pipeline.buses import DatabaseBus
from llm_incident_manager.pipeline.hand import Hand
from llm_incident_manager.ports.bus import Parcel
from llm_incident_manager.ports.changes import NOTIFY, ROUTED
from tests.support.builders import make_incident, make_work
from tests.support.steps import later
from tests.support.world import World


def parcel(entry: str, *rows: str) -> Parcel:
    """Rows named by their lane and a number."""
    return Parcel(NOTIFY, ("stream", entry), tuple((name, name[0]) for name in rows))


def test_of_each_lane_the_first_is_picked_and_the_others_wait_in_order() -> None:
    hand = Hand()
    hand.add([parcel("1", "a1", "b1", "a2"), parcel("2", "a3", "c1")])
    assert hand.pick(10) == ["a1", "b1", "c1"]
    assert hand.pick(10) == ["a2"]
    assert hand.pick(10) == ["a3"]
    assert hand.pick(10) == []


def test_no_more_are_picked_than_asked_for() -> None:
    hand = Hand()
    hand.add([parcel("1", "a1", "b1", "c1")])
    assert hand.pick(2) == ["a1", "b1"]
    assert len(hand) == 1
    assert hand.pick(2) == ["c1"]


def test_a_parcel_is_done_with_its_last_row() -> None:
    hand = Hand()
    one, two = parcel("1", "a1", "b1"), parcel("2", "a2")
    hand.add([one, two])
    assert hand.finish(["a1"]) == []
    assert hand.finish(["a2", "nobody's"]) == [two]
    assert hand.finish(["b1"]) == [one]
    assert hand.finish(["b1"]) == []


def test_a_parcel_that_comes_again_while_it_is_in_hand_is_no_second_one() -> None:
    hand = Hand()
    hand.add([parcel("1", "a1")])
    hand.add([parcel("1", "a1")])
    assert hand.pick(10) == ["a1"]
    assert hand.pick(10) == []


def test_an_empty_parcel_is_done_with_whatever_is_done_next() -> None:
    hand = Hand()
    hand.add([parcel("1")])
    assert hand.finish([]) == [parcel("1")]


async def test_others_are_told_of_topics_that_nobody_here_takes(world: World) -> None:
    told: list[str] = []
    bus = DatabaseBus(world.store, told.extend)
    incident = make_incident()
    bus.publish([make_work(incident, topic=ROUTED), make_work(incident, topic=NOTIFY)])
    assert sorted(told) == [NOTIFY, ROUTED]
    told.clear()
    await bus.take(ROUTED, "me", later(0), later(60), 10)
    bus.publish([make_work(incident, topic=ROUTED), make_work(incident, topic=NOTIFY)])
    assert told == [NOTIFY]
