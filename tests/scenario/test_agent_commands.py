"""`agent` as people and scripts run it: what there is, and a directive from its making to its end."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from incidentmanager.v1 import directive_pb2

from tests.support import edge
from tests.support.command import Finished, command
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
S = directive_pb2.DirectiveState


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A started server whose database is empty at the beginning of the module."""
    async with running_server() as started:
        yield started


async def run(server: RunningServer, *words: str) -> Finished:
    done = await command(*words, server=server)
    assert done.code == 0, done.err
    return done


async def test_a_directive_from_its_making_to_its_end(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("edge-7", labels={"zone": "a"})) as session:
        assert "edge-7" in (await run(server, "agent", "list", "--state", "connected")).out
        shown = (await run(server, "agent", "show", "edge-7")).out
        assert "FAIL_OVER_MODEL" in shown
        assert "zone=a" in shown
        incident = (await run(server, "event", "send", "--title", "openai answers 503", "--json")).json["incident_id"]
        what = ("fail-over-model", "--agent", "edge-7", "--model", "gpt-4o", "--set", "to=claude", "--ttl", "15m")
        made = (await run(server, "agent", "directive", "create", *what, "--incident", incident, "--json")).json
        assert (made["state"], made["ttl"], made["parameters"]["texts"]) == (
            "PENDING_APPROVAL",
            "900s",
            {"to": "claude"},
        )
        await run(server, "agent", "directive", "approve", made["id"], "--reason", "The status page confirms it")
        assert (await session.next("order")).directive.id == made["id"]
        await session.report(made["id"], S.DIRECTIVE_STATE_APPLIED)
        assert "at edge-7" in (await run(server, "agent", "directive", "show", made["id"])).out
        listed = (await run(server, "agent", "directive", "list", "--incident", incident)).out
        assert (made["id"] in listed, "APPLIED" in listed) == (True, True)
        canceled = (await run(server, "agent", "directive", "cancel", made["id"], "--json")).json
        assert canceled["revert_requested"] is True
        await session.next("order")
        told = (await run(server, "incident", "timeline", incident)).out
        assert told.count("Directive FAIL_OVER_MODEL") == 6, "made, approved, sent, applied, taken back, sent"


async def test_what_does_not_work_is_told_with_its_remedy(server: RunningServer) -> None:
    gone = await command("agent", "show", "nobody", server=server)
    assert (gone.code, "edge agent 'nobody' does not exist" in gone.err) == (3, True), gone
    bad = ("rate-limit", "--agent", "nobody", "--ttl", "1m", "--set", "oops")
    refused = await command("agent", "directive", "create", *bad, server=server)
    assert "give NAME=VALUE" in refused.err
    assert refused.code == 2
