"""What a row of the scorecard says: a limit that is not kept, a lost event or no number at all is a failure."""

import json
from pathlib import Path

import pytest

from chaos import registry, scorecard
from chaos.disk import Unflushed
from chaos.row import Fault, Figure, Outcome, Row, Verdict
from chaos.run import Profile

KEPT = Figure("restart", 1.5, "s", most=5)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        pytest.param(Outcome([KEPT]), Verdict.PASSED, id="a limit that is kept"),
        pytest.param(Outcome([Figure("restart", 5.1, "s", most=5)]), Verdict.FAILED, id="too much"),
        pytest.param(Outcome([Figure("cuts", 3, least=4)]), Verdict.FAILED, id="too little"),
        pytest.param(Outcome([KEPT], acked=9, lost=1), Verdict.FAILED, id="lost"),
        pytest.param(Outcome([KEPT], acked=9, doubled=1), Verdict.FAILED, id="doubled"),
        pytest.param(Outcome([KEPT], late=1), Verdict.FAILED, id="late"),
        pytest.param(Outcome([KEPT], wrong=["ledger check"]), Verdict.FAILED, id="a broken promise"),
        pytest.param(Outcome(), Verdict.FAILED, id="without a number nothing was shown"),
        pytest.param(Outcome(acked=9), Verdict.PASSED, id="nothing of what was acknowledged is lost"),
    ],
)
def test_a_row_passes_only_when_everything_holds(outcome: Outcome, verdict: Verdict) -> None:
    assert outcome.verdict is verdict


def test_every_row_has_a_driver_or_says_what_it_waits_for() -> None:
    for fault in registry.chosen():
        assert (fault.driver is None) == bool(fault.later), fault.name
        assert fault.limit, fault.name


def test_an_unknown_fault_is_refused_by_its_number() -> None:
    with pytest.raises(LookupError, match=r"no such fault: 999; there are 1, 2"):
        registry.chosen([1, 999])


def test_the_scorecard_tells_seed_counts_limit_and_verdict_of_each_row(tmp_path: Path) -> None:
    row = Row(Fault(7, "SIGTERM", "exit in time", "SQLite"), "5/7", 1.25, Outcome([KEPT], acked=9), Verdict.PASSED)
    scorecard.write(tmp_path / "card.json", [row], Profile.CI, 5)
    (told,) = json.loads((tmp_path / "card.json").read_text("utf-8"))["rows"]
    assert told == {
        "fault": 7, "part": "SQLite", "title": "SIGTERM", "seed": "5/7", "acked": 9, "lost": 0, "doubled": 0, "late": 0,
        "figures": [{"name": "restart", "value": 1.5, "unit": "s", "limit": "<= 5 s", "holds": True}],
        "limit": "exit in time", "verdict": "passed", "why": [], "seconds": 1.2,
    }  # fmt: skip
    assert "restart 1.5 s (<= 5 s)" in scorecard.table(row)


def test_a_power_cut_leaves_what_was_flushed_and_of_the_rest_what_chance_wants() -> None:
    import random

    file = Unflushed(b"")
    file.wrote(0, b"sure")
    file.flushed()
    file.wrote(4, b"-torn" * 300)
    file.wrote(0, b"SURE")
    chance = random.Random(1)
    assert file.after_power_cut("nothing", chance) == b"sure"
    assert file.after_power_cut("all", chance) == b"SURE" + b"-torn" * 300
    some = {file.after_power_cut("some", chance) for _ in range(50)}
    assert some == {b"sure", b"SURE", b"sure" + b"-torn" * 300, b"SURE" + b"-torn" * 300}
    assert len({file.after_power_cut("pieces", chance) for _ in range(50)}) > len(some)
