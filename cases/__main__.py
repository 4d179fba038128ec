"""`python -m cases [FOLDER | FILE]`: runs cases of other systems. Exit code 1 on an undeclared failure, 2 on misuse."""

import argparse
import asyncio
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from cases import files, running
from cases.case import Result
from cases.running import Report

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "cases"
_COLUMNS = tuple(Result)


def main() -> None:
    """Runs what the command line names."""
    options = _options()
    try:
        good = asyncio.run(_run(options.place, as_json=options.json))
    except files.NoFolder as missing:
        print(f"error: {missing}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if good else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cases", description=__doc__)
    parser.add_argument("place", nargs="?", type=Path, default=DEFAULT, metavar="FOLDER", help="or one file")
    parser.add_argument("--json", action="store_true", help="a JSON object a file, and one for all of them")
    return parser.parse_args()


async def _run(place: Path, *, as_json: bool) -> bool:
    found: list[Report] = []
    async for report in running.reports(place):
        if not found and not as_json:
            print(_row("file", "cases", _COLUMNS))
        found.append(report)
        print(json.dumps(_object(report)) if as_json else _counted(report.file, report.counts), flush=True)
    total: Counter[Result] = Counter()
    for report in found:
        total += report.counts
    good = all(report.good for report in found)
    if as_json:
        print(json.dumps({"file": "total", **_numbers(total), "good": good}))
    else:
        print(_counted("total", total))
        _explain(found)
    return good


def _numbers(counts: Counter[Result]) -> dict[str, int]:
    return {
        "cases": counts.total(),
        **{result.replace(" ", "_").replace("-", "_"): counts[result] for result in Result},
    }


def _object(report: Report) -> dict[str, object]:
    named = {
        result.value.replace(" ", "_").replace("-", "_") + "_cases": {
            outcome.case: outcome.detail for outcome in report.outcomes if outcome.result is result
        }
        for result in (Result.DEVIATING, Result.FAILED)
    }
    return {"file": report.file, **_numbers(report.counts), **named, "damage": report.damage, "good": report.good}


def _counted(name: str, counts: Counter[Result]) -> str:
    return _row(name, counts.total(), [counts[result] for result in _COLUMNS])


def _row(name: str, cases: object, numbers: object) -> str:
    assert isinstance(numbers, list | tuple)
    cells = (f"{number!s:>{len(result)}}" for number, result in zip(numbers, _COLUMNS, strict=True))
    return f"{name:<46} {cases!s:>5}  {'  '.join(cells)}"


def _explain(found: list[Report]) -> None:
    """Why what did not pass did not: reasons with the cases they hold for, failures one by one."""
    for report in found:
        if report.damage:
            print(f"\n{report.file}: not machine-readable: {report.damage}")
        if report.too_many:
            print(f"\n{report.file}: more than {running.MOST_DEVIATING:.0%} of its cases deviate: that is a failure")
        for result in (Result.DEVIATING, Result.UNREADABLE, Result.NOT_YET, Result.FAILED):
            _reasons(report, result)


def _reasons(report: Report, result: Result) -> None:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for outcome in report.outcomes:
        if outcome.result is result:
            by_reason[outcome.detail].append(outcome.case)
    for reason, names in by_reason.items():
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        print(f"\n{report.file}: {result}: {shown}\n    {reason}")


if __name__ == "__main__":
    main()
