"""`compliance` and `analytics` on the command line and over REST, on a real server: what passes shows its evidence."""

import asyncio
import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from llm_incident_client import IncidentClient, pb
from tests.support.command import command
from tests.support.receiver import LOOPBACK, a_receiver
from tests.support.server import RunningServer, running_server

TITLE = "=<script>alert(1)</script> | leak"


async def rest(server: RunningServer, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
    async with aiohttp.request(method, server.http + path, json=body) as reply:
        assert reply.status == 200, await reply.text()
        return json.loads(await reply.text())


async def handled(client: IncidentClient) -> str:
    """An incident about personal data that was handled well."""
    labels = {"gdpr": "", "team": "payments"}
    event = pb.Event(source="llm-shield", title=TITLE, severity="high", labels=labels, kind="sensitive_data_leak")
    incident = (await client.submit_event(event)).incident_id
    await client.acknowledge(incident, actor="ann")
    await client.add_attachment(incident, "https://example.com/n", title="Authority notice", actor="ann")
    await client.add_attachment(incident, "https://example.com/s", title="data subject notice", actor="ann")
    await client.resolve(incident, resolved_by="ann", root_cause="a prompt without a filter")
    return incident


async def notified(client: IncidentClient) -> None:
    """A notification was sent, and the audit is signed up to here."""
    async with asyncio.timeout(30):
        while True:
            found = await client.check_compliance("soc2")
            done = {
                line.requirement_id
                for line in found.lines
                if line.status == pb.ComplianceStatus.COMPLIANCE_STATUS_PASSED
            }
            if {"notified", "sealed"} <= done:
                return
            await asyncio.sleep(0.1)


async def test_reports_and_their_evidence_on_the_command_line_and_over_rest(tmp_path: Path) -> None:
    async with a_receiver() as receiver:
        channel = {"type": "webhook", "webhook_url": receiver.url}
        config = {"notifications": {"channels": [channel]}, "audit": {"checkpoint_secs": 1}, **LOOPBACK}
        async with (
            running_server(config=json.dumps(config), folder=tmp_path) as server,
            IncidentClient(server.grpc) as client,
        ):
            incident = await handled(client)
            await notified(client)
            await _checked(server, incident)
            await _written(server, client, tmp_path)
            await _counted(server)


async def _checked(server: RunningServer, incident: str) -> None:
    checked = await command("compliance", "check", "GDPR", "--json", server=server)
    assert checked.code == 1, "this server asks nobody who they are, and speaks no TLS"
    lines = {f"{line['control_id']} {line['requirement_id']}": line for line in checked.json["lines"]}
    assert all(line["evidence"] for line in lines.values())
    failed = {name for name, line in lines.items() if line["status"] == "FAILED"}
    assert failed == {"GDPR-5-1-c redaction", "GDPR-32-1 identity", "GDPR-32-1 tls"}
    notice = lines["GDPR-33-1 authority-notice"]
    assert (notice["status"], notice["applicable_count"]) == ("PASSED", 1)
    shown = await command("compliance", "evidence", notice["evidence"][0]["id"], server=server)
    assert shown.json["attachment"]["incident_id"] == incident
    for line in lines.values():
        for each in line["evidence"]:
            assert (await rest(server, "GET", f"/api/v1/compliance/evidence/{each['id']}"))["id"] == each["id"]
    body = {"framework": "gdpr", "filter": "labels.team = payments"}
    over_rest = await rest(server, "POST", "/api/v1/compliance/check", body)
    assert [line["status"] for line in over_rest["lines"]] == [line["status"] for line in checked.json["lines"]]
    table = await command("compliance", "check", "gdpr", server=server)
    assert "no legal advice" in table.out
    assert "FAILED" in table.out
    unknown = await command("compliance", "check", "sox", server=server)
    assert unknown.code == 3
    assert "known are gdpr, hipaa, iso27001, pci_dss, soc2" in unknown.err


async def _written(server: RunningServer, client: IncidentClient, folder: Path) -> None:
    written: dict[str, bytes] = {}
    for name in ("JSON", "CSV", "MARKDOWN", "HTML"):
        format_ = pb.ReportFormat.Value(f"REPORT_FORMAT_{name}")
        first, second = [
            await client.generate_report("gdpr", format=format_, start="2020-01-01", end="2099-12-31") for _ in range(2)
        ]
        assert first == second, "the same records give the same bytes"
        assert first.sha256 == hashlib.sha256(first.content.encode()).hexdigest()
        assert "gal advice" in first.content.replace("\n", " ")
        written[name.lower()] = first.content.encode()
    words = ("compliance", "report", "gdpr", "--format", "csv", "--file", str(folder / "report.csv"))
    told = await command(*words, "--start", "2020-01-01", "--end", "2099-12-31", server=server)
    assert (folder / "report.csv").read_bytes() == written["csv"]
    assert hashlib.sha256(written["csv"]).hexdigest() in told.out
    assert "exists already" in (await command(*words, server=server)).err
    rows = list(csv.DictReader(io.StringIO(written["csv"].decode())))
    assert [row["control_id"] for row in rows] == [line["control_id"] for line in json.loads(written["json"])["lines"]]
    assert all(row["evidence"] for row in rows)
    assert b"<script" not in written["html"]
    body = {"format": "MARKDOWN", "start": "2020-01-01", "end": "2099-12-31"}
    made = await rest(server, "POST", "/api/v1/audit/report/gdpr", body)
    assert (made["content"].encode(), made["file_name"]) == (
        written["markdown"],
        "compliance-gdpr-2020-01-01-2099-12-31.md",
    )


async def _counted(server: RunningServer) -> None:
    figures = await rest(server, "GET", "/api/v1/governance/metrics")
    assert [one["framework"] for one in figures["frameworks"]] == ["gdpr", "hipaa", "iso27001", "pci_dss", "soc2"]
    gdpr = figures["frameworks"][0]
    assert (gdpr["status"], gdpr["violations_by_gravity"]) == ("FAILED", {"high": 2, "medium": 1})
    trend = await rest(server, "GET", "/api/v1/analytics/trends?interval=hour&group_by=team&time_zone=Asia/Kolkata")
    assert (trend["values"], trend["value_count"]) == (["payments"], 1)
    assert sum(step["figures"]["count"] for step in trend["steps"]) == 1
    assert trend["steps"][1]["start_time"].endswith(":30:00Z")
    summary, one, days, kept, plain, wrong, wide = await asyncio.gather(
        command("compliance", "summary", server=server),
        command("compliance", "frameworks", "pci", server=server),
        command("analytics", "trends", "--interval", "week", "--group-by", "severity", server=server),
        command("analytics", "sla", "--group-by", "team", "--json", server=server),
        command("analytics", "metrics", "--group-by", "team", server=server),
        command("analytics", "trends", "--days-of", "Mars/Olympus", server=server),
        command("analytics", "trends", "--interval", "hour", "--start", "2020-01-01", server=server),
    )
    assert "1 medium" in summary.out
    assert "PCI-12.10.3" in one.out
    assert "P1" in days.out
    assert kept.json["groups"][0]["figures"]["resolve"] == {"met": 1, "breached": 0, "pending": 0, "attainment": 1.0}
    assert "payments" in plain.out
    assert "IANA time zone database" in wrong.err
    assert "choose longer ones, or a shorter span" in wide.err
