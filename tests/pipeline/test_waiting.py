"""What goes into the next batch: tenants in turn, what is urgent first, and every producer's frames as it sent them."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.pipeline.batch import ProducerClaim, Submission
from llm_incident_manager.pipeline.waiting import QUANTUM, Turns, Waiting
from llm_incident_manager.ports.changes import ProducerKey
from tests.support.builders import NOW, make_event

EVENT = make_event()


def one(tenant: str = "a", events: int = 1, *, urgent: bool = False, stream: str = "", first: int = 1) -> Submission:
    """A submission; of a stream when that has a name."""
    name = TenantId(tenant)
    key = ProducerKey(name, "dev", stream)
    claim = ProducerClaim(key, 1, range(first, first + events), first, first + events - 1) if stream else None
    priority = Priority.URGENT if urgent else Priority.NORMAL
    return Submission(name, "dev", (EVENT,) * events, NOW, producer=claim, priority=priority)


def waiting(*submissions: Submission) -> Turns:
    """They wait, in this order."""
    turns, loop = Turns(), asyncio.new_event_loop()
    for submission in submissions:
        turns.add((submission, loop.create_future()))
    loop.close()
    return turns


def given_out(turns: Turns, most: int = 10**9) -> list[Submission]:
    """What the next batch of so many events gets."""
    taken: list[Submission] = []

    def takes(found: Waiting) -> bool:
        fits = sum(len(each.events) for each in taken) + len(found[0].events) <= most
        if fits:
            taken.append(found[0])
        return fits

    turns.fill(takes)
    return taken


def test_tenants_take_turns_however_much_one_of_them_has() -> None:
    flood = [one("flood", QUANTUM) for _ in range(20)]
    others = [one("b"), one("c", 3)]
    turns = waiting(*flood, *others)
    assert given_out(turns, 4 * QUANTUM) == [flood[0], *others, *flood[1:3]]
    assert given_out(turns) == flood[3:]
    assert (turns.waits, turns.events) == (False, 0)


def test_two_floods_share_a_batch_by_events_not_by_submissions() -> None:
    turns = waiting(*[one("large", 100) for _ in range(50)], *[one("small") for _ in range(5_000)])
    shares = [given_out(turns, 1_000) for _ in range(4)]
    large = sum(len(each.events) for batch in shares for each in batch if each.tenant == "large")
    assert large == pytest.approx(2_000, abs=QUANTUM)


def test_a_submission_that_is_larger_than_a_turn_gets_its_turn() -> None:
    large = one("large", 3 * QUANTUM)
    turns = waiting(large, *[one("small", QUANTUM) for _ in range(10)])
    assert large in given_out(turns, 8 * QUANTUM)


def test_what_is_urgent_goes_before_what_its_tenant_sent_earlier() -> None:
    first, later, urgent = one(), one(), one(urgent=True)
    assert given_out(waiting(first, later, urgent)) == [urgent, first, later]


def test_an_urgent_frame_takes_the_frames_of_its_stream_before_it_along() -> None:
    other, frames = one(), [one(stream="s", first=n, urgent=n == 3) for n in (1, 2, 3, 4)]
    assert given_out(waiting(other, *frames)) == [*frames[:3], other, frames[3]]


def test_so_does_one_of_a_connection_that_is_no_producer() -> None:
    connection, other = object(), one()
    own = [one(urgent=number == 1) for number in range(3)]
    for submission in own:
        submission.connection = connection
    assert given_out(waiting(other, *own)) == [*own[:2], other, own[2]]


def test_urgent_events_of_one_tenant_do_not_hold_up_another() -> None:
    flood, calm = [one("flood", QUANTUM, urgent=True) for _ in range(50)], one("calm")
    assert calm in given_out(waiting(*flood, calm), 3 * QUANTUM)


SENT = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y"]), st.booleans(), st.integers(1, 400)), max_size=40
)


@given(SENT, st.integers(400, 1_500), st.integers(0, 40))
def test_nothing_is_lost_and_each_stream_keeps_its_order(
    sent: list[tuple[str, str, bool, int]], batch: int, early: int
) -> None:
    submissions, at = [], dict[tuple[str, str], int]()
    for tenant, stream, urgent, events in sent:
        first = at.get((tenant, stream), 1)
        at[tenant, stream] = first + events
        submissions.append(one(tenant, events, urgent=urgent, stream=stream, first=first))
    turns, taken = waiting(*submissions[:early]), list[Submission]()
    taken += given_out(turns, batch)
    loop = asyncio.new_event_loop()
    for submission in submissions[early:]:
        turns.add((submission, loop.create_future()))
    loop.close()
    while turns.waits:
        taken += given_out(turns, batch)
    assert len(taken) == len(submissions)
    assert turns.events == 0
    for key in at:
        firsts = [
            s.producer.first_sequence for s in taken if s.producer and (s.tenant, s.producer.key.producer_id) == key
        ]
        assert firsts == sorted(firsts)
