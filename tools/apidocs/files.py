"""The files that are written: compared when checking, replaced when they differ."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path

from tools import shell

MOST_DIFF_LINES = 60


def as_json(value: object) -> str:
    """JSON with a line for every value, so that a change shows as one line."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def stale(wanted: Mapping[Path, str]) -> list[str]:
    """The lines of a diff between the files and what they should hold; empty when all are fresh."""
    lines: list[str] = []
    for path, text in sorted(wanted.items()):
        name = str(path.relative_to(shell.ROOT))
        old = path.read_text("utf-8") if path.exists() else ""
        lines += difflib.unified_diff(old.splitlines(), text.splitlines(), name, f"{name} as it should be", lineterm="")
    return lines[:MOST_DIFF_LINES]


def install(wanted: Mapping[Path, str]) -> None:
    """Writes the files that differ."""
    for path, text in wanted.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
