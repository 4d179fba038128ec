"""The manager inside another program: the server's pipeline and store, no network door, no trace of it left behind."""

import ast
import asyncio
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import structlog
from pydantic import ValidationError

from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.embedded import (
    Alert,
    DomainError,
    ErrorReason,
    IncidentProcessor,
    IncidentType,
    Severity,
    State,
)
from tests.support import markdown, printed, waiting
from tools import shell

README = shell.ROOT / "README.md"


@pytest.fixture(autouse=True)
def fresh_logging() -> Iterator[None]:
    """As in a program that has not set up the server's logging, whatever ran before."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


ALERT = Alert("ext-123", "monitoring", "High CPU Usage", "CPU usage exceeded 90%", Severity.P1, "Infrastructure")


async def test_the_example_runs_as_printed() -> None:
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.embedded", cwd=shell.ROOT, stdout=asyncio.subprocess.PIPE, stderr=-1
    )
    async with asyncio.timeout(printed.SECONDS):
        out, err = await ran.communicate()
    created, again, ended = out.decode().splitlines()
    assert (ran.returncode, err) == (0, b"")
    assert created.startswith("Incident created: 0")
    assert again == "The same alert again: duplicate"
    assert ended.endswith(" is RESOLVED: P1 High CPU Usage")


async def test_an_alert_is_judged_grouped_and_its_incident_lives() -> None:
    async with IncidentProcessor() as processor:
        first = await processor.process_alert(ALERT)
        again = await processor.process_alert(ALERT)
        other = await processor.process_alert(ALERT._replace(external_id="ext-124", severity="sev0"))
        assert [ack.status for ack in (first, again, other)] == ["accepted", "duplicate", "accepted"]
        assert first.incident_id == again.incident_id == other.incident_id
        assert again.alert_id == first.alert_id != other.alert_id
        assert first.incident_id is not None
        incident = await processor.incident(first.incident_id)
        assert (incident.severity, incident.incident_type) == (Severity.P0, IncidentType.INFRASTRUCTURE)
        assert (incident.state, incident.event_count) == (State.NEW, 2)
        assert (await processor.acknowledge(incident.number, actor="ann")).state is State.ACKNOWLEDGED
        ended = await processor.resolve(incident.number, resolved_by="ann", root_cause="leak")
        assert ended.state is State.RESOLVED
        assert ended.resolution is not None
        assert (ended.resolution.resolved_by, ended.resolution.root_cause) == ("ann", "leak")


async def test_refusals_tell_what_every_door_tells() -> None:
    async with IncidentProcessor() as processor:
        with pytest.raises(DomainError, match=r"source must not be empty.*1 more") as refused:
            await processor.process_alert(ALERT._replace(source="", title=""))
        assert refused.value.reason is ErrorReason.INVALID_FIELD
        assert [violation.field for violation in refused.value.violations] == ["alert.source", "alert.title"]
        with pytest.raises(DomainError) as unknown:
            await processor.incident("INC-20200101-00001")
        assert unknown.value.reason is ErrorReason.NOT_FOUND
        ack = await processor.process_alert(ALERT)
        assert ack.incident_id is not None
        with pytest.raises(DomainError) as untaken:
            await processor.resolve(ack.incident_id, resolved_by="ann")
        assert untaken.value.reason is ErrorReason.ILLEGAL_TRANSITION


async def test_nothing_listens_and_nothing_is_left(tmp_path: Path) -> None:
    process, before = psutil.Process(), asyncio.all_tasks()
    listening = {c.laddr for c in process.net_connections() if c.status == psutil.CONN_LISTEN}
    async with IncidentProcessor({"storage": {"type": "sqlite", "path": str(tmp_path / "data")}}) as processor:
        await processor.process_alert(ALERT)
        assert {c.laddr for c in process.net_connections() if c.status == psutil.CONN_LISTEN} == listening
    assert asyncio.all_tasks() == before
    async with IncidentProcessor({"storage": {"type": "sqlite", "path": str(tmp_path / "data")}}) as processor:
        assert (await processor.process_alert(ALERT)).status == "duplicate"


async def test_settings_are_those_of_the_configuration_file() -> None:
    async with IncidentProcessor({"triage": {"default_severity": "P4"}}) as processor:
        ack = await processor.process_alert(Alert("x", "someone", "Something happened"))
        assert ack.incident_id is not None
        incident = await processor.incident(ack.incident_id)
        assert incident.severity is Severity.P4
        assert incident.updated_at - incident.created_at < SECOND
    with pytest.raises(ValidationError, match="colour"):
        IncidentProcessor({"colour": "blue"})


async def test_lines_go_to_the_programs_own_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "llm_incident_manager"):
        async with IncidentProcessor() as processor:
            await processor.process_alert(ALERT)
            await waiting.until(lambda: any("notify.sent" in record.getMessage() for record in caplog.records))
    sent = next(record for record in caplog.records if "notify.sent" in record.getMessage())
    assert sent.name == "llm_incident_manager.notify"


async def test_outside_its_block_it_says_how_it_is_used() -> None:
    processor = IncidentProcessor()
    with pytest.raises(RuntimeError, match="async with IncidentProcessor"):
        await processor.incident("x")


async def test_the_program_of_the_readme_runs_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """As at an interactive prompt for asynchronous code, since it awaits outside any function."""
    [program] = [block for block in markdown.blocks(README, "python") if "llm_incident_manager.embedded" in block.text]
    compiled = compile(program.text, program.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    await eval(compiled, {})  # noqa: S307 - our own page
    assert capsys.readouterr().out.startswith("Incident created: ")
