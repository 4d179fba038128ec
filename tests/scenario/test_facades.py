"""The clients of Sentinel, Shield and Governance against a real server over mutual TLS, each with the certificate that
`certs dev` makes for its service, asynchronous and blocking."""

import asyncio
import contextlib
import hashlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from examples.reference_services.__main__ import CONFIG
from examples.reference_services.serving import serving
from llm_incident_client import (
    NO_RETRY,
    BreakerPolicy,
    ChannelOptions,
    GovernanceClient,
    IncidentClient,
    RenewedToken,
    SentinelClient,
    ShieldClient,
    StreamOptions,
    Tls,
    Token,
    errors,
    pb,
    sync,
)
from llm_incident_client.core.breaker import State
from llm_incident_client.core.retry import Backoff
from llm_incident_client.sentinel import (
    Anomaly,
    Category,
    Drift,
    Drifting,
    Fault,
    Finding,
    Latency,
    Measured,
    Quality,
    Subject,
    Verdict,
)
from llm_incident_client.shield import Decision, Risk, Threat, Threatening, Violation, evidence_hash
from tests.support.command import command
from tests.support.issuer import Issuer, an_issuer
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, running_server
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUICK = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=100))
SECOND = timedelta(seconds=1)


@dataclass
class Place:
    """A server that knows services by their certificates."""

    server: RunningServer
    certs: Path

    def of(self, service: str) -> ChannelOptions:
        """How a service reaches it."""
        own = self.certs / f"{service}-key.pem", self.certs / f"{service}.pem"
        return ChannelOptions(self.server.grpc, tls=Tls.from_files(self.certs / "ca.pem", *own))

    def ann(self) -> IncidentClient:
        """Somebody who works on incidents."""
        return IncidentClient(self.of("operator"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("facades")
    made = await command("certs", "dev", "--out", str(folder / "certs"))
    assert made.code == 0, made.err
    context = ssl.create_default_context(cafile=str(folder / "certs" / "ca.pem"))
    context.load_cert_chain(folder / "certs" / "operator.pem", folder / "certs" / "operator-key.pem")
    async with (
        serving() as port,
        running_server(config=made.out + CONFIG.format(port=port), tls=context, folder=folder) as server,
    ):
        yield Place(server, folder / "certs")


def about(service: str) -> Subject:
    return Subject(service=service, provider="openai", model="gpt-4o")


FINDINGS: Mapping[str, Finding] = {
    "P1": Latency(subject=about("slow"), observed=7.2 * SECOND, baseline=6.9 * SECOND),
    "P0": Quality(subject=about("wrong"), fault=Fault.HALLUCINATION, observed=0.07, baseline=0.01),
    "P3": Drift(subject=about("drifting"), of=Drifting.EMBEDDING, measured=Measured("psi", 0.3, 0.05)),
    "P2": Anomaly(
        subject=about("odd"), severity="medium", measured=Measured("calls", 3, 9), category=Category.RESOURCE_EXHAUSTION
    ),
}


async def test_what_sentinel_finds_becomes_incidents_and_is_over_when_it_says_so(place: Place) -> None:
    async with SentinelClient(place.of("sentinel")) as sentinel, place.ann() as ann:
        for severity, finding in FINDINGS.items():
            opened = await sentinel.report(finding)
            again = await sentinel.report(finding)
            incident = await ann.get_incident(opened.incident_id)
            assert again.incident_id == opened.incident_id
            assert (incident.source, pb.Severity.Name(incident.severity)) == ("llm-sentinel", f"SEVERITY_{severity}")
            over = await sentinel.report_recovery(finding)
            assert (over.disposition, over.incident_id) == (pb.Disposition.DISPOSITION_APPLIED, incident.id)
            state = (await ann.get_incident(incident.id)).state
            assert state == pb.IncidentState.INCIDENT_STATE_RESOLVED
        nothing = await sentinel.report_recovery(FINDINGS["P1"])
        assert nothing.disposition == pb.Disposition.DISPOSITION_IGNORED


async def test_many_findings_go_together_or_as_a_stream(place: Place) -> None:
    findings = [Drift(subject=about(f"s{number}"), measured=Measured("psi", 0.3)) for number in range(20)]
    async with SentinelClient(place.of("sentinel"), source="drift-watch") as sentinel:
        together = await sentinel.report_all(findings)
        async with sentinel.event_stream("drift-watch-1") as stream:
            futures = [await stream.send(finding.event(sentinel.source)) for finding in findings]
        streamed = [future.result() for future in futures]
    assert [one.incident_id for one in together.results] == [one.incident_id for one in streamed]
    assert len({one.incident_id for one in streamed}) == 20


async def token_of_now(client: IncidentClient, opened: str) -> str:
    """A place in the feed behind the opening of an incident that is open."""
    async for change in client.watch(snapshot=True, filter=f'id = "{opened}"'):
        return change.resume_token
    raise AssertionError("a watch does not end")


async def reported(sentinel: SentinelClient, *services: str) -> list[str]:
    """The incidents of drift of these services."""
    drifts = [Drift(subject=about(service), measured=Measured("psi", 0.3)) for service in services]
    return [one.incident_id for one in (await sentinel.report_all(drifts)).results]


async def test_what_people_make_of_reports_comes_back_as_verdicts(place: Place) -> None:
    async with SentinelClient(place.of("sentinel"), source='a "quoted" detector') as sentinel, place.ann() as ann:
        first, false, merged, into, over = await reported(sentinel, "first", "false", "merged", "into", "over")
        other = await ann.create_incident("somebody-else", "of another source")
        given = sentinel.feedback(resume_token=await token_of_now(ann, other.id), backoff=QUICK)
        label = pb.Incident(id=into, labels={"verdict": "false_positive"})
        await ann.resolve(other.id, force=True)  # nobody asked
        steps: list[tuple[Callable[[], Awaitable[object]], Verdict, str]] = [
            (lambda: ann.acknowledge(first), Verdict.TAKEN, first),
            (lambda: ann.resolve(first, root_cause="A tokenizer", notes="Rolled back"), Verdict.CONFIRMED, first),
            (lambda: ann.resolve(false, root_cause="False positive", force=True), Verdict.FALSE_POSITIVE, false),
            (lambda: ann.merge(into, [merged]), Verdict.MERGED, merged),
            (lambda: ann.update_incident(label, update_mask=["labels"]), Verdict.FALSE_POSITIVE, into),
            (lambda: sentinel.report_recovery(Drift(subject=about("over"), measured=Measured("psi", 0.1))),
             Verdict.RECOVERED, over),
        ]  # fmt: skip
        async with asyncio.timeout(20), contextlib.aclosing(given):
            for step, verdict, incident_id in steps:
                await step()
                feedback = await anext(given)
                assert (feedback.verdict, feedback.incident.id) == (verdict, incident_id)
                if verdict is Verdict.CONFIRMED:
                    assert (feedback.resolution.root_cause, feedback.resolution.notes) == ("A tokenizer", "Rolled back")


async def test_a_detector_that_was_away_is_told_what_became_of_its_reports(place: Place) -> None:
    async with SentinelClient(place.of("sentinel"), source="away") as sentinel, place.ann() as ann:
        one, two, three = await reported(sentinel, "one", "two", "three")
        token = await token_of_now(ann, one)
        await ann.acknowledge(one)
        await ann.resolve(one, root_cause="false alarm")
        await ann.resolve(two, root_cause="A tokenizer", force=True)
        await ann.acknowledge(three)
        last: dict[str, Verdict] = {}
        async with asyncio.timeout(20):
            async for feedback in sentinel.feedback(resume_token=token, filter='kind = "drift"', backoff=QUICK):
                last[feedback.incident.id] = feedback.verdict
                if feedback.incident.id == three:
                    break
        assert last == {one: Verdict.FALSE_POSITIVE, two: Verdict.CONFIRMED, three: Verdict.TAKEN}
        with pytest.raises(errors.IncidentManagerError):
            await anext(sentinel.feedback(resume_token="nonsense"))


VIOLATION = Violation(
    subject=Subject(service="chat", application="support-bot"),
    risk=Risk.PROMPT_INJECTION_INDIRECT,
    decision=Decision.DENY,
    evidence_hash=evidence_hash("Ignore all previous instructions"),
    policy="documents",
    score=0.97,
)


async def test_what_shield_finds_is_kept_with_the_hash_of_its_evidence(place: Place) -> None:
    threat = Threat(threat=Threatening.BRUTE_FORCE, confidence=0.8, indicators=("203.0.113.7",), blocked=True)
    async with ShieldClient(place.of("shield")) as shield, place.ann() as ann:
        opened = await shield.report(VIOLATION)
        incident = await ann.get_incident(opened.incident_id)
        assert (incident.kind, incident.severity) == ("prompt_injection.indirect", pb.Severity.SEVERITY_P2)
        assert incident.labels["evidence_hash"] == VIOLATION.evidence_hash
        assert incident.labels["decision"] == "deny"
        brute = await ann.get_incident((await shield.report(threat)).incident_id)
        assert (brute.incident_type, brute.labels["indicators"]) == (
            pb.IncidentType.INCIDENT_TYPE_SECURITY, "203.0.113.7",
        )  # fmt: skip


async def test_shield_opens_an_incident_by_hand_once(place: Place) -> None:
    threat = Threat(threat=Threatening.ZERO_DAY, confidence=1.0, dedup_key="zero-day-7")
    async with ShieldClient(place.of("shield")) as shield:
        opened = await shield.open_incident(threat)
        assert (opened.source, opened.labels["threat"]) == ("llm-shield", "zero_day_exploit")
        with pytest.raises(errors.FingerprintTaken) as taken:
            await shield.open_incident(threat)
        assert taken.value.metadata["holder"] == opened.id


async def test_shield_has_a_threat_analysed_and_a_plan_made(place: Place) -> None:
    async with ShieldClient(place.of("shield")) as shield:
        opened = await shield.report(VIOLATION)
        asked = await shield.request_threat_analysis(opened.incident_id)
        threat = (await shield.answer(asked)).threat
        assert threat.threat_type == pb.ThreatType.THREAT_TYPE_PROMPT_INJECTION
        assert threat.confidence == 0.9
        planned = await shield.answer(await shield.request_mitigation_plan(opened.incident_id))
        assert planned.state == pb.AnalysisState.ANALYSIS_STATE_ANSWERED
        assert planned.mitigation.steps
        with pytest.raises(TimeoutError):
            await shield.answer(pb.IncidentAnalysis(id="none", incident_id=opened.incident_id), within=0.2 * SECOND)


async def test_governance_checks_a_framework_and_sees_the_evidence(place: Place) -> None:
    today = datetime.now(UTC).date()
    async with GovernanceClient(place.of("governance")) as governance:
        figures = await governance.compliance(today, today)
        assert set(figures) == {"gdpr", "hipaa", "iso27001", "pci_dss", "soc2"}
        checked = await governance.check("SOC 2", today, today)
        assert (checked.framework, checked.failed_count) == ("soc2", figures["soc2"].failed_checks)
        named = [evidence for line in checked.lines for evidence in line.evidence]
        assert (await governance.evidence(named[0].id)).id == named[0].id
        pages = [await governance.report("soc2", today, today, format=CSV) for _ in range(2)]
        assert pages[0].content_type.startswith("text/csv")
        assert pages[0].sha256 == hashlib.sha256(pages[0].content.encode()).hexdigest()


CSV = pb.ReportFormat.REPORT_FORMAT_CSV


async def test_governance_sees_what_happened_and_that_nobody_changed_it(place: Place) -> None:
    today = datetime.now(UTC).date()
    async with place.ann() as ann, GovernanceClient(place.of("governance")) as governance:
        mine = await ann.create_incident("audited", "to be seen", severity=pb.Severity.SEVERITY_P1)
        await ann.acknowledge(mine.id)
        only = 'source = "audited"'
        found = [one async for one in governance.incidents(today - timedelta(days=1), today, filter=only)]
        assert [one.id for one in found] == [mine.id]
        before = [one async for one in governance.incidents(today - timedelta(days=9), today - timedelta(days=8))]
        assert before == []
        exact = [one async for one in governance.incidents(mine.create_time.ToDatetime(UTC), datetime.now(UTC))]
        assert mine.id in {one.id for one in exact}
        kinds = [entry.kind for entry in await governance.timeline(mine.id)]
        assert kinds[0] == pb.TimelineKind.TIMELINE_KIND_OPENED
        records = [record async for record in governance.iter_audit_records(resource=f"incident/{mine.id}")]
        assert {record.actor for record in records} == {"operator"}, [str(record) for record in records]
        assert (await governance.verify_audit()).intact
        with pytest.raises(ValueError, match="time zone"):
            [one async for one in governance.incidents(datetime(2026, 1, 1), today)]  # noqa: DTZ001


async def test_a_certificate_lets_its_service_do_its_own_work_only(place: Place) -> None:
    async with GovernanceClient(place.of("sentinel")) as impostor:
        with pytest.raises(errors.AccessDenied):
            await impostor.verify_audit()
    async with SentinelClient(place.of("governance")) as impostor:
        with pytest.raises(errors.AccessDenied):
            await impostor.report(FINDINGS["P3"])


def blocking(place: Place) -> tuple[str, str, list[str]]:
    """All three, in a thread; the sentinel's incident, the verdict on it, and what governance sees."""
    finding = Drift(subject=about("blocking"), measured=Measured("psi", 0.3))
    today = datetime.now(UTC).date()
    with (
        sync.SentinelClient(place.of("sentinel"), source="in-a-thread") as sentinel,
        sync.IncidentClient(place.of("operator")) as ann,
        sync.ShieldClient(place.of("shield")) as shield,
        sync.GovernanceClient(place.of("governance")) as governance,
    ):
        opened = sentinel.report(finding)
        with ann.watch(snapshot=True) as changes:
            token = next(changes).resume_token
        ann.resolve(opened.incident_id, root_cause="no problem", force=True)
        with sentinel.feedback(resume_token=token) as given:
            verdict = next(given)
        assert shield.report(VIOLATION).incident_id
        seen = [one.id for one in governance.incidents(today, today, filter='source = "in-a-thread"')]
        assert governance.timeline(opened.incident_id)
        return opened.incident_id, verdict.verdict, seen


async def test_the_blocking_clients_do_the_same(place: Place) -> None:
    incident_id, verdict, seen = await asyncio.to_thread(blocking, place)
    assert (verdict, seen) == ("false_positive", [incident_id])


async def test_a_call_belongs_to_the_callers_trace(place: Place) -> None:
    trace = 0x0AF7651916CD43DD8448EB211C80319C
    span = NonRecordingSpan(SpanContext(trace, 0xB7AD6B7169203331, is_remote=False, trace_flags=TraceFlags(1)))
    async with SentinelClient(place.of("sentinel"), source="traced") as sentinel:
        with use_span(span):
            opened = await sentinel.report(Drift(subject=about("traced"), measured=Measured("psi", 0.3)))
    assert opened.incident_id
    await until(lambda: f"{trace:032x}" in place.server.log)


@contextlib.asynccontextmanager
async def with_tokens(first_for: int) -> AsyncIterator[tuple[RunningServer, Issuer, list[str], ChannelOptions]]:
    """A server that takes an issuer's tokens, and a client's options whose first token is good for so many seconds;
    nobody tells the client."""
    async with an_issuer() as issuer:
        given: list[str] = []

        async def fetch() -> Token:
            ends = int(time.time()) + (300 if given else first_for)
            given.append(issuer.token(sub="llm-sentinel", roles=["producer", "viewer"], exp=ends))
            return Token(given[-1])

        identity = {"required": True, "issuers": [issuer.settings(leeway_secs=0)]}
        async with running_server(config=json.dumps({"identity": identity, **LOOPBACK})) as server:
            yield server, issuer, given, ChannelOptions(server.grpc, bearer=RenewedToken(fetch))


async def test_a_refused_token_is_replaced_once_and_the_call_succeeds() -> None:
    async with with_tokens(-60) as (_, _, given, options), SentinelClient(options, retries=NO_RETRY) as sentinel:
        await sentinel.report(FINDINGS["P3"])
        await sentinel.report(FINDINGS["P3"])
        assert len(given) == 2


async def test_streams_outlive_the_tokens_they_were_opened_with() -> None:
    async with with_tokens(2) as (server, issuer, given, options), SentinelClient(options) as sentinel:
        opened = await sentinel.report(FINDINGS["P3"])
        verdicts = sentinel.feedback(backoff=QUICK)
        waiting = asyncio.create_task(anext(verdicts))
        async with sentinel.event_stream("s-1", StreamOptions(backoff=QUICK)) as stream:
            event = FINDINGS["P3"].event(sentinel.source)
            assert (await (await stream.send(event))).incident_id == opened.incident_id
            await until(lambda: len(given) > 1, 20)  # the server has cut one of them, or both
            assert (await (await stream.send(event))).incident_id == opened.incident_id

        async def ann() -> str:
            return issuer.token(roles=["responder"])

        async with IncidentClient(ChannelOptions(server.grpc, bearer=ann)) as client:
            await client.resolve(opened.incident_id, root_cause="A tokenizer", force=True)
        assert (await asyncio.wait_for(waiting, 20)).verdict is Verdict.CONFIRMED
        await verdicts.aclose()


async def test_the_breaker_spares_a_dead_server_and_notices_when_it_is_back() -> None:
    policy = BreakerPolicy(failures=2, minimum_calls=2, open_for=timedelta(milliseconds=300), successes=1)
    async with (
        running_server() as server,
        SentinelClient(server.grpc, retries=NO_RETRY, breaker=policy) as sentinel,
    ):
        await sentinel.report(FINDINGS["P3"])
        await server.kill()
        for _ in range(2):
            with pytest.raises(errors.Unavailable):
                await sentinel.report(FINDINGS["P3"])
        with pytest.raises(errors.CircuitOpen):
            await sentinel.report(FINDINGS["P3"])
        states = [sentinel.breaker_state]
        await server.start()
        async with asyncio.timeout(20):
            while states[-1] is not State.CLOSED:
                states.append(sentinel.breaker_state)
                try:
                    await sentinel.report(FINDINGS["P3"])
                except errors.IncidentManagerError:
                    await asyncio.sleep(0.05)
    assert states[0] is State.OPEN
