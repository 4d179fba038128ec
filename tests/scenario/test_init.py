"""`init`: from an empty directory to a server that asks who calls, and a command line that it knows."""

import asyncio
import json
import ssl
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.support.command import Finished, command, start
from tests.support.http import whole
from tests.support.postgres import Cluster
from tests.support.server import free_port, running_server

UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}


@pytest.fixture
def here(tmp_path: Path) -> dict[str, str]:
    """An environment of its own: contexts, and free ports."""
    ports = {name: str(free_port()) for name in ("GRPC_PORT", "API_PORT", "LLM_IM__TLS__MTLS_PORT")}
    return {"LLM_IM_CONTEXTS": str(tmp_path / "contexts.yaml"), "LLM_IM_ADDRESS": "", **ports}


def contexts_of(env: Mapping[str, str]) -> str:
    """What the file of contexts says."""
    return Path(env["LLM_IM_CONTEXTS"]).read_text("utf-8")


async def made(folder: Path, env: Mapping[str, str], *more: str) -> str:
    """The key that `init` prints."""
    done = await command("init", str(folder), *more, env=env)
    assert done.code == 0, done.err
    return done.out.strip()


@asynccontextmanager
async def served(folder: Path, env: Mapping[str, str]) -> AsyncIterator[None]:
    """A server with the configuration that was written, once it is ready."""
    process = await start("serve", "--config", str(folder / "config.yaml"), env=env)
    trusted = ssl.create_default_context(cafile=str(folder / "certs" / "ca.pem"))
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            ready = f"https://localhost:{env['API_PORT']}/health/ready"
            while True:
                assert process.returncode is None, (await process.communicate())[1].decode()
                with suppress(aiohttp.ClientError):
                    if (await whole(http.get(ready, ssl=trusted))).status == 200:
                        break
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), 30)


async def test_after_init_a_server_serves_whoever_has_the_key_and_nobody_else(
    tmp_path: Path, here: dict[str, str]
) -> None:
    folder = tmp_path / "im"
    key = await made(folder, here)
    secrets = (folder / "admin.key", folder / "certs" / "server-key.pem", folder / "certs" / "ca-key.pem")
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert key not in (folder / "config.yaml").read_text("utf-8") + contexts_of(here)
    async with served(folder, here):
        who = await command("--context", "local", "whoami", "-o", "json", env=here)
        assert who.code == 0, who.err
        told = json.loads(who.out)
        assert (told["subject"], told["tenant"], told["roles"]) == ("admin", "default", ["platform_admin"])
        assert told["proven_by"] == "api_key"
        bare = ["--address", f"localhost:{here['GRPC_PORT']}", "--ca", str(folder / "certs" / "ca.pem")]
        await command("context", "add", "stranger", *bare, env=here)
        stranger = await command("--context", "stranger", "incident", "list", env=here)
        assert (stranger.code, "UNAUTHENTICATED" in stranger.err) == (1, True)
        out = folder / "sentinel.key"
        given = await command("keys", "create", "sentinel", "--role", "producer", "--out", str(out), env=here)
        assert given.code == 0, given.err
        await command("context", "add", "sentinel", *bare, "--api-key-file", str(out), env=here)
        sent = await command("--context", "sentinel", "event", "send", "--title", "Drift", "--json", env=here)
        assert (sent.code, sent.json["status"]) == (0, "accepted")
        service = ["--cert", str(folder / "certs" / "shield.pem"), "--key", str(folder / "certs" / "shield-key.pem")]
        mtls = ["--address", f"localhost:{here['LLM_IM__TLS__MTLS_PORT']}", *bare[2:]]
        await command("context", "add", "shield", *mtls, *service, env=here)
        shield = await command("--context", "shield", "whoami", "-o", "json", env=here)
        assert shield.code == 0, shield.err
        assert (json.loads(shield.out)["subject"], json.loads(shield.out)["proven_by"]) == ("shield", "mtls")


async def test_init_replaces_nothing_and_leaves_nothing_half_done(tmp_path: Path, here: dict[str, str]) -> None:
    folder = tmp_path / "im"
    key = await made(folder, here)
    again = await command("init", str(folder), env=here)
    assert (again.code, f"{folder / 'config.yaml'} exists" in again.err) == (2, True)
    other = await command("init", str(tmp_path / "other"), env=here)
    assert (other.code, "context 'local' exists" in other.err) == (2, True)
    assert not (tmp_path / "other").exists()
    assert (folder / "admin.key").read_text("utf-8").strip() == key
    gone = {**here, "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/gone"}
    failed = await command("init", str(tmp_path / "failed"), "--name", "failed", env=gone)
    assert (failed.code, (tmp_path / "failed").exists()) == (1, False)
    assert "failed" not in contexts_of(here)
    wrong = await command("init", str(tmp_path / "wrong"), "--name", "wrong", "--host", "bücher.example", env=here)
    assert (wrong.code, (tmp_path / "wrong").exists()) == (2, False)


async def test_on_postgresql_the_pepper_lies_beside_the_configuration(
    tmp_path: Path, here: dict[str, str], cluster: Cluster
) -> None:
    env = {**here, **UNSAFE, "DATABASE_URL": cluster.dsn(cluster.create())}
    await made(tmp_path / "im", env)
    assert "postgresql:" not in (tmp_path / "im" / "config.yaml").read_text("utf-8")
    async with served(tmp_path / "im", env):
        who = await command("--context", "local", "whoami", "-o", "json", env=env)
        assert (who.code, json.loads(who.out)["subject"]) == (0, "admin")


async def test_a_server_that_nobody_can_call_says_so() -> None:
    async with running_server(config=json.dumps({"identity": {"required": True}})) as server:
        ready = await whole(aiohttp.request("GET", f"{server.http}/health/ready"))
        assert (ready.status, "refuses everybody" in ready.json["checks"]["callers"]) == (200, True)
        assert "access.nobody_can_call" in server.log


async def refused(env: Mapping[str, str], folder: Path) -> Finished:
    return await command("serve", env={**env, "DATABASE_URL": "sqlite::memory:"}, cwd=folder)


async def test_a_start_that_would_serve_everybody_names_both_remedies(tmp_path: Path, here: dict[str, str]) -> None:
    told = await refused({**here, "GRPC_HOST": "0.0.0.0"}, tmp_path)
    assert told.code == 2
    assert "`llm-incident-manager init`" in told.err
    assert "ALLOW_ANONYMOUS=true" in told.err
