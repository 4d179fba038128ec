"""Runs the tests that run in one process and prints how many branches of the decisions they take, package by package.

Exit code 1 when a package has less than the least share, or a test fails. What processes of their own prove is not
counted, and nothing else of the suite is slowed down by it.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools import shell

PACKAGES = ("domain", "engines", "pipeline")
LEAST = 90.0
"""Per cent of the branches of each package."""

_TESTS = (
    *("tests/unit/domain", "tests/unit/engines", "tests/pipeline"),
    *("tests/conformance/test_timers.py", "tests/conformance/test_snoozing.py"),
)
_ROOT = "server/llm_incident_manager"


def main(arguments: list[str]) -> int:
    """Runs the tests with these further arguments of pytest; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        data, report = Path(folder, "data"), Path(folder, "report.json")
        own = f"--data-file={data}"
        failed = shell.run("coverage", "run", own, "-m", "pytest", "-q", "-n0", *_TESTS, *arguments)
        if failed:
            return failed
        shell.run("coverage", "report", own, "--fail-under=0")
        shell.run("coverage", "json", own, "--quiet", "--fail-under=0", "-o", report)
        files: Mapping[str, Any] = json.loads(report.read_text("utf-8"))["files"]
    return int(min(_told(package, files) for package in PACKAGES) < LEAST)


def _told(package: str, files: Mapping[str, Any]) -> float:
    """Prints a package's coverage; the per cent of its branches."""
    sums = [file["summary"] for name, file in files.items() if name.startswith(f"{_ROOT}/{package}/")]
    shares = []
    for covered, all_ in (("covered_lines", "num_statements"), ("covered_branches", "num_branches")):
        count, of = sum(each[covered] for each in sums), sum(each[all_] for each in sums)
        shares.append((count, of, 100 * count / of if of else 0.0))
    (_, _, lines), (taken, branches, share) = shares
    verdict = "" if share >= LEAST else f": less than {LEAST:g} %"
    print(f"{package}: {share:.1f} % of branches ({taken} of {branches}), {lines:.1f} % of statements{verdict}")
    return share


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
