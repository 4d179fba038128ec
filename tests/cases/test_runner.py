"""The case runner on small files made here: each format tells right from wrong, and what it cannot read it says."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cases import files, running
from cases.case import Doors, Result
from cases.doors import RealDoors
from cases.running import Report
from tests.cases.examples import HOLDING, MATCHER, TEMPLATE, UNREADABLE
from tests.cases.running import run_cases

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors() -> AsyncIterator[Doors]:
    """One server for all tests here, started by the first that needs it."""
    async with AsyncExitStack() as stack:
        yield RealDoors(stack)


def write(folder: Path, name: str, *cases: Mapping[str, Any]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"source": {}, "count": len(cases), "cases": cases}), "utf-8")
    return path


async def report_of(path: Path, doors: Doors) -> Report:
    return await running.report(files.load(path, path), doors)


@pytest.mark.parametrize(
    ("format_", "case", "holds"), [pytest.param(f, c, h, id=f"{f}, {what}") for f, what, c, h in HOLDING]
)
async def test_a_case_passes_or_fails(
    tmp_path: Path, doors: Doors, format_: str, case: dict[str, Any], holds: bool
) -> None:
    report = await report_of(write(tmp_path, f"{format_}.json", case), doors)
    (outcome,) = report.outcomes
    assert outcome.result is (Result.PASSED if holds else Result.FAILED), outcome
    assert report.good is holds
    assert holds or outcome.detail


@pytest.mark.parametrize(("format_", "case"), UNREADABLE)
async def test_what_cannot_be_read_is_said_and_is_no_failure(
    tmp_path: Path, doors: Doors, format_: str, case: dict[str, Any]
) -> None:
    report = await report_of(write(tmp_path, f"{format_}.json", case), doors)
    (outcome,) = report.outcomes
    assert (outcome.result, report.good) == (Result.UNREADABLE, True)
    assert outcome.detail


async def test_a_file_of_any_name_is_known_by_its_cases(tmp_path: Path, doors: Doors) -> None:
    for number, (format_, what, case, holds) in enumerate(HOLDING):
        if holds and what not in {"statement", "error"}:
            file = files.load(write(tmp_path, f"{number}.json", case), tmp_path)
            assert file.format is not None, case
            assert format_ in file.format.NAME, (case, file.format.NAME)


async def test_a_statement_of_a_state_waits_for_webhooks(tmp_path: Path, doors: Doors) -> None:
    case = {"tool": "x", "map": "status_map", "value": "OPEN", "expect": "firing"}
    report = await report_of(write(tmp_path, "severity_maps.json", case), doors)
    assert [outcome.result for outcome in report.outcomes] == [Result.NOT_YET]


async def test_more_than_one_in_twenty_deviating_is_a_failure(tmp_path: Path, doors: Doors) -> None:
    deviating = {"filter": "1 > 0", "declarations": {"_": ["standard functions"]}, "expect_error": None}
    passing = {"filter": "a", "expect_ast": ["Text", "a"]}
    enough = await report_of(write(tmp_path, "filter_a.json", deviating, *[passing] * 19), doors)
    assert (enough.counts[Result.DEVIATING], enough.too_many, enough.good) == (1, False, True)
    many = await report_of(write(tmp_path, "filter_b.json", deviating, *[passing] * 18), doors)
    assert (many.counts[Result.DEVIATING], many.too_many, many.good) == (1, True, False)


async def test_a_case_that_makes_the_runner_stumble_has_failed(tmp_path: Path, doors: Doors) -> None:
    case = {**MATCHER, "lookups": [{"odd": 1}]}
    (outcome,) = (await report_of(write(tmp_path, "path_matcher.json", case), doors)).outcomes
    assert outcome.result is Result.FAILED
    assert outcome.detail.startswith("stumbled: KeyError")


async def test_an_undeclared_failure_ends_with_exit_code_one(tmp_path: Path) -> None:
    write(tmp_path, "a/path_templates.json", {**TEMPLATE, "segments": ["x"]}, TEMPLATE)
    write(tmp_path, "route_match.json", {"id": "later"})
    write(tmp_path, "new_things.json", {"id": "what"}, {"id": "ever"})
    (tmp_path / "torn.json").write_text("{", "utf-8")
    finished = await run_cases(str(tmp_path))
    assert finished.code == 1
    assert "a/path_templates.json: failed: t\n    got " in finished.out
    assert "route_match.json: not yet: later" in finished.out
    assert "new_things.json: not machine-readable: no format of ours reads such cases" in finished.out
    assert "torn.json: not machine-readable: it is no JSON" in finished.out
    assert finished.out.splitlines()[5].split() == ["total", "5", "1", "0", "2", "1", "1"]


async def test_machines_get_a_line_of_json_for_each_file(tmp_path: Path) -> None:
    write(tmp_path, "path_templates.json", TEMPLATE)
    finished = await run_cases(str(tmp_path), "--json")
    assert finished.code == 0
    file, total = finished.json_lines
    counts = {"cases": 1, "passed": 1, "deviating": 0, "not_machine_readable": 0, "not_yet": 0, "failed": 0}
    assert total == {"file": "total", **counts, "good": True}
    assert file.items() >= {"file": "path_templates.json", **counts, "good": True}.items()


async def test_a_folder_that_is_missing_or_empty_is_said_with_exit_code_two(tmp_path: Path) -> None:
    finished = await run_cases(str(tmp_path / "nowhere"))
    assert (finished.code, finished.out) == (2, "")
    assert f"there is no {tmp_path / 'nowhere'}: name a folder or a file of cases" in finished.err
    empty = await run_cases(str(tmp_path))
    assert (empty.code, empty.err) == (2, f"error: {tmp_path} holds no .json or .jsonl file\n")
