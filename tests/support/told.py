"""What tests leave for the record of the run: a plugin of pytest that prints it at the end, before the summary.

A test leaves it with `record_property`, which comes over from other processes as well.
"""

from collections import Counter

import pytest

BACKEND = "backend"
"""The property that names the back end of a test of the conformance suite: they are counted."""
RECORD = "record"
"""The property that holds text to be printed as it is."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The texts, then one line a back end: how many of its tests passed, and failed if any did."""
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(outcome):
            properties = dict(report.user_properties) if isinstance(report, pytest.TestReport) else {}
            if RECORD in properties and report.when == "call":
                terminalreporter.write_line(str(properties[RECORD]))
            if BACKEND in properties:
                counts[str(properties[BACKEND]), outcome] += 1
    for name in dict.fromkeys(name for name, _ in sorted(counts)):
        failed = counts[name, "failed"] + counts[name, "error"]
        also = f", {failed} failed" if failed else ""
        terminalreporter.write_line(f"conformance, {name}: {counts[name, 'passed']} passed{also}")
