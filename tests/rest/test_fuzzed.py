"""No request that schemathesis can think of makes the server fail, or answer otherwise than /openapi.json says.

`make fuzz` runs it longer, on every path; by default the aliases are left out.
"""

import json
from pathlib import Path

import pytest

from llm_incident_manager.transport.rest import openapi
from tests.support.fuzzing import fuzz
from tests.support.server import running_server
from tests.support.sizes import FULL, size

DOCUMENT = json.loads(openapi.document_json())
QUICK = ("--exclude-operation-id-regex", r"_\d+$")
EXAMPLES = ("--max-examples", str(size(5, 100)), "--seed", "1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phases", "mode"), [("examples,coverage", "all" if FULL else "positive"), ("fuzzing,stateful", "all")]
)
async def test_every_answer_is_one_that_the_document_names(phases: str, mode: str, tmp_path: Path) -> None:
    options = ("--phases", phases, "--mode", mode, *EXAMPLES, *(() if FULL else QUICK))
    async with running_server(env={"DATABASE_URL": "sqlite::memory:", "LOG_LEVEL": "warning"}) as server:
        found = await fuzz(server, DOCUMENT, tmp_path, *options)
        assert found.code == 0, found.errors
        assert "call.failed" not in server.log
