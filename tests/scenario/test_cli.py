"""An evening at the command line: report, look, act, and know from the exit code what happened."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.support.command import command, start
from tests.support.server import RunningServer, free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def open_incident(server: RunningServer, title: str) -> str:
    """Reports an event that opens an incident; its number."""
    sent = await command("event", "send", "--title", title, "--service", title, "--json", server=server)
    shown = await command("incident", "show", sent.json["incident_id"], "--json", server=server)
    number: str = shown.json["number"]
    return number


async def test_a_reported_event_tells_what_became_of_it(server: RunningServer) -> None:
    fields = ["--title", "prompt made the agent mail", "--kind", "prompt_injection.direct", "--severity", "low"]
    sent = await command(
        "event", "send", *fields, "--label", "region=eu", "--attribute", "tool_executed", "--json", server=server
    )
    assert (sent.code, sent.err) == (0, "")
    assert (sent.json["status"], sent.json["disposition"]) == ("accepted", "NEW")
    shown = (await command("--json", "incident", "show", sent.json["incident_id"], server=server)).json
    assert (shown["severity"], shown["state"], shown["labels"]["region"]) == ("P1", "NEW", "eu")


async def test_an_event_may_come_as_json_and_options_win(server: RunningServer) -> None:
    raw = json.dumps({"title": "from a pipe", "source": "script", "severity": "high"}).encode()
    sent = await command("event", "send", "--file", "-", "--severity", "P3", "--json", server=server, stdin=raw)
    shown = (await command("incident", "show", sent.json["incident_id"], "--json", server=server)).json
    assert (shown["title"], shown["source"], shown["severity"]) == ("from a pipe", "script", "P3")


async def test_an_invalid_event_names_every_bad_field(server: RunningServer) -> None:
    sent = await command("event", "send", "--kind", "no$kind", "--environment", "e" * 65, server=server)
    assert (sent.code, sent.out) == (1, "")
    assert "INVALID_FIELD" in sent.err
    assert "event.kind" in sent.err
    assert "event.environment" in sent.err


async def test_an_incident_goes_through_its_whole_life(server: RunningServer) -> None:
    number = await open_incident(server, "a whole life")
    steps = [
        (["ack", number, "--actor", "ann"], "ACKNOWLEDGED"),
        (["ack", number], "ACKNOWLEDGED"),
        (["start", number], "IN_PROGRESS"),
        (["escalate", number, "--reason", "too big"], "ESCALATED"),
        (["de-escalate", number], "IN_PROGRESS"),
        (["assign", number, "ann", "bob"], "IN_PROGRESS"),
        (["resolve", number, "--notes", "rolled back", "--root-cause", "a deploy", "--actor", "bob"], "RESOLVED"),
        (["reopen", number, "--reason", "it is back"], "IN_PROGRESS"),
        (["resolve", number], "RESOLVED"),
        (["close", number], "CLOSED"),
    ]
    for arguments, state in steps:
        done = await command("incident", *arguments, "--json", server=server)
        assert (done.code, done.json["state"]) == (0, state), (arguments, done.err)
    noted = await command("incident", "note", number, "-", "--actor", "ann", server=server, stdin=b"what we learned")
    assert (noted.code, noted.out.endswith("by ann\n")) == (0, True)
    told = (await command("incident", "timeline", number, "--json", server=server)).json_lines
    assert [entry["kind"] for entry in told if entry["kind"] != "ROUTED" and entry["kind"] != "NOTIFIED"] == [
        "OPENED", "STATE", "STATE", "STATE", "STATE", "ASSIGNED", "STATE", "STATE", "STATE", "STATE", "NOTE",
    ]  # fmt: skip
    for_people = await command("incident", "timeline", number, server=server)
    assert "what we learned" in for_people.out


async def test_what_is_refused_and_what_is_missing_have_exit_codes_of_their_own(server: RunningServer) -> None:
    number = await open_incident(server, "exit codes")
    missing = await command("incident", "show", "INC-20200101-00001", server=server)
    refused = await command("incident", "close", number, server=server)
    stale = await command("incident", "ack", number, "--etag", '"99"', server=server)
    twice = await command("incident", "create", "--title", "a", "--dedup-key", "one", server=server)
    taken = await command("incident", "create", "--title", "b", "--dedup-key", "one", server=server)
    assert [done.code for done in (missing, refused, stale, twice, taken)] == [3, 4, 4, 0, 4]
    assert "NOT_FOUND" in missing.err
    assert "acknowledge" in refused.err, "the verbs that are allowed"
    assert "hint: read it again" in stale.err
    assert "FINGERPRINT_TAKEN" in taken.err


async def test_nobody_there_is_exit_code_five_with_a_remedy() -> None:
    done = await command("incident", "list", "--address", f"127.0.0.1:{free_port()}", "--timeout", "0.5")
    assert (done.code, done.out) == (5, "")
    assert "llm-incident-manager serve" in done.err


@pytest.mark.parametrize("arguments", [
    ["incident"], ["incident", "list", "--state", "broken"], ["incident", "list", "--severity", "P7"], ["nothing"],
    ["event", "send", "--label", "x"], ["replay", "--map", "nobody", "x"], ["replay", "does-not-exist.jsonl"],
], ids=" ".join)  # fmt: skip
async def test_what_cannot_be_meant_is_exit_code_two(server: RunningServer, arguments: list[str]) -> None:
    done = await command(*arguments, server=server)
    assert done.code == 2
    assert done.err or done.out, "what would be meant"


async def test_a_list_is_cut_and_filtered(server: RunningServer) -> None:
    for number in range(3):
        words = ["--title", f"listed {number}", "--service", f"l{number}", "--severity", f"P{number}"]
        await command("event", "send", *words, "--label", "set=listed", server=server)
    ours = ["incident", "list", "--filter", 'labels.set = "listed"']
    everything = (await command(*ours, "--json", server=server)).json
    assert [one["title"] for one in everything["incidents"]] == ["listed 2", "listed 1", "listed 0"]
    severe = (await command(*ours, "--severity", "P1", "--state", "new", "--json", server=server)).json
    assert {one["title"] for one in severe["incidents"]} == {"listed 0", "listed 1"}
    ordered = (await command(*ours, "--order-by", "severity desc", "--limit", "1", "--json", server=server)).json
    assert [one["title"] for one in ordered["incidents"]] == ["listed 0"]
    assert ordered["pagination"]["total_count"] == 3
    table = await command(*ours, "--open", "--limit", "2", server=server)
    assert "2 of 3; --limit 0 shows all" in table.out
    assert table.out.splitlines()[0].split()[:4] == ["NUMBER", "SEV", "STATE", "EVENTS"]


async def test_a_watch_prints_changes_as_they_happen(server: RunningServer) -> None:
    number = await open_incident(server, "watched")
    watching = await start(
        "incident", "watch", "--filter", 'service = "watched"', "--snapshot", "--json", "--limit", "3", server=server
    )
    assert watching.stdout is not None
    async with asyncio.timeout(20):
        first = json.loads(await watching.stdout.readline())
        assert (first["kind"], first["incident"]["number"]) == ("SNAPSHOT", number)
        await command("incident", "ack", number, server=server)
        await command("incident", "start", number, server=server)
        others = [json.loads(await watching.stdout.readline()) for _ in range(2)]
        assert await watching.wait() == 0
    assert [(one["kind"], one["incident"]["state"]) for one in others] == [
        ("STATE", "ACKNOWLEDGED"), ("STATE", "IN_PROGRESS"),
    ]  # fmt: skip


async def test_an_interrupted_watch_leaves_quietly(server: RunningServer) -> None:
    await open_incident(server, "interrupted")
    watching = await start("incident", "watch", "--filter", 'service = "interrupted"', "--snapshot", server=server)
    assert watching.stdout is not None
    await watching.stdout.readline()
    watching.send_signal(2)
    _, err = await watching.communicate()
    assert (watching.returncode, err) == (130, b"")


async def test_the_configuration_is_shown_without_secrets_and_checked_with_remedies(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql://ann:s3cret@db.example.com/incidents", "LLM_IM_ADDRESS": "elsewhere:1"}
    shown = await command("config", "show", "--json", env=env, cwd=tmp_path)
    assert (shown.code, "s3cret" in shown.out, "db.example.com" in shown.out) == (0, False, True)
    assert (await command("config", "check", cwd=tmp_path)).code == 0
    (tmp_path / "config.yaml").write_text("grpc:\n  prot: 50051\n")
    wrong = await command("config", "check", cwd=tmp_path)
    assert wrong.code == 2
    assert "grpc.prot" in wrong.err
    assert (await command("serve", cwd=tmp_path)).code == 2


async def test_a_migration_is_named_before_it_is_made(tmp_path: Path) -> None:
    env = {"DATABASE_URL": f"sqlite:///{tmp_path}/data"}
    planned = await command("migrate", "--dry-run", env=env, cwd=tmp_path)
    assert planned.out.startswith("would apply 0001_pre_first")
    assert not (tmp_path / "data").exists()
    made = await command("migrate", env=env, cwd=tmp_path)
    assert made.out.startswith("applied 0001_pre_first")
    assert (await command("migrate", env=env, cwd=tmp_path)).out == "the schema is up to date\n"
