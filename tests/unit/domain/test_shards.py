"""Lanes keep to their shards, and shards are shared out."""

import pytest

from llm_incident_manager.domain import shards


def test_a_lane_has_the_same_shard_in_every_process_and_release() -> None:
    assert [shards.shard_of(lane, 8) for lane in ("a", "b", "01990000/webhook")] == [3, 1, 4]


def test_lanes_are_spread() -> None:
    found = [shards.shard_of(f"lane-{n}", 8) for n in range(8_000)]
    assert all(800 < found.count(shard) < 1_200 for shard in range(8))


@pytest.mark.parametrize(("members", "share"), [(0, 8), (1, 8), (2, 4), (3, 3), (8, 1), (20, 1)])
def test_together_the_processes_may_hold_all_shards(members: int, share: int) -> None:
    assert shards.share(8, members) == share
    assert shards.share(8, members) * max(1, members) >= 8


def test_whoever_holds_too_many_gives_up_the_last() -> None:
    assert shards.surplus({5, 1, 3, 7}, 2) == [5, 7]
    assert shards.surplus({5, 1}, 2) == []


def test_whoever_holds_too_few_tries_for_the_others_from_its_own_start() -> None:
    assert shards.vacancies({1, 2}, 4, 3, start=6) == [3, 0]
    assert shards.vacancies({1, 2}, 4, 2, start=6) == []
