"""UUIDv7: the right bits, a strict order, runs without a gap."""

import itertools
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.adapters import ids
from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.domain.ids import is_uuid
from llm_incident_manager.domain.time import Instant
from tests.support.builders import NOW

instants = st.integers(0, 2**48 * 1_000 - 1).map(Instant)
counts = st.integers(1, 600)


def value(text: str) -> int:
    assert is_uuid(text)
    return uuid.UUID(text).int


def at(generator: Uuid7, high: int, low: int) -> Uuid7:
    """The generator as if it had last given this value."""
    generator._last = (high, low)
    return generator


@given(instants)
def test_an_id_holds_version_variant_and_milliseconds(now: Instant) -> None:
    made = uuid.UUID(Uuid7().new(now))
    assert (made.version, made.variant, made.int >> 80) == (7, uuid.RFC_4122, now // 1_000)


@given(instants, counts)
def test_consecutive_ids_have_consecutive_values(now: Instant, count: int) -> None:
    values = [value(made) for made in Uuid7().consecutive(now, count)]
    assert values == list(range(values[0], values[0] + count))


@given(st.lists(st.tuples(instants, counts), min_size=1, max_size=20))
def test_ids_rise_whatever_the_clock_does(calls: list[tuple[Instant, int]]) -> None:
    generator = Uuid7()
    made = [text for now, count in calls for text in (*generator.consecutive(now, count), generator.new(now))]
    assert all(a < b for a, b in itertools.pairwise(made))


@given(st.integers(0, 2**60 - 2), st.integers(2**62 - 700, 2**62 - 1), counts)
def test_a_run_never_leaves_its_field(high: int, low: int, count: int) -> None:
    before = high >> 12 << 80 | 7 << 76 | high % 4096 << 64 | 2 << 62 | low
    run = [uuid.UUID(text) for text in at(Uuid7(), high, low).consecutive(Instant(0), count)]
    assert {(made.version, made.variant) for made in run} == {(7, uuid.RFC_4122)}
    assert run[0].int > before
    assert run[-1].int - run[0].int == count - 1


def test_a_run_passes_the_last_dash() -> None:
    made = at(Uuid7(), NOW // 1_000 << 12, 2**48 - 3).consecutive(NOW, 5)
    assert [text[19:] for text in made] == [
        "8000-fffffffffffe",
        "8000-ffffffffffff",
        "8001-000000000000",
        "8001-000000000001",
        "8001-000000000002",
    ]


def test_ids_of_one_millisecond_count_up_from_a_random_start() -> None:
    first, second = Uuid7(), Uuid7()
    start = value(first.new(NOW))
    assert value(first.new(Instant(NOW + 999))) == start + 1
    assert abs(value(second.new(NOW)) - start) > 1_000_000


def test_two_generators_do_not_meet() -> None:
    made = [text for _ in range(50) for text in Uuid7().consecutive(NOW, 100)]
    assert len(set(made)) == len(made)


def test_no_ids_are_none() -> None:
    assert list(Uuid7().consecutive(NOW, 0)) == []


@pytest.mark.parametrize("count", [-1, ids._MOST + 1])
def test_an_impossible_count_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} consecutive ids cannot be made"):
        Uuid7().consecutive(NOW, count)
