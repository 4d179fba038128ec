"""Fault 50: whatever method of the contract changes anything, the audit has exactly one record of each change, written
in the same transaction; no method takes a record away or changes one. What is called are the interface's examples."""

import json
import re
from collections.abc import AsyncIterator, Mapping

import grpc
import pytest
import pytest_asyncio

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.audited import (
    CONFIG,
    EXAMPLES,
    WRITING,
    Example,
    audit_refused,
    call,
    check,
    look,
    new_records,
    prepare,
    writes,
)
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


def names(value: object) -> str:
    return (
        value.name if isinstance(value, Method) else str(value["title"]) if isinstance(value, Mapping) else str(value)
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A started server whose database is empty at the beginning of the module."""
    async with running_server(config=json.dumps(CONFIG)) as started:
        yield started


@pytest.mark.parametrize(("method", "example"), EXAMPLES, ids=names)
async def test_each_change_has_one_record_that_tells_who_made_it(
    server: RunningServer, method: Method, example: Example
) -> None:
    requests = await prepare(server, method, example)
    before = look(server)
    await call(server, method, requests)
    records = check(before, look(server))
    if not writes(method):
        assert records == [], "a method that only reads"
    for row in records:
        assert (row.actor, row.proven_by, row.credential, row.source) == ("dev", "anonymous", "loopback", "127.0.0.1")
        assert (row.tenant, row.version) == ("default", 2)


@pytest.mark.parametrize(("method", "example"), WRITING, ids=names)
async def test_without_its_record_no_change_is_made(server: RunningServer, method: Method, example: Example) -> None:
    requests = await prepare(server, method, example)
    with audit_refused(server):
        before = look(server)
        failed = False
        try:
            await call(server, method, requests)
        except grpc.aio.AioRpcError:
            failed = True
        after = look(server)
    assert new_records(before, after) == []
    assert before.same(after), "what is not in the audit did not happen"
    requests = await prepare(server, method, example)
    before = look(server)
    await call(server, method, requests)
    assert failed is bool(check(before, look(server))), "only what would have changed something fails"


async def test_no_statement_of_the_product_changes_a_record_and_one_deletes_what_retention_ends() -> None:
    from llm_incident_manager.adapters.postgres.statements import SQL
    from llm_incident_manager.adapters.sqlite.statements import STATEMENTS

    for statements in (SQL, STATEMENTS):
        texts = {name: " ".join(text.split()) for name, text in statements.items()}
        assert [name for name, text in texts.items() if re.search(r"UPDATE audit\b", text)] == []
        assert [name for name, text in texts.items() if re.search(r"DELETE FROM audit\b", text)] == ["expire_audit"]
    writing = {method.name for method in methods.all_methods() if method.service.endswith("AuditService")}
    assert writing == {"ListAuditRecords", "ListAuditCheckpoints", "VerifyAudit", "ExportAudit"}
