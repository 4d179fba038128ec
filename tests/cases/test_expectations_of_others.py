"""The expectations of other systems that lie beside the repository hold, but for what is declared."""

import re

from tests.cases.running import run_cases
from tests.support import beside

FOLDER = beside.FOLDER / "cases"


async def test_all_expectations_hold_or_are_declared_or_wait_for_their_feature() -> None:
    beside.needs(FOLDER)
    finished = await run_cases(str(FOLDER))
    assert finished.code == 0, finished.out + finished.err
    assert "Traceback" not in finished.err


async def test_nothing_but_features_to_come_is_left_of_the_formats_that_are_read() -> None:
    """A file is whole: what is neither passed nor set aside with a reason would have failed."""
    beside.needs(FOLDER)
    finished = await run_cases(str(FOLDER / "grpc_http"), "--json")
    *files, total = finished.json_lines
    assert {file["file"]: file["failed"] for file in files} == {file["file"]: 0 for file in files}
    assert total["passed"] >= 243
    assert [file["file"] for file in files if file["not_yet"]] == []


async def test_a_file_is_run_as_well_as_a_folder() -> None:
    beside.needs(FOLDER)
    finished = await run_cases(str(FOLDER / "grpc_http" / "path_templates.json"))
    assert finished.code == 0, finished.out
    assert re.search(r"^path_templates\.json +45 +45 ", finished.out, re.MULTILINE)
