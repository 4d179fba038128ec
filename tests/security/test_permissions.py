"""Who may call what is what the contract declares: for every method, every route, every role, and for nobody."""

import asyncio

import pytest

from llm_incident_manager.transport import methods
from tests.support.access import assignment, permissions
from tests.support.access.doors import Doors, routes
from tests.support.access.realm import BY_NAME, Realm
from tests.support.access.who import CUSTOM, HEADER, Who
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_answer_is_what_the_contract_declares(doors: Doors) -> None:
    found = await permissions.matrix(doors)
    assert found.wrong == []
    ways = sum(1 + len(list(routes(method))) for method in methods.all_methods())
    assert found.calls >= ways * len(permissions.CALLERS)
    assert found.refused > found.calls / 4


async def test_a_broken_credential_is_refused_like_none(doors: Doors) -> None:
    class Broken(Who):
        @property
        def metadata(self) -> tuple[tuple[str, str], ...]:
            return ((HEADER, "{"),)

    method = BY_NAME["ListIncidents"]
    refused, nobody = await doors.rpc(method, b"", Broken()), await doors.rpc(method, b"", None)
    assert (refused.code, refused.reason, refused.message) == (16, "UNAUTHENTICATED", nobody.message)


async def test_a_refusal_comes_before_the_body(server: RunningServer) -> None:
    """The headers promise a body that never comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(b"POST /api/v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{")
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()


async def test_what_a_role_may_is_seen_at_once_and_not_kept(doors: Doors) -> None:
    """The same subject with other rights is another principal: nothing of before counts."""
    method = BY_NAME["ListIncidents"]
    for permission, code in (("EVENT_READ", 7), ("INCIDENT_READ", 0), ("EVENT_READ", 7)):
        who = Who(subject="changing", roles=(), permissions=(permission,))
        assert (await doors.rpc(method, b"", who)).code == code
    assert (await doors.rpc(method, b"", CUSTOM)).code == 0


async def test_what_only_the_server_sets_is_no_field_of_a_request(doors: Doors, mine: Realm) -> None:
    found = await assignment.unknown(doors, mine)
    assert found.wrong == []
    assert found.fields > 300


async def test_what_only_the_server_sets_is_ignored_or_refused(doors: Doors, mine: Realm) -> None:
    found = await assignment.set_by_server(doors, mine)
    assert found.wrong == []
    assert found.fields >= 25
