"""Compliance checks on what a database holds: the same records for every framework, then one piece less."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from llm_incident_manager.adapters import compliance_packs
from llm_incident_manager.adapters.audit.signing import Ed25519Signer
from llm_incident_manager.domain import audit_checkpoint, filters
from llm_incident_manager.domain.audit_checkpoint import Checkpoint, Draft
from llm_incident_manager.domain.compliance import Line, Report, Status
from llm_incident_manager.domain.errors import DomainError, NotFound
from llm_incident_manager.domain.evidence import Basis
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.sla import TARGETS
from llm_incident_manager.domain.time import MINUTE, Instant
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.usecases import compliance
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.compliance import Compliance, Wish
from tests.support import complete
from tests.support.access_builders import a_key
from tests.support.builders import NOW, TENANT, make_audit, make_delivery, make_incident
from tests.support.steps import write
from tests.support.world import HeldClock

CALLER = Caller(TENANT, "auditor")
EVERYTHING = Wish(complete.PERIOD, None)
FRAMEWORKS = compliance_packs.load()
BASIS = Basis(FRAMEWORKS, complete.make_values(), TARGETS)


class Filled:
    """A store with the records that every framework is content with, and who asks about them."""

    def __init__(self, store: Store, signer: Ed25519Signer) -> None:
        self.store = store
        self.signer = signer
        self.incident = complete.make_resolved()
        self.attachments = complete.make_attachments(self.incident)
        clock = HeldClock(complete.LATER)
        self.compliance = Compliance(store, clock, signer, BASIS)

    async def fill(self) -> None:
        sent = make_delivery(self.incident, state=DeliveryState.SENT, updated_at=Instant(NOW + MINUTE))
        other = make_incident(tenant=TenantId("another"), labels={"gdpr": ""})
        await write(
            self.store,
            Changes(
                opened=[self.incident, make_incident(labels={"gdpr": ""}, created_at=complete.PERIOD.end), other],
                timeline=complete.make_timeline(self.incident),
                deliveries=[sent],
                attachments=list(self.attachments),
                audit=[make_audit(self.incident)],
            ),
        )
        async with self.store.transaction() as tx:
            await tx.write(Changes(access=[a_key(revision=await tx.next_access_revision(), last_used_at=None)]))
        await self.store.note_uses({key.id: NOW for key in await self.compliance.keys(CALLER)})
        await self.sign()

    async def sign(self) -> None:
        """One checkpoint before the record of the audit, and five behind it."""
        made: Checkpoint | None = None
        for minute in (-1, 1, 2, 3, 4, 5):
            at = Instant(NOW + minute * MINUTE)
            made = audit_checkpoint.unsigned(TENANT, made, Draft((), (), 1), at, self.signer.key_id)
            made = made._replace(signature=self.signer.sign(audit_checkpoint.statement(made)))
            await self.store.add_audit_checkpoint(made)

    async def reports(self, wish: Wish = EVERYTHING) -> Sequence[Report]:
        return await self.compliance.check(CALLER, FRAMEWORKS, wish)


@pytest.fixture
async def filled(store: Store) -> Filled:
    made = Filled(store, Ed25519Signer(Ed25519PrivateKey.generate()))
    await made.fill()
    return made


def lines_of(reports: Sequence[Report]) -> dict[tuple[str, str, str], Line]:
    return {
        (report.framework.id, line.control.id, line.requirement.id): line for report in reports for line in report.lines
    }


async def test_every_framework_passes_on_the_same_records_and_shows_them(filled: Filled) -> None:
    reports = await filled.reports()
    assert [report.incidents for report in reports] == [1] * 5
    lines = lines_of(reports)
    assert {name: line.reason for name, line in lines.items() if line.status is not Status.PASSED} == {}
    sealed = lines["gdpr", "GDPR-5-2", "sealed"]
    assert sealed.evidence[0].id == "checkpoint.2", "the first that covers the period, whatever follows"
    for name in sorted({each.id for line in lines.values() for each in line.evidence}):
        record = await filled.compliance.records.get(CALLER, name)
        assert record
        kind = name.partition(".")[0]
        if kind in {"timeline", "delivery", "attachment", "incident"}:
            assert getattr(record, "id") == name.rpartition(".")[2]  # noqa: B009  # of any of these
        if kind not in {"setting", "requirement"}:
            with pytest.raises(NotFound):
                await filled.compliance.records.get(Caller(TenantId("another"), "auditor"), name)


async def test_one_attachment_less_fails_the_lines_that_named_it_and_no_other(filled: Filled) -> None:
    before = lines_of(await filled.reports())
    gone: Attachment = filled.attachments[0]
    await write(filled.store, Changes(attachments_removed=[gone]))
    after = lines_of(await filled.reports())
    failed = {name for name, line in after.items() if line.status is Status.FAILED}
    named = f"attachment.{filled.incident.id}.{gone.id}"
    assert failed == {name for name, line in before.items() if named in {each.id for each in line.evidence}}
    assert failed == {("gdpr", "GDPR-33-1", "authority-notice")}
    (name,) = failed
    assert "no evidence of an attachment titled 'authority notice'" in after[name].reason
    assert filled.incident.number in after[name].reason


async def test_a_key_that_is_not_known_leaves_the_audit_unproven(filled: Filled) -> None:
    filled.signer = Ed25519Signer(Ed25519PrivateKey.generate())
    asked = Compliance(filled.store, HeldClock(complete.LATER), filled.signer, BASIS)
    lines = lines_of(await asked.check(CALLER, FRAMEWORKS, EVERYTHING))
    assert {name[2] for name, line in lines.items() if line.status is Status.FAILED} == {"sealed"}


async def test_what_only_a_log_was_told_is_no_evidence_that_somebody_was(filled: Filled) -> None:
    asked = Compliance(
        filled.store, HeldClock(complete.LATER), filled.signer, replace(BASIS, silent=frozenset({"webhook"}))
    )
    lines = lines_of(await asked.check(CALLER, FRAMEWORKS, EVERYTHING))
    assert {name[2] for name, line in lines.items() if line.status is Status.FAILED} == {"notified"}


async def test_a_filter_narrows_what_is_looked_at(filled: Filled) -> None:
    wish = Wish(complete.PERIOD, filters.parse("service = nothing"))
    assert [report.incidents for report in await filled.reports(wish)] == [0] * 5


async def test_many_incidents_are_read_page_by_page_and_too_many_are_refused(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compliance, "AT_ONCE", 2)
    more = [make_incident(labels={"gdpr": ""}) for _ in range(5)]
    await write(filled.store, Changes(opened=more))
    lines = lines_of(await filled.reports())
    line = lines["gdpr", "GDPR-33-1", "authority-notice"]
    assert (line.applicable, line.failed) == (6, 5)
    assert {each.incident for each in line.findings} == {each.id for each in more}
    monkeypatch.setattr(compliance, "MOST_INCIDENTS", 5)
    with pytest.raises(DomainError, match="choose a shorter period, or a narrower filter") as refused:
        await filled.reports()
    assert refused.value.reason == "TOO_MANY_MATCHES"


async def test_evidence_that_there_is_none_of_is_not_found(filled: Filled) -> None:
    id_ = filled.incident.id
    for name in (
        *("incident.x", f"incident.{id_[:-1]}", f"timeline.{id_}.{id_}", f"delivery.{id_}.{id_}", "delivery.x.y"),
        *(f"attachment.{id_}.x", "audit.run.1.0", "audit.x.99", "checkpoint.7", "checkpoint.-1", "checkpoint.1e3"),
        *("api_key.x", "setting.identity.secret", "requirement.gdpr.none.x", "requirement.x", "nothing.at.all", ""),
    ):
        with pytest.raises(NotFound):
            await filled.compliance.records.get(CALLER, name)
