"""The same server on PostgreSQL: replay adds up, a second replay creates nothing, a restart forgets nothing."""

from pathlib import Path

import aiohttp

from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.server import running_server

DAY = Path(__file__).resolve().parents[2] / "examples" / "day_of_llm_events.jsonl"

QUICK = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
"""The tests' PostgreSQL does not wait for the disk; only the server is killed here."""


async def test_replays_add_up_and_survive_a_restart(cluster: Cluster) -> None:
    env = {"DATABASE_URL": cluster.dsn(cluster.create()), **QUICK}
    async with running_server(env=env) as server:
        first = (await command("replay", str(DAY), "--json", server=server)).json_lines[-1]
        await server.kill()
        await server.start()
        again = (await command("replay", str(DAY), "--json", server=server)).json_lines[-1]
        assert sum(first["dispositions"].values()) == first["sent"] > 0
        assert again["dispositions"]["duplicate"] == again["sent"] == first["sent"]
        async with aiohttp.request("GET", f"{server.http}/api/v1/incidents?page_size=100") as reply:
            listed = await reply.json()
        assert listed["pagination"]["total_count"] == first["incidents"] > 0
