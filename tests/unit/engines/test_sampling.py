"""Which events of an incident keep their bodies."""

import pytest

from llm_incident_manager.engines import sampling


def test_the_first_twenty_keep_their_bodies() -> None:
    assert [n for n in range(1, 32) if sampling.keeps_body(n)] == list(range(1, 21))


def test_later_only_powers_of_two_do() -> None:
    assert [n for n in range(21, 5_000) if sampling.keeps_body(n)] == [32, 64, 128, 256, 512, 1024, 2048, 4096]


def test_a_million_events_keep_thirty_five_bodies() -> None:
    assert sum(map(sampling.keeps_body, range(1, 1_000_001))) == 35


@pytest.mark.parametrize("n", [0, -1])
def test_there_is_no_event_before_the_first(n: int) -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        sampling.keeps_body(n)
