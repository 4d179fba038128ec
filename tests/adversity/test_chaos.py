"""The chaos suite in its short profile: every row passes, or says which later issue brings what it breaks."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from chaos import registry
from tests.support.told import RECORD
from tools import shell

MOST_SECONDS = {"counted": 12 * 60, "measured": 9 * 60}
"""Of a processor shared with other tests, and of the whole machine."""
COUNTED = (1, 2, 3, 4, 6, 8, 9, 11, 12, 13, 14, 16, 18, 21, 22, 25, 34, 40, 41, 42, 44, 45, 49, 50, 51, 53, 55)
"""Faults that other tests may run beside: they count what is lost, doubled or left open, and wait for many times as
long as it takes. The others measure times and memory, or load the whole machine."""
MEASURED = sorted({fault.number for fault in registry.chosen()} - set(COUNTED))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("half", "faults"),
    [
        # First: it waits for what is under way, which must not be the other half.
        pytest.param("measured", MEASURED, id="measured", marks=pytest.mark.exclusive),
        pytest.param("counted", COUNTED, id="counted"),
    ],
)
def test_every_row_of_the_chaos_suite_passes(
    half: str, faults: Sequence[int], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    file, numbers = tmp_path / "scorecard.json", ",".join(map(str, faults))
    command = [sys.executable, "-m", "chaos", "--profile", "ci", "--faults", numbers, "--out", str(file)]
    done = subprocess.run(command, cwd=shell.ROOT, capture_output=True, text=True, timeout=900, check=False)
    record_property(RECORD, done.stdout)
    card: dict[str, Any] = json.loads(file.read_text("utf-8"))
    failed = {f"{row['fault']} {row['part']}": row for row in card["rows"] if row["verdict"] == "failed"}
    assert failed == {}
    assert done.returncode == 0, done.stderr
    later = [row for row in card["rows"] if row["verdict"] != "passed"]
    assert all(row["why"] for row in later)
    assert card["seconds"] < MOST_SECONDS[half]
