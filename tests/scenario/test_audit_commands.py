"""`audit list|verify|export` against a server and without one, and the same over REST."""

import asyncio
import json
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from llm_incident_client import IncidentClient, pb
from llm_incident_manager.adapters.audit import copies, signing
from tests.support.command import command
from tests.support.server import RunningServer, running_server

ENV = {"LLM_IM__AUDIT__CHECKPOINT_SECS": "1"}


async def get(server: RunningServer, path: str) -> Any:  # noqa: ANN401  # JSON is anything
    async with aiohttp.request("GET", server.http + path) as reply:
        return json.loads(await reply.text())


async def opened(client: IncidentClient, key: str) -> str:
    event = pb.Event(source="llm-sentinel", title=f"Latency {key}", severity="high", dedup_key=key)
    return (await client.submit_event(event)).incident_id


async def checkpointed(server: RunningServer, records: int) -> None:
    """A checkpoint counts so many records."""
    async with asyncio.timeout(30):
        while True:
            found = (await get(server, "/api/v1/audit/checkpoints?page_size=1"))["checkpoints"]
            if found and int(found[0]["records"]) == records:
                return
            await asyncio.sleep(0.1)


async def complaint(server: RunningServer) -> str:
    """What readiness says is wrong with the audit, once it says so."""
    async with asyncio.timeout(20):
        while True:
            told = str((await get(server, "/health/ready"))["checks"]["audit"])
            if told != "ok":
                return told
            await asyncio.sleep(0.1)


def env_of(server: RunningServer) -> Mapping[str, str]:
    return {"DATABASE_URL": f"sqlite:///{server.data}"}


async def test_the_trail_is_listed_verified_and_exported_over_every_door(tmp_path: Path) -> None:
    async with running_server(env=ENV) as server, IncidentClient(server.grpc) as client:
        incident = await opened(client, "a")
        await client.acknowledge(incident, actor="ann")
        await client.add_note(incident, "looking", actor="ann")
        await checkpointed(server, 3)

        listed = await command("audit", "list", "--resource", f"incident/{incident}", "--json", server=server)
        assert [one["action"] for one in listed.json_lines] == [
            "incident.note",
            "incident.acknowledge",
            "incident.opened",
        ]
        assert listed.json_lines[1]["after"]["state"] == "ACKNOWLEDGED"
        assert listed.json_lines[1]["before"]["state"] == "NEW"
        table = await command("audit", "list", "--action", "incident.acknowledge", server=server)
        assert "state: NEW → ACKNOWLEDGED" in table.out
        page = await get(server, "/api/v1/audit?page_size=2")
        rest = await get(server, f"/api/v1/audit?page_size=2&page_token={page['next_page_token']}")
        assert [*page["records"], *rest["records"]] == listed.json_lines
        assert rest["next_page_token"] == ""
        foreign = await get(server, f"/api/v1/audit?actor=x&page_token={page['next_page_token']}")
        assert foreign["details"][0]["reason"] == "INVALID_PAGE_TOKEN"

        verified = await command("audit", "verify", "--json", server=server)
        assert (verified.code, verified.json["intact"], verified.json["records"]) == (0, True, "3")
        assert verified.json["proven_until_time"]
        assert verified.json == await get(server, "/v1/audit/verify")

        file = tmp_path / "export.jsonl"
        done = await command("audit", "export", str(file), server=server)
        assert done.code == 0, done.err
        rows = tmp_path / "tenant.jsonl"
        done = await command("tenants", "export", "default", str(rows), server=server)
        assert done.code == 0, done.err
        assert [stat.S_IMODE(each.stat().st_mode) for each in (file, rows)] == [0o600] * 2
        again = await command("audit", "export", str(file), server=server)
        assert again.code == 2, "a file that is there is not replaced"
        for name in (copies.FOLDER, signing.KEY_FILE):
            await asyncio.to_thread(shutil.move, server.data / name, tmp_path / name)
    kept, key = tmp_path / copies.FOLDER / copies.FILE, tmp_path / signing.KEY_FILE
    evidence = ("--checkpoints", str(kept), "--public-key", str(key))
    alone = await command("audit", "verify", "--file", str(file), *evidence)
    assert (alone.code, "intact: 3 records in 1 chains" in alone.out) == (0, True), alone.out
    lines = file.read_text("utf-8").splitlines(keepends=True)
    for forged, named in (
        ([line.replace('"actor":"dev"', '"actor":"eve"', 1) for line in lines], "record 1 of"),
        ([line for line in lines if '"sequence":2' not in line], "record 2 of"),
        (lines[:-2], "record 3 of"),
        (lines[:-1], "the export is cut off"),
    ):
        (tmp_path / "forged.jsonl").write_text("".join(forged), "utf-8")
        found = await command("audit", "verify", "--file", str(tmp_path / "forged.jsonl"), *evidence)
        assert (found.code, "NOT INTACT" in found.out, named in found.out) == (1, True, True), found.out
    nothing = await command("audit", "verify", "--file", str(kept))
    assert (nothing.code, "is no export" in nothing.err) == (1, True)


async def test_a_database_that_was_rolled_back_is_found_by_its_checkpoints_outside(tmp_path: Path) -> None:
    async with running_server(env=ENV) as server:
        async with IncidentClient(server.grpc) as client:
            await opened(client, "a")
            await checkpointed(server, 1)
            await server.terminate()
            shutil.copytree(server.data, tmp_path / "older")
            await server.start()
            incident = await opened(client, "b")
            await client.acknowledge(incident, actor="ann")
            await checkpointed(server, 3)
        await server.terminate()
        whole = await command("audit", "verify", "--database", "--json", env=env_of(server))
        assert (whole.code, whole.json["records"], whole.json["proven_until_time"] is None) == (0, 3, False), whole.out
        backup = tmp_path / "backup.zip"
        assert (await command("backup", str(backup), env=env_of(server))).code == 0
        key = ("--public-key", str(server.data / signing.KEY_FILE))
        kept = ("--checkpoints", str(server.data / copies.FOLDER / copies.FILE))
        proven = await command("audit", "verify", "--backup", str(backup), *key, *kept)
        assert (proven.code, "intact: 3 records in 2 chains" in proven.out) == (0, True), proven.out

        for name in ("incidents.db", "incidents.db-wal", "incidents.db-shm"):
            (server.data / name).unlink(missing_ok=True)
            if (tmp_path / "older" / name).exists():
                shutil.copy(tmp_path / "older" / name, server.data / name)
        found = await command("audit", "verify", "--database", env=env_of(server))
        assert found.code == 1
        assert re.search(
            r"NOT INTACT: record 1 of .*: the whole chain is gone; checkpoint \d+ has 2 records", found.out
        )
        await server.start()
        assert "was kept outside and is not in the database" in await complaint(server)
