"""`login`: a person enters a code in a browser, and the commands that follow bear a token and keep it fresh."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Finished, command, start
from tests.support.issuer import Issuer, an_issuer
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, free_port, running_server

CLIENT = ["--client-id", "incident-cli"]


@dataclass
class Terminal:
    """A person's command line with a context for a server that asks who calls."""

    server: RunningServer
    issuer: Issuer
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """Where its contexts are."""
        return {"LLM_IM_CONTEXTS": str(self.folder / "contexts.yaml"), "LLM_IM_ADDRESS": ""}

    @property
    def file(self) -> Path:
        """Where the token is kept."""
        return self.folder / "tokens" / "work.json"

    async def run(self, *arguments: str) -> Finished:
        """Runs a command."""
        return await command(*arguments, env=self.env)

    async def login(self, *arguments: str, agrees: bool = True) -> Finished:
        """Logs in; the person answers as soon as the code is shown."""
        process = await start("login", *arguments, env=self.env)
        assert process.stderr is not None
        first = (await asyncio.wait_for(process.stderr.readline(), 20)).decode()
        assert first.startswith(f"open {self.issuer.url}/activate and enter "), first
        self.issuer.approve(first.split()[-1], agrees=agrees)
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode is not None
        return Finished(process.returncode, out.decode(), first + err.decode())


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    async with an_issuer() as issuer:
        identity = {"required": True, "issuers": [issuer.settings()]}
        async with running_server(config=json.dumps({"identity": identity, **LOOPBACK})) as server:
            it = Terminal(server, issuer, tmp_path)
            added = await it.run(
                "context", "add", "work", "--address", server.grpc, "--issuer", issuer.url, *CLIENT, "--scope", "openid"
            )
            assert added.code == 0, added.err
            yield it


async def test_a_person_logs_in_and_out(terminal: Terminal) -> None:
    refused = await terminal.run("incident", "list")
    assert (refused.code, "`login`" in refused.err) == (1, True)
    done = await terminal.login()
    assert (done.code, done.out) == (0, "logged in: context work has a token\n")
    assert (await terminal.run("incident", "list")).code == 0
    assert stat.S_IMODE(terminal.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(terminal.file.parent.stat().st_mode) == 0o700
    token = json.loads(terminal.file.read_text("utf-8"))["access_token"]
    assert token not in (terminal.folder / "contexts.yaml").read_text("utf-8")
    assert token not in done.out + done.err
    assert (await terminal.run("logout")).code == 0
    assert not terminal.file.exists()
    assert (await terminal.run("incident", "list")).code == 1
    assert (await terminal.run("logout")).code == 2


async def test_a_token_that_is_about_to_end_is_renewed_once_by_commands_that_run_together(terminal: Terminal) -> None:
    terminal.issuer.lifetime = 20
    assert (await terminal.login()).code == 0
    terminal.issuer.lifetime = 300
    lists = await asyncio.gather(*(terminal.run("incident", "list") for _ in range(3)))
    assert [one.code for one in lists] == [0, 0, 0]
    assert terminal.issuer.asked["refresh"] == 1
    assert stat.S_IMODE(terminal.file.stat().st_mode) == 0o600
    assert (await terminal.run("incident", "list")).code == 0
    assert terminal.issuer.asked["refresh"] == 1


async def test_a_login_that_the_issuer_has_ended_asks_for_another(terminal: Terminal) -> None:
    terminal.issuer.lifetime = 20
    assert (await terminal.login()).code == 0
    terminal.issuer.refresh_tokens.clear()
    ended = await terminal.run("incident", "list")
    assert (ended.code, "invalid_grant" in ended.err, "log in again" in ended.err) == (1, True, True)


async def test_a_person_who_says_no_is_not_logged_in(terminal: Terminal) -> None:
    done = await terminal.login(agrees=False)
    assert (done.code, "the login was refused" in done.err) == (1, True)
    assert not terminal.file.exists()


async def test_an_issuer_that_does_not_answer_or_calls_itself_otherwise_is_told(terminal: Terminal) -> None:
    nobody = await terminal.run("login", "--issuer", f"http://127.0.0.1:{free_port()}")
    assert (nobody.code, "no answer from 127.0.0.1" in nobody.err) == (5, True)
    other = await terminal.run("login", "--issuer", terminal.issuer.url.replace("127.0.0.1", "localhost"))
    assert (other.code, "calls itself" in other.err) == (1, True)
    clear = await terminal.run("login", "--issuer", "http://login.example.com")
    assert (clear.code, "clear text" in clear.err) == (2, True)


async def test_a_context_without_an_issuer_cannot_log_in(terminal: Terminal) -> None:
    await terminal.run("context", "add", "bare", "--address", terminal.server.grpc)
    told = await terminal.run("--context", "bare", "login")
    assert (told.code, "context bare names no issuer" in told.err) == (2, True)
    told = await command("login", env={**terminal.env, "LLM_IM_ADDRESS": terminal.server.grpc})
    assert (told.code, "context add" in told.err) == (2, True)


async def test_a_token_that_somebody_else_keeps_fresh_is_read_from_its_file(terminal: Terminal) -> None:
    file = terminal.folder / "token"
    file.write_text(terminal.issuer.token() + "\n", "utf-8")
    await terminal.run("context", "add", "robot", "--address", terminal.server.grpc, "--token-file", str(file))
    assert (await terminal.run("--context", "robot", "incident", "list")).code == 0
    file.write_text("changed", "utf-8")
    assert (await terminal.run("--context", "robot", "incident", "list")).code == 1
    both = ["--token-file", str(file), "--api-key-file", str(file)]
    assert (await terminal.run("context", "add", "both", "--address", "localhost:1", *both)).code == 2
