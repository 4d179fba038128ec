"""Who stops at the doors first: every method's priority, places that are waited for, and the number of subscribers."""

import asyncio
from dataclasses import replace

import pytest

from llm_incident_manager.domain.errors import Overloaded
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.admission import QUEUE, Door, Places, is_subscription, priority
from llm_incident_manager.usecases.sending import OWN_BYTES, TRANSPORT_BYTES

METHODS = {method.name: method for method in methods.all_methods()}
PLACES = Places(calls=10, subscribers=2, reserve=0.2, reads=2, writes=1)
SHARE = OWN_BYTES + TRANSPORT_BYTES


def door(*, strained: bool = False) -> Door:
    return Door(PLACES, Metrics("test"), lambda: strained, lambda: 0.0)


def named(urgency: Priority) -> set[str]:
    return {name for name, method in METHODS.items() if not is_subscription(method) and priority(method) is urgency}


def test_every_list_and_figure_can_wait_and_whatever_people_do_cannot() -> None:
    assert named(Priority.DEFERRABLE) == {
        name for name in METHODS if name.startswith(("List", "Explain", "Analyze")) or name == "GetIncidentMetrics"
    }
    assert named(Priority.URGENT) == {"SubmitEvent", "SubmitAlert", "SubmitEvents"} | {
        name for name, method in METHODS.items() if method.permission == "INCIDENT_WRITE"
    }
    assert {name for name, method in METHODS.items() if is_subscription(method)} == {
        "ExportAudit",
        "ExportTenant",
        "StreamIncidents",
        "WatchIncidents",
    }


async def test_calls_are_refused_in_the_order_of_their_priority_and_places_come_free() -> None:
    full, refused = door(), list[str]()
    for _ in range(10):
        for name in ("ListIncidents", "GetIncident", "Acknowledge"):
            try:
                full.enter(priority(METHODS[name]))
            except Overloaded as error:
                refused.append(f"{name}: {error.metadata['cause']}")
            else:
                full.leave()
        full.enter(Priority.URGENT)
    assert refused.count("ListIncidents: calls") == 4
    assert refused.count("GetIncident: calls") == 2
    assert "Acknowledge: calls" not in refused
    with pytest.raises(Overloaded):
        full.enter(Priority.URGENT)
    full.leave()
    full.enter(Priority.URGENT)


def test_there_are_so_many_subscribers_and_no_more() -> None:
    full = door()
    with full.subscriber():
        with full.subscriber(), pytest.raises(Overloaded, match="number of subscribers is full") as refused:
            full.subscriber().__enter__()
        assert refused.value.retry_after == 10
        with full.subscriber():
            pass


def test_what_a_subscriber_has_not_taken_keeps_its_room_after_it_was_cut_off() -> None:
    metrics = Metrics("test")
    full = Door(replace(PLACES, sending=2 * SHARE - 1), metrics, lambda: False, lambda: 0.0)
    with full.subscriber() as share:
        pass
    with pytest.raises(Overloaded, match="memory for what is being sent") as refused:
        full.subscriber().__enter__()
    assert refused.value.metadata["cause"] == "sending"
    assert refused.value.retry_after == 10
    assert 'reason="sending"' in metrics.page().body.decode()
    share.close()
    with full.subscriber():
        pass


async def test_reads_wait_for_a_place_but_not_many_of_them() -> None:
    busy, release, at_work = door(), asyncio.Event(), list[int]()

    async def read(number: int) -> None:
        async with busy.read():
            at_work.append(number)
            await release.wait()

    reads = [asyncio.create_task(read(number)) for number in range(PLACES.reads * (QUEUE + 1) + 1)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert at_work == [0, 1]
    assert isinstance(reads[-1].exception(), Overloaded)
    release.set()
    await asyncio.gather(*reads[:-1])
    assert len(at_work) == len(reads) - 1


async def test_under_strain_reads_stand_back_at_once() -> None:
    strained = door(strained=True)
    async with strained.read():
        with pytest.raises(Overloaded, match="lists and searches"):
            async with strained.read():
                raise AssertionError("it was let in")
