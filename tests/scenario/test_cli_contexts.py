"""Servers under names: added once, used by every command, and what wins when more than one thing names a server."""

import stat
from pathlib import Path

import pytest

from tests.support.command import Finished, command
from tests.support.server import RunningServer, free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def here(tmp_path: Path) -> dict[str, str]:
    """An environment whose contexts are those of this test."""
    return {"LLM_IM_CONTEXTS": str(tmp_path / "deep" / "contexts.yaml"), "LLM_IM_ADDRESS": ""}


async def test_a_context_is_added_and_used(server: RunningServer, here: dict[str, str]) -> None:
    added = await command("context", "add", "here", "--address", server.grpc, "--actor", "ann", env=here)
    assert (added.code, added.out) == (0, f"context here is {server.grpc}, and the current one\n")
    await command("context", "add", "away", "--address", f"127.0.0.1:{free_port()}", "-o", "yaml", env=here)
    sent = await command("event", "send", "--title", "by a context", "--json", env=here)
    acknowledged = await command("incident", "ack", sent.json["incident_id"], "--json", env=here)
    told = await command("incident", "timeline", acknowledged.json["id"], "--json", env=here)
    assert [one["actor"] for one in told.json_lines if one["kind"] == "STATE"] == ["ann"]
    listed = await command("context", "list", env=here)
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [["away", away_of(listed)], ["*", "here"]]
    assert mode_of(here["LLM_IM_CONTEXTS"]) == 0o600, "it says where somebody's keys are"


def mode_of(file: str) -> int:
    """Who may read it."""
    return stat.S_IMODE(Path(file).stat().st_mode)


def away_of(listed: Finished) -> str:
    """The address of the context that is not the current one."""
    return listed.out.splitlines()[1].split()[1]


async def test_an_option_wins_over_the_environment_and_that_over_the_current_context(
    server: RunningServer, here: dict[str, str]
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    await command("context", "add", "nobody", "--address", nobody, env=here)
    await command("context", "add", "here", "--address", server.grpc, env=here)
    ask = ["incident", "list", "--timeout", "0.5"]
    answers = [
        await command(*ask, env=here),
        await command(*ask, "--context", "here", env=here),
        await command("--context", "here", *ask, env=here),
        await command(*ask, env={**here, "LLM_IM_CONTEXT": "here"}),
        await command(*ask, env={**here, "LLM_IM_ADDRESS": server.grpc}),
        await command(*ask, "--context", "nobody", env={**here, "LLM_IM_ADDRESS": server.grpc}),
        await command(*ask, "--context", "nobody", "--address", server.grpc, env=here),
    ]
    assert [answer.code for answer in answers] == [5, 0, 0, 0, 0, 5, 0]
    used = await command("context", "use", "here", env=here)
    assert used.out == f"context here ({server.grpc}) is the current one\n"
    assert (await command(*ask, env=here)).code == 0
    await command("context", "remove", "here", env=here)
    assert (await command("context", "list", "--json", env=here)).json["name"] == "nobody"


@pytest.mark.parametrize(("arguments", "remedy"), [
    (["context", "use", "nowhere"], "context add NAME"),
    (["incident", "list", "--context", "nowhere"], "context add NAME"),
    (["context", "add", "x", "--address", "h:1", "--cert", "c.pem"], "--cert and --key"),
    (["context", "add", "x", "--address", "h:1", "--time-zone", "Mars"], "Europe/Berlin"),
    (["incident", "list", "--time-zone", "Mars"], "Europe/Berlin"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
async def test_what_cannot_be_meant_names_the_remedy(here: dict[str, str], arguments: list[str], remedy: str) -> None:
    done = await command(*arguments, env=here)
    assert (done.code, done.out) == (2, "")
    assert remedy in done.err


@pytest.mark.parametrize(
    "text", ["[]", "current: a\nsecret: b", "contexts: {a: {}}", "contexts: {a: {adress: x}}", "{"]
)
async def test_a_broken_file_is_named_and_left_alone(here: dict[str, str], text: str) -> None:
    file = broken(here["LLM_IM_CONTEXTS"], text)
    done = await command("context", "add", "x", "--address", "h:1", env=here)
    assert (done.code, str(file) in done.err, text_of(file)) == (2, True, text)


def text_of(file: Path) -> str:
    """What it holds."""
    return file.read_text()


def broken(name: str, text: str) -> Path:
    """The file with that text."""
    file = Path(name)
    file.parent.mkdir()
    file.write_text(text)
    return file


async def test_files_of_an_identity_are_read_when_they_are_used(here: dict[str, str], tmp_path: Path) -> None:
    await command("context", "add", "tls", "--address", "127.0.0.1:1", "--ca", str(tmp_path / "gone.pem"), env=here)
    done = await command("incident", "list", env=here)
    assert (done.code, "gone.pem: No such file" in done.err) == (2, True)
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    await command("context", "add", "tls", "--address", "example.com:1", "--api-key-file", str(key), env=here)
    done = await command("incident", "list", env=here)
    assert (done.code, "clear text" in done.err, "s3cret" in done.err) == (2, True, False)
