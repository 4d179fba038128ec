"""`llm-edge-agent` and the real server, as processes that are killed: the ledger adds up, and nothing is doubled."""

import asyncio
import signal
from pathlib import Path

from llm_incident_client import IncidentClient, pb
from tests.support.books import books_of
from tests.support.command import command
from tests.support.edge_process import EdgeProcess, edge_process
from tests.support.server import free_port, running_server
from tests.support.sizes import size

COUNT = size(20_000, 1_000_000)
BATCH = 2_000


def events(first: int, count: int) -> list[dict[str, str]]:
    return [
        {"source": "proxy", "title": "it fails", "dedup_key": f"k{number % 50}"}
        for number in range(first, first + count)
    ]


async def test_events_taken_offline_all_reach_the_ledger_once(tmp_path: Path) -> None:
    port = free_port()
    async with edge_process(tmp_path / "agent", f"127.0.0.1:{port}") as agent:
        for first in range(0, COUNT, BATCH):
            assert (await agent.report(events(first, BATCH))).json == {"accepted": BATCH}
        code, told = await agent.status()
        assert (code, told["connected"], told["spool"]["waiting"]) == (0, False, COUNT)
        assert "UNAVAILABLE" in told["error"]
        await agent.end(signal.SIGKILL)
        await agent.start()
        async with running_server(env={"GRPC_PORT": str(port)}) as server:
            await agent.until_waiting(0, 120)
            results = (await agent.ask("/status")).json["results"]
            assert results == {"NEW": 50, "ATTACHED": COUNT - 50}
            done = await command("ledger", "check", env={"DATABASE_URL": f"sqlite:///{server.data}"})
            assert done.out.splitlines()[0] == f"accepted {COUNT:,} = 50 NEW + {COUNT - 50:,} ATTACHED"
            assert done.out.splitlines()[-1] == "the ledger adds up"
            assert await agent.end() == 0


async def test_agent_and_server_are_killed_in_turn_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async with running_server() as server, edge_process(tmp_path / "agent", server.grpc) as agent:
        total = 0
        for round_ in range(size(2, 20)):
            assert (await agent.report(events(total, BATCH))).status == 202
            total += BATCH
            await asyncio.sleep(0.03 * round_)  # the kill meets the draining at another moment each time
            if round_ % 2:
                await server.kill()
                await server.start()
            else:
                await agent.end(signal.SIGKILL)
                await agent.start()
        await agent.until_waiting(0)
        status = (await agent.ask("/status")).json
        assert status["spool"]["accepted"] == status["spool"]["settled"] == total
        assert await agent.end() == 0
        code, told = await agent.status()
        assert (code, told["running"], told["spool"]["settled"]) == (1, False, total)
        async with IncidentClient(server.grpc) as client:
            state = pb.EdgeAgentState.EDGE_AGENT_STATE_DISCONNECTED
            assert (await client.get_edge_agent("edge-1")).state == state
        await server.terminate()
        with books_of(server.data) as books:
            assert sum(books.dispositions().values()) == total == books.events_of_incidents()
            assert books.fingerprints_open_twice() == []


async def test_what_holds_is_shown_to_programs_beside_it_until_it_is_reverted(tmp_path: Path) -> None:
    publish = {"publish": ["rate_limit"]}
    async with (
        running_server() as server,
        edge_process(tmp_path / "agent", server.grpc, directives=publish) as agent,
    ):
        await until_connected(agent)
        done = await command(
            "agent", "directive", "create", "rate-limit", "--agent", "edge-1", "--model", "gpt-4o", "--ttl", "3s",
            "--set", "requests_per_second=5", "--json", server=server,
        )  # fmt: skip
        assert done.code == 0, done.err
        approved = await command("agent", "directive", "approve", done.json["id"], server=server)
        assert approved.code == 0, approved.err
        await until_held(agent, 1)
        (held,) = (await agent.ask("/v1/directives")).json["directives"]
        assert (held["action"], held["numbers"]) == ("rate_limit", {"requests_per_second": 5.0})
        await agent.end(signal.SIGKILL)
        await agent.start()
        assert len((await agent.ask("/v1/directives")).json["directives"]) in {0, 1}
        await until_held(agent, 0)
        async with IncidentClient(server.grpc) as client, asyncio.timeout(10):
            state = pb.DirectiveState.DIRECTIVE_STATE_REVERTED
            while (await client.get_directive(done.json["id"])).state != state:  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.05)


async def until_connected(agent: EdgeProcess) -> None:
    async with asyncio.timeout(10):
        while not (await agent.ask("/status")).json["connected"]:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)


async def until_held(agent: EdgeProcess, count: int) -> None:
    async with asyncio.timeout(10):
        while len((await agent.ask("/v1/directives")).json["directives"]) != count:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.02)
