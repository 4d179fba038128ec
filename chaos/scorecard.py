"""The scorecard: as JSON for programs, as a table for people."""

import json
import os
import platform
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chaos.row import Row
from chaos.run import Profile

FILE = Path(__file__).with_name("scorecard.json")
_TITLE, _FIGURES = 46, 78


def write(file: Path, rows: Sequence[Row], profile: Profile, seed: int) -> None:
    """Writes the scorecard of these rows."""
    card = {
        "profile": profile,
        "seed": seed,
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "verdicts": dict(Counter(row.verdict for row in rows)),
        "seconds": round(sum(row.seconds for row in rows), 1),
        "rows": [_object(row) for row in rows],
    }
    file.write_text(json.dumps(card, indent=2) + "\n", "utf-8")


def heading() -> str:
    """The first line of the table."""
    return f"{'fault':>6}  {'':{_TITLE}} {'acked':>7} {'lost':>4} {'dbl':>4} {'late':>4} {'s':>6}  verdict\n"


def table(row: Row) -> str:
    """A row's lines in the table."""
    outcome, fault = row.outcome, row.fault
    part = f" ({fault.part})" if fault.part else ""
    title = textwrap.shorten(fault.title, _TITLE - len(part), placeholder=" …") + part
    counts = f"{outcome.acked:>7} {outcome.lost:>4} {outcome.doubled:>4} {outcome.late:>4}"
    lines = [f"{fault.number:>6}  {title:{_TITLE}} {counts} {row.seconds:>6.1f}  {row.verdict}"]
    for text in _notes(row):
        lines.extend(textwrap.wrap(text, _FIGURES, initial_indent=" " * 10, subsequent_indent=" " * 12))
    return "\n".join(lines) + "\n"


def _notes(row: Row) -> Iterator[str]:
    if row.fault.later:
        yield row.fault.later
    if row.outcome.figures:
        yield "; ".join(f"{figure} ({figure.limit})" if figure.limit else f"{figure}" for figure in row.outcome.figures)
    yield from (f"! {text}" for text in row.outcome.wrong)


def _object(row: Row) -> dict[str, Any]:
    fault, outcome = row.fault, row.outcome
    figures = [
        {"name": f.name, "value": f.value, "unit": f.unit, "limit": f.limit, "holds": f.holds} for f in outcome.figures
    ]
    return {
        "fault": fault.number,
        "part": fault.part,
        "title": fault.title,
        "seed": row.seed,
        "acked": outcome.acked,
        "lost": outcome.lost,
        "doubled": outcome.doubled,
        "late": outcome.late,
        "figures": figures,
        "limit": fault.limit,
        "verdict": row.verdict,
        "why": fault.later or list(outcome.wrong),
        "seconds": round(row.seconds, 1),
    }
