"""Seeds that must hold: the first ones, and those that once found a defect. `make simulate` runs many more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.run import run
from simulation.running import told
from tests.support.sizes import size
from tools import shell

PARTS = 20
SEEDS = size(500, 10_000)
FOUND = Path(shell.ROOT, "simulation", "seeds.txt")
"""A seed and what it found, one a line; `#` begins a remark."""


def found() -> list[int]:
    lines = (line.partition("#")[0].split() for line in FOUND.read_text("utf-8").splitlines())
    return [int(words[0]) for words in lines if words]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_nothing_acknowledged_is_lost(part: int) -> None:
    failed = [told(outcome, 40) for seed in range(1 + part, SEEDS + 1, PARTS) if (outcome := run(seed)).violations]
    assert not failed, "\n\n".join(failed)


def test_seeds_that_found_a_defect_hold() -> None:
    failed = [told(outcome, 40) for seed in found() if (outcome := run(seed)).violations]
    assert not failed, "\n\n".join(failed)


def digests(hash_seed: str) -> str:
    command = [sys.executable, "-m", "simulation", "3..6", "--digests", "--jobs", "1"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=shell.ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.rpartition("4 seeds in")[0]


def test_a_seed_is_the_same_run_in_every_process() -> None:
    first = digests("1")
    assert len(set(first.split())) == 8
    assert digests("2") == first


def test_a_seed_is_the_same_run_again_and_another_seed_another() -> None:
    assert run(7).digest == run(7).digest != run(8).digest
