"""`keys`, `roles`, `tenants`, `certs` and `whoami` as people and scripts run them."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.callers import over_http
from tests.support.command import Finished, command
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A started server whose database is empty at the beginning of the module."""
    async with running_server() as started:
        yield started


async def run(server: RunningServer, *words: str) -> Finished:
    done = await command(*words, server=server)
    assert done.code == 0, done.err
    return done


async def test_a_key_is_alone_on_standard_output_and_works(server: RunningServer) -> None:
    made = await run(
        server, "keys", "create", "Sentinel", "--role", "producer", "--subject", "sentinel", "--for", "90d"
    )
    key = made.out.strip()
    assert key.startswith("lim_")
    assert "shown now and never again" in made.err
    assert key not in made.err
    reply = await over_http(server, "/api/v1/whoami", key)
    assert (reply.json["subject"], reply.json["roles"]) == ("sentinel", ["producer"])
    id_ = key.split("_")[1]
    listed = await run(server, "keys", "list")
    assert id_ in listed.out
    assert key not in listed.out
    shown = (await run(server, "keys", "show", id_, "--json")).json
    assert (shown["display_name"], shown["subject"]) == ("Sentinel", "sentinel")
    assert shown["expire_time"]


async def test_a_key_goes_into_a_file_that_only_its_owner_reads(server: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "key"
    made = await run(server, "keys", "create", "x", "--role", "viewer", "--out", str(file), "--json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "lim_" not in made.out
    key = file.read_text().strip()
    assert (await over_http(server, "/api/v1/whoami", key)).status == 200
    again = await command("keys", "create", "x", "--role", "viewer", "--out", str(file), server=server)
    assert again.code != 0
    assert "name a file that does not exist" in again.err
    assert file.read_text().strip() == key


async def test_a_rotated_key_works_on_for_its_overlap_and_a_revoked_one_does_not(server: RunningServer) -> None:
    old = (await run(server, "keys", "create", "x", "--role", "viewer")).out.strip()
    id_ = old.split("_")[1]
    new = (await run(server, "keys", "rotate", id_, "--overlap", "1h")).out.strip()
    assert [(await over_http(server, "/api/v1/whoami", key)).status for key in (old, new)] == [200, 200]
    gone = await run(server, "keys", "revoke", id_, "--reason", "leaked")
    assert "leaked" in gone.out
    assert [(await over_http(server, "/api/v1/whoami", key)).status for key in (old, new)] == [401, 401]
    assert id_ not in (await run(server, "keys", "list")).out
    assert id_ in (await run(server, "keys", "list", "--all")).out


async def test_a_command_uses_the_key_of_its_context(server: RunningServer, tmp_path: Path) -> None:
    file, contexts = tmp_path / "key", {"LLM_IM_CONTEXTS": str(tmp_path / "contexts.yaml")}
    await run(server, "keys", "create", "x", "--role", "viewer", "--subject", "ann", "--out", str(file))
    options = ("--address", server.grpc, "--api-key-file", str(file))
    added = await command("context", "add", "here", *options, env=contexts)
    assert added.code == 0, added.err
    who = await command("whoami", "--context", "here", "--json", env=contexts)
    assert who.code == 0, who.err
    assert (who.json["subject"], who.json["proven_by"]) == ("ann", "api_key")
    refused = await command("keys", "list", "--context", "here", env=contexts)
    assert refused.code != 0
    assert "ACCESS_READ" in refused.err


async def test_a_role_is_made_shown_changed_and_deleted(server: RunningServer) -> None:
    made = await run(
        server, "roles", "create", "night-shift", "--permission", "INCIDENT_READ", "--permission", "incident-write"
    )
    assert "INCIDENT_READ, INCIDENT_WRITE" in made.out
    changed = await run(server, "roles", "update", "night-shift", "--permission", "EVENT_READ", "--json")
    assert changed.json["permissions"] == ["EVENT_READ"]
    assert "night-shift" in (await run(server, "roles", "list")).out
    assert "platform_admin" in (await run(server, "roles", "list")).out
    await run(server, "roles", "delete", "night-shift")
    assert (await command("roles", "show", "night-shift", server=server)).code != 0
    wrong = await command("roles", "create", "x", "--permission", "EVERYTHING", server=server)
    assert "is none of EVENT_WRITE" in wrong.err


async def test_a_tenant_is_made_limited_and_suspended(server: RunningServer) -> None:
    await run(server, "tenants", "create", "acme", "--name", "Acme", "--events-per-second", "500")
    limited = (await run(server, "tenants", "update", "acme", "--burst", "50", "--json")).json
    assert (limited["limits"]["events_per_second"], limited["limits"]["burst"]) == (500, 50)
    suspended = (await run(server, "tenants", "update", "acme", "--state", "suspended", "--json")).json
    assert (suspended["state"], suspended["limits"]["burst"]) == ("SUSPENDED", 50)
    assert "500 events/s" in (await run(server, "tenants", "list")).out
    assert "Acme" in (await run(server, "tenants", "show", "acme")).out


async def test_a_certificate_is_denied_as_openssl_prints_it_and_allowed_again(server: RunningServer) -> None:
    printed = "sha256 Fingerprint=" + ":".join(["AB"] * 32)
    denied = await run(server, "certs", "deny", printed, "--reason", "stolen", "--json")
    assert denied.json["fingerprint"] == "ab" * 32
    assert "stolen" in (await run(server, "certs", "denied")).out
    await run(server, "certs", "allow", "ab" * 32)
    assert "stolen" not in (await run(server, "certs", "denied")).out
    assert (await command("certs", "allow", "ab" * 32, server=server)).code != 0


async def test_whoami_without_a_key_is_whom_the_server_lets_in_so(server: RunningServer) -> None:
    shown = await run(server, "whoami")
    assert "anonymous" in shown.out
    assert "platform_admin" in shown.out
