"""Nobody has to change client and server on the same day: each works with the other side's last releases."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from llm_incident_client import IncidentClient, errors, pb
from tests.support import releases
from tests.support.releases import Release
from tests.support.server import running_server
from tools import shell

SECONDS = 300.0
SUITE = "tests/scenario/test_client.py"
BLOCKING = "tests/scenario/test_sync_client.py"
WHERE = """
import sys
from importlib import import_module, metadata
for name in sys.argv[1:]:
    package, distribution = name.split("=")
    print(import_module(package).__file__, metadata.version(distribution))
"""
PROTO, CLIENT, SERVER = (
    "incidentmanager=llm-incident-manager-proto",
    "llm_incident_client=llm-incident-client",
    "llm_incident_manager=llm-incident-manager",
)

pytestmark = pytest.mark.slow


@pytest.fixture(params=releases.versions())
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    return releases.unpack(request.param, tmp_path)


async def run(*arguments: str, **settings: str | None) -> str:
    """Runs Python with these arguments and settings, some of them removed; what it printed, if it succeeded."""
    environment = {**os.environ, **{name: value or "" for name, value in settings.items()}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=shell.ROOT, env=environment, stdout=-1, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def passed(*files: str, **settings: str | None) -> int:
    """How many tests of the client suite passed, all of them having to."""
    out = await run("-m", "pytest", *files, "-q", "-n0", "--no-skips", "-p", "no:cacheprovider", **settings)
    return int(out.split(" passed")[0].split()[-1])


async def test_a_released_client_works_with_this_server(release: Release) -> None:
    mine, old = str(shell.ROOT / "server"), {"PYTHONPATH": str(release.client)}
    for line in (await run("-c", WHERE, PROTO, CLIENT, **old)).splitlines():
        assert line.startswith(str(release.client))
        assert line.endswith(f" {release.version}")
    assert (await run("-c", WHERE, SERVER, PYTHONPATH="")).startswith(mine)
    assert await passed(SUITE, TEST_RELEASE=release.version, TEST_SERVER_PATH="", **old) >= 10


async def test_this_client_works_with_a_released_server(release: Release) -> None:
    for line in (await run("-c", WHERE, PROTO, CLIENT, SERVER, PYTHONPATH=str(release.server))).splitlines():
        assert line.startswith(str(release.server))
        assert line.endswith(f" {release.version}")
    settings = {"TEST_RELEASE": release.version, "TEST_SERVER_PATH": str(release.server)}
    assert await passed(SUITE, BLOCKING, **settings) >= 20


async def test_what_a_released_server_lacks_is_told_as_not_available(tmp_path: Path) -> None:
    path = {"PYTHONPATH": str(releases.unpack("0.1.0", tmp_path).server)}
    async with running_server(env=path) as server, IncidentClient(server.grpc) as client:
        incident = await client.create_incident("app", "asked too much of")
        with pytest.raises(errors.NotAvailable):
            await client.list_related(incident.id)


async def test_this_server_takes_over_the_data_of_a_released_one(release: Release, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    event = pb.Event(source="app", title="seen by both", service="shop", idempotency_key="once")
    async with (
        running_server(env={"PYTHONPATH": str(release.server)}, folder=place) as old,
        IncidentClient(old.grpc) as client,
    ):
        first = await client.submit_event(event)
        before = await client.acknowledge(first.incident_id, actor="ann")
        assert await old.terminate() == 0
    async with running_server(folder=place) as new, IncidentClient(new.grpc) as client:
        again = await client.submit_event(event)
        assert (again.event_id, again.disposition) == (first.event_id, pb.Disposition.DISPOSITION_DUPLICATE)
        event.idempotency_key = "twice"
        assert (await client.submit_event(event)).incident_id == first.incident_id
        after = await client.get_incident(before.number)
        assert (after.id, after.title, after.state, list(after.assignees)) == (
            before.id, before.title, before.state, list(before.assignees)
        )  # fmt: skip
        assert after.event_count == 2
        assert [entry.id async for entry in client.iter_timeline(after.id)]
        assert (await client.resolve(after.id)).state == pb.IncidentState.INCIDENT_STATE_RESOLVED
