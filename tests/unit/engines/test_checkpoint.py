"""When a checkpoint is made, and what is missed."""

import pytest

from llm_incident_manager.domain.audit_chain import Head
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines.checkpoint import Decision, Lost, Policy, Why, decide, lost

POLICY = Policy(records=100, age=60)
NOW = Instant(1_000)


@pytest.mark.parametrize(
    ("new", "last", "expected"),
    [
        (0, None, Decision(False, Why.NOTHING_NEW)),
        (0, Instant(0), Decision(False, Why.NOTHING_NEW)),
        (1, None, Decision(True, Why.FIRST)),
        (1, Instant(941), Decision(False, Why.SOON)),
        (1, Instant(940), Decision(True, Why.TIME)),
        (99, Instant(999), Decision(False, Why.SOON)),
        (100, Instant(999), Decision(True, Why.MANY)),
    ],
)
def test_a_checkpoint_is_made_for_many_records_or_after_a_while(
    new: int, last: Instant | None, expected: Decision
) -> None:
    assert decide(new, last, NOW, POLICY) == expected


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        ({"a": Head(3, b"3"), "b": Head(1, b"1")}, None),
        ({"a": Head(9, b"9"), "b": Head(1, b"1"), "c": Head(1, b"c")}, None),
        ({"a": Head(2, b"2"), "b": Head(1, b"1")}, Lost("a", 3)),
        ({"b": Head(1, b"1")}, Lost("a", 1)),
        ({"a": Head(3, b"x"), "b": Head(1, b"1")}, Lost("a", 3)),
    ],
    ids=["as it was", "grown", "shorter", "gone", "another one"],
)
def test_chains_only_grow(heads: dict[str, Head], expected: Lost | None) -> None:
    assert lost({"a": Head(3, b"3"), "b": Head(1, b"1")}, heads) == expected
