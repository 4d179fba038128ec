"""What proves an audit trail, and what does not: checkpoints, their keys and copies, retirement, older records."""

from collections.abc import Sequence

import pytest

from llm_incident_manager.adapters.sql.audit import AuditChain
from llm_incident_manager.domain import audit_checkpoint, audit_documents
from llm_incident_manager.domain.audit_chain import GENESIS, AuditRow, Head, canonical, digest, first_broken, hash_of
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_proof import CHECKPOINTS, LATE, Fault, Report, Trail
from llm_incident_manager.domain.time import MINUTE, SECOND, Instant
from tests.support.builders import NOW, TENANT
from tests.support.trails import make_record, make_signer

SIGNER = make_signer()


def make_rows(writer: str, count: int, first: int = 0) -> list[AuditRow]:
    records = [make_record(TENANT, first + n, Instant(NOW + n * SECOND)) for n in range(count)]
    return AuditChain(writer).extend(records)


def make_checkpoint(
    before: Checkpoint | None, rows: Sequence[AuditRow], retired: Sequence[str] = (), at: Instant = NOW
) -> Checkpoint:
    """One that knows the ends of these rows' chains."""
    heads = {row.writer: Head(row.sequence, row.hash) for row in rows}
    draft = audit_checkpoint.draft_of({}, heads, retired)
    made = audit_checkpoint.unsigned(TENANT, before, draft, at, SIGNER.key_id)
    return made._replace(signature=SIGNER.sign(audit_checkpoint.statement(made)))


def proven(
    rows: Sequence[AuditRow], stored: Sequence[Checkpoint], exported: Sequence[Checkpoint] = (), *, whole: bool = True
) -> Report:
    trail = Trail(TENANT, SIGNER.signed, exported, whole=whole)
    trail.take(stored)
    trail.look(rows)
    return trail.finish()


ROWS = [*make_rows("run/1", 6), *make_rows("run/2", 3, 100)]
FIRST = make_checkpoint(None, [*ROWS[:3], ROWS[6]])
SECOND_ONE = make_checkpoint(FIRST, ROWS, at=Instant(NOW + MINUTE))
BOTH = [FIRST, SECOND_ONE]


def test_a_trail_that_nobody_touched_is_intact_and_proven_up_to_the_newest_checkpoint() -> None:
    report = proven(ROWS, BOTH, BOTH)
    assert (report.intact, report.records, report.chains, report.checkpoints) == (True, 9, 2, 2)
    assert report.proven_until == SECOND_ONE.at
    assert report.remarks == []


def test_records_behind_the_newest_checkpoint_are_no_fault() -> None:
    assert proven([*make_rows("run/1", 8), *ROWS[6:]], BOTH).intact


def test_a_rewritten_record_lies_between_the_checkpoints_that_disagree() -> None:
    forged = [*ROWS[:4], ROWS[4]._replace(actor="mallory"), ROWS[5]]
    previous, again = GENESIS, []
    for row in forged:
        fields = (2, *row[:7], row.proven_by, row.credential, row.source)
        objects = [canonical(audit_documents.of_record(row)[name]) for name in ("details", "before", "after")]
        row = row._replace(prev_hash=previous, hash=digest(previous, fields, *objects))  # noqa: PLW2901
        again.append(row)
        previous = row.hash
    assert first_broken(again) is None, "its hashes agree"
    fault = proven([*again, *ROWS[6:]], BOTH).fault
    assert fault is not None
    assert (fault.writer, fault.sequence) == ("run/1", 4)
    assert "records 4 to 6" in fault.what


def test_the_end_of_a_chain_and_a_whole_chain_are_missed() -> None:
    cut = proven([*ROWS[:5], *ROWS[6:]], BOTH).fault
    assert cut == Fault("the chain is cut off here: checkpoint 2 knows it up to 6", "run/1", 6)
    gone = proven(ROWS[:6], BOTH).fault
    assert gone == Fault("the whole chain is gone; checkpoint 2 has 3 records", "run/2", 1)


def test_a_chain_that_was_retired_may_go_in_parts_or_as_a_whole() -> None:
    third = make_checkpoint(SECOND_ONE, ROWS, retired=["run/2"])
    assert proven(ROWS[:6], [*BOTH, third]).intact
    assert proven(ROWS[:7], [*BOTH, third]).intact
    assert not proven(ROWS[6:], [*BOTH, third]).intact, "the other one was not"
    forged = third._replace(retired=("run/1", "run/2"))
    assert not proven(ROWS[6:], [*BOTH, forged]).intact, "nobody has signed for that"


def test_a_key_of_somebody_else_retires_nothing_that_ours_has_signed() -> None:
    foreign = make_signer()
    draft = audit_checkpoint.draft_of({}, {}, ())._replace(retired=("run/2",))
    made = audit_checkpoint.unsigned(TENANT, SECOND_ONE, draft, SECOND_ONE.at, foreign.key_id)
    made = made._replace(signature=foreign.sign(audit_checkpoint.statement(made)))
    assert not proven(ROWS[:6], [*BOTH, made]).intact
    nobody = Trail(TENANT, lambda _: None)
    nobody.take([*BOTH, made])
    nobody.look(ROWS[:6])
    assert nobody.finish().intact, "without any key what checkpoints say is all there is"


def test_of_an_export_that_has_some_chains_only_nothing_is_missed() -> None:
    assert proven(ROWS[:6], BOTH, whole=False).intact


def test_a_database_that_was_rolled_back_lacks_what_was_kept_elsewhere() -> None:
    report = proven([*ROWS[:3], ROWS[6]], [FIRST], BOTH)
    assert report.fault == Fault("the chain is cut off here: checkpoint 2 knows it up to 6", "run/1", 4)
    untouched = proven(ROWS, [FIRST], BOTH).fault
    assert untouched is not None
    assert (untouched.writer, untouched.sequence) == (CHECKPOINTS, 2)


def test_a_record_that_claims_to_be_older_than_a_checkpoint_that_lacks_it_was_inserted() -> None:
    late = make_checkpoint(SECOND_ONE, ROWS, at=Instant(NOW + LATE + 20 * SECOND))
    forged = make_rows("run/3", 1)
    fault = proven([*ROWS, *forged], [*BOTH, late]).fault
    assert fault is not None
    assert (fault.writer, fault.sequence) == ("run/3", 1)


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ([FIRST, SECOND_ONE._replace(records=5)], 2),
        ([FIRST, SECOND_ONE._replace(signature=FIRST.signature)], 2),
        ([FIRST._replace(at=Instant(NOW - 1)), SECOND_ONE], 1),
        ([SECOND_ONE], 2),
    ],
    ids=["changed", "signature of another", "time changed", "the first is gone"],
)
def test_a_forged_checkpoint_is_named(stored: Sequence[Checkpoint], named: int) -> None:
    fault = proven(ROWS, stored).fault
    assert fault is not None
    assert (fault.writer, fault.sequence) == (CHECKPOINTS, named)


def test_checkpoints_of_a_key_that_is_not_known_prove_nothing_and_say_so() -> None:
    trail = Trail(TENANT, make_signer().signed)
    trail.take(BOTH)
    trail.look(ROWS)
    report = trail.finish()
    assert (report.intact, report.proven_until) == (True, None)
    assert report.remarks == [f"key {SIGNER.key_id} is unknown: its checkpoints prove nothing here"]


def test_whatever_the_database_holds_is_named_and_breaks_nothing() -> None:
    row = ROWS[1]
    for forged in (
        row._replace(at="late"),  # type: ignore[arg-type]  # what SQLite takes
        row._replace(hash=row.hash.hex()),  # type: ignore[arg-type]
        row._replace(details="{"),
        row._replace(after="[]"),
        row._replace(actor=b"eve"),  # type: ignore[arg-type]
    ):
        fault = proven([ROWS[0], forged, *ROWS[2:]], BOTH).fault
        assert fault is not None
        assert (fault.writer, fault.sequence) == ("run/1", 2)
        assert audit_documents.of_record(row._replace(details="{"))["details"] == "{"
    for checkpoint in (
        SECOND_ONE._replace(prev_hash="x"),  # type: ignore[arg-type]
        SECOND_ONE._replace(ends=(("run/1", 6, None),)),  # type: ignore[arg-type]
        SECOND_ONE._replace(records=b"6"),  # type: ignore[arg-type]
    ):
        fault = proven(ROWS, [FIRST, checkpoint]).fault
        assert fault is not None
        assert (fault.writer, fault.sequence) == (CHECKPOINTS, 2)


def test_a_record_of_another_tenant_is_named() -> None:
    fault = proven([ROWS[0]._replace(tenant="other"), *ROWS[1:]], BOTH).fault  # type: ignore[arg-type]  # its name
    assert fault == Fault("it belongs to tenant other", "run/1", 1)


def test_records_and_checkpoints_come_back_from_their_documents() -> None:
    for row in ROWS:
        again = audit_documents.record_of(audit_documents.parsed(audit_documents.line(audit_documents.of_record(row))))
        assert hash_of(again, again.prev_hash) == again.hash == row.hash
        assert audit_documents.of_record(again) == audit_documents.of_record(row)
    for checkpoint in BOTH:
        told = audit_documents.line(audit_documents.of_checkpoint(checkpoint))
        assert audit_documents.checkpoint_of(audit_documents.parsed(told)) == checkpoint


def make_old_row() -> AuditRow:
    """As a release before wrote it."""
    facts = (TENANT, "run/1", 1, NOW, "ann", "incident.opened", "incident/1")
    return AuditRow(*facts, '{"a": "b"}', GENESIS, digest(GENESIS, facts, canonical({"a": "b"})))


def test_a_record_of_the_version_before_verifies_by_its_own_formula_and_takes_no_new_fields() -> None:
    row = make_old_row()
    assert first_broken([row]) is None
    for forged in (row._replace(proven_by="x"), row._replace(credential="x"), row._replace(source="x")):
        assert first_broken([forged]) is not None
    assert first_broken([row._replace(before='{"state": "NEW"}')]) is not None
    assert first_broken([row._replace(version=2)]) is not None
    assert first_broken([row._replace(version=3)]) is not None
    assert first_broken([row._replace(details="[]")]) is not None
    assert first_broken([row._replace(details="{")]) is not None
