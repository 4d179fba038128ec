"""`backup`, `backup verify` and `restore` as people type them: what they print, and what they refuse in which words."""

from pathlib import Path

import pytest

from llm_incident_client import IncidentClient, pb
from llm_incident_client.core.errors import NotFound
from tests.support.command import command
from tests.support.server import running_server

OLD = "01880000-0000-7000-8000-000000000000"
"""The id of an event of May 2023."""


async def test_a_running_server_is_backed_up_and_brought_back_elsewhere(tmp_path: Path) -> None:
    here = {"DATABASE_URL": f"sqlite://{tmp_path / 'here'}"}
    there = {"DATABASE_URL": f"sqlite://{tmp_path / 'there'}"}
    file = str(tmp_path / "b.zip")
    async with running_server(env=here) as server, IncidentClient(server.grpc) as client:
        incident = (await client.submit_event(pb.Event(source="s", title="it fails"))).incident_id
        done = await command("backup", file, env=here)
        assert done.code == 0, done.err
        assert f"backed up into {file}, verified: 1 events, 1 incidents" in done.out
        refused = await command("restore", file, "--force", env=here)
        assert refused.code == 1
        assert "in use by process" in refused.err
        again = await command("backup", file, env=here)
        assert again.code == 1
        assert "exists already: remove it, or name another file" in again.err
    whole = await command("backup", "verify", file)
    assert whole.out.startswith(f"{file} is whole: 1 events, 1 incidents")
    restored = await command("restore", file, env=there)
    assert restored.out.startswith(f"restored from {file}, verified: 1 events, 1 incidents")
    async with running_server(env=there) as server, IncidentClient(server.grpc) as client:
        assert (await client.get_incident(incident)).title == "it fails"
    refused = await command("restore", file, env=there)
    assert refused.code == 1
    assert "--force" in refused.err
    assert (await command("restore", file, "--force", env=there)).code == 0


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "env", "code", "message"),
    [
        (("backup", "b.zip"), {"DATABASE_URL": "sqlite::memory:"}, 1, "keeps nothing that could be backed up"),
        (("backup", "b.zip"), {"DATABASE_URL": "sqlite:nowhere"}, 1, "there is no database nowhere"),
        (("backup", "b.zip"), {"DATABASE_URL": "postgresql://u@127.0.0.1:1/d"}, 1, "does not answer"),
        (("backup", "away/b.zip"), {"DATABASE_URL": "sqlite:."}, 2, "No such file or directory"),
        (("backup", "verify", "missing.zip"), {}, 2, "missing.zip: No such file or directory"),
        (("backup", "check", "b.zip"), {}, 2, "backup verify FILE"),
        (("restore", "missing.zip"), {"DATABASE_URL": "sqlite:new"}, 2, "missing.zip: No such file or directory"),
    ],
)
async def test_what_cannot_be_done_is_said_with_its_remedy(
    tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], code: int, message: str
) -> None:
    done = await command(*arguments, env=env, cwd=tmp_path)
    assert done.code == code, done.err
    assert message in done.err
    assert left_in(tmp_path) == []


async def test_an_event_that_retention_has_passed_says_so() -> None:
    async with running_server() as server, IncidentClient(server.grpc) as client:
        with pytest.raises(NotFound, match=r"events are kept for 90 days \(retention\.events_days\)"):
            await client.get_event(OLD)
        with pytest.raises(NotFound, match=r"does not exist$"):
            await client.get_event(OLD.replace("0188", "ff88"))
