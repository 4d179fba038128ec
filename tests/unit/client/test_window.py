"""The numbers of a stream under every order of sending, acknowledging, cutting and reopening."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from llm_incident_client.core.window import Opening, Overtaken, StreamConfused, Window


def opened_window(*payloads: bytes, last: int = 0, credits_given: int = 100) -> Window[str]:
    window: Window[str] = Window(100, 10_000)
    for payload in payloads:
        window.add(payload, payload.decode())
    window.opened(last, credits_given, 100)
    return window


def test_numbers_follow_the_servers_last_one() -> None:
    window = opened_window(b"a", b"b", last=41)
    frame = window.next_frame(10, 1000)
    assert frame is not None
    assert (frame.first_sequence, frame.payloads) == (42, [b"a", b"b"])


def test_a_frame_ends_where_the_events_bytes_or_credits_do() -> None:
    window = opened_window(b"12345", b"12345", b"12345", b"1", credits_given=3)
    sizes = [len(frame.payloads) for _ in range(3) if (frame := window.next_frame(2, 8)) is not None]
    assert sizes == [1, 1, 1]
    assert (window.in_flight, window.queued, window.queued_bytes) == (3, 1, 1)


def test_an_event_larger_than_a_frame_travels_alone() -> None:
    window = opened_window(b"x" * 50, b"y")
    frame = window.next_frame(10, 8)
    assert frame is not None
    assert frame.payloads == [b"x" * 50]


def test_after_a_cut_everything_unacknowledged_is_sent_again_even_below_the_servers_number() -> None:
    window = opened_window(b"a", b"b", b"c")
    window.next_frame(2, 1000)
    window.cut()
    assert window.opened(2, 100, 100) is Opening.RESUMED
    frame = window.next_frame(10, 1000)
    assert frame is not None
    assert (frame.first_sequence, frame.payloads) == (1, [b"a", b"b", b"c"])


def test_a_server_that_forgot_gets_the_rest_under_numbers_it_expects() -> None:
    window = opened_window(b"a", b"b", b"c")
    window.next_frame(1, 1000)
    assert window.acknowledged(1, ["ra"], 100) == [("a", "ra")]
    assert window.opened(0, 100, 100) is Opening.FORGOTTEN
    frame = window.next_frame(10, 1000)
    assert frame is not None
    assert (frame.first_sequence, frame.payloads) == (1, [b"b", b"c"])


def test_a_server_that_knows_more_than_was_sent_has_another_stream_of_this_producer() -> None:
    window = opened_window(b"a", b"b")
    window.next_frame(1, 1000)
    with pytest.raises(Overtaken, match="up to 2, this stream sent up to 1"):
        window.opened(2, 100, 100)


def test_an_acknowledgement_repeated_is_passed_over() -> None:
    window = opened_window(b"a", b"b")
    window.next_frame(2, 1000)
    assert window.acknowledged(1, ["ra"], 100) == [("a", "ra")]
    assert window.acknowledged(1, ["ra", "rb"], 100) == [("b", "rb")]
    assert window.acknowledged(1, ["ra"], 100) == []


def test_acknowledgements_with_a_gap_or_of_unsent_events_are_refused() -> None:
    window = opened_window(b"a", b"b")
    window.next_frame(1, 1000)
    with pytest.raises(StreamConfused, match="start at 2, 1 was next"):
        window.acknowledged(2, ["rb"], 100)
    with pytest.raises(StreamConfused, match="2 events acknowledged, only 1"):
        window.acknowledged(1, ["ra", "rb"], 100)


def test_room_is_bounded_by_events_and_by_bytes_but_one_event_always_fits() -> None:
    few: Window[int] = Window(2, 1000)
    small: Window[int] = Window(100, 10)
    assert small.has_room()
    small.add(b"x" * 50, 1)
    assert not small.has_room()
    for number in range(2):
        assert few.has_room()
        few.add(b"x", number)
    assert not few.has_room()


class StreamMachine(RuleBasedStateMachine):
    """A producer's window against a server that commits, acknowledges late, is cut, and may lose its memory."""

    @initialize()
    def start(self) -> None:
        self.window: Window[int] = Window(50, 10_000)
        self.added = 0
        self.results: dict[int, bytes] = {}
        self.committed: list[bytes] = []
        self.owed: list[tuple[int, list[bytes]]] = []
        self.credits = 0
        self.open = False
        self.acknowledged_to = 0

    @rule(count=st.integers(1, 20))
    def add(self, count: int) -> None:
        for _ in range(count):
            if self.window.has_room():
                self.window.add(b"%d" % self.added, self.added)
                self.added += 1

    @rule(credits_given=st.integers(0, 30), max_frame=st.integers(1, 10))
    def reopen(self, credits_given: int, max_frame: int) -> None:
        self.owed.clear()
        self.window.opened(len(self.committed), credits_given, max_frame)
        self.credits, self.open = credits_given, True

    @precondition(lambda self: self.open)
    @rule(events=st.integers(1, 12), size=st.integers(1, 30), arrives=st.booleans())
    def send(self, events: int, size: int, arrives: bool) -> None:
        frame = self.window.next_frame(events, size)
        assert self.window.in_flight <= max(self.credits, 0) or frame is None
        if frame is None:
            return
        assert len(frame.payloads) <= events
        assert len(frame.payloads) == 1 or sum(map(len, frame.payloads)) <= size
        if not arrives:
            self.cut()
            return
        self.commit(frame.first_sequence, frame.payloads)

    def commit(self, first: int, payloads: list[bytes]) -> None:
        assert first <= len(self.committed) + 1, "a gap"
        for number, payload in enumerate(payloads, first):
            if number > len(self.committed):
                self.committed.append(payload)
            assert self.committed[number - 1] == payload, "another event under the same number"
        self.owed.append((first, payloads))

    @precondition(lambda self: self.owed)
    @rule(part=st.integers(1, 10), credits_given=st.integers(0, 30))
    def acknowledge(self, part: int, credits_given: int) -> None:
        first, payloads = self.owed[0]
        taken, rest = payloads[:part], payloads[part:]
        self.owed[:1] = [(first + part, rest)] if rest else []
        for ticket, result in self.window.acknowledged(first, taken, credits_given):
            assert ticket not in self.results, "resolved twice"
            self.results[ticket] = result
        self.credits = credits_given
        self.acknowledged_to = first + len(taken) - 1

    @rule()
    def cut(self) -> None:
        self.owed.clear()
        self.window.cut()
        self.open = False

    @precondition(lambda self: not self.open and self.acknowledged_to and len(self.committed) == self.acknowledged_to)
    @rule(kept=st.integers(0, 1000))
    def forget(self, kept: int) -> None:
        del self.committed[min(kept, self.acknowledged_to - 1) :]
        self.acknowledged_to = len(self.committed)

    @invariant()
    def every_result_belongs_to_its_event_in_order(self) -> None:
        assert list(self.results) == list(range(len(self.results)))
        assert all(result == b"%d" % ticket for ticket, result in self.results.items())

    @invariant()
    def nothing_is_lost(self) -> None:
        assert len(self.results) + len(self.window) == self.added

    def teardown(self) -> None:
        if not hasattr(self, "window"):
            return
        self.cut()
        self.reopen(credits_given=1000, max_frame=10)
        while (frame := self.window.next_frame(10, 1000)) is not None:
            self.commit(frame.first_sequence, frame.payloads)
            self.acknowledge(part=10, credits_given=1000)
        assert len(self.results) == self.added
        self.every_result_belongs_to_its_event_in_order()


StreamMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_random_cuts_and_acknowledgements_resolve_every_event_once = StreamMachine.TestCase
