"""What the command line takes, and what it tells of a seed that fails."""

import argparse

import pytest

from simulation.run import Outcome
from simulation.running import seeds, told


@pytest.mark.parametrize(
    ("text", "expected"), [("500", range(1, 501)), ("40..60", range(40, 61)), ("7..7", range(7, 8))]
)
def test_seeds_are_a_number_or_a_range(text: str, expected: range) -> None:
    assert seeds(text) == expected


@pytest.mark.parametrize("text", ["0", "60..40", "many", "1..", ""])
def test_what_names_no_seed_is_refused_by_name(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"'{text}' names no seeds"):
        seeds(text)


def test_a_failure_tells_the_seed_the_invariant_the_last_lines_and_the_command() -> None:
    outcome = Outcome(17, "00", ("stale fence: work 1",), ("one", "two", "three"), 1, 2.0)
    assert told(outcome, 2).splitlines() == [
        "seed 17 failed:",
        "  stale fence: work 1",
        "the last 2 lines of its trace:",
        "  two",
        "  three",
        "run it again with: make simulate SEED=17 ARGS='--trace 400'",
    ]
