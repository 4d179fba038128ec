"""The audit chain: heads move on only with a commit, and nobody changes, drops or inserts a record unseen."""

from types import MappingProxyType
from typing import Any

import pytest

from llm_incident_manager.adapters.sql.audit import AuditChain
from llm_incident_manager.domain.audit_chain import GENESIS, AuditRow, first_broken
from llm_incident_manager.domain.ids import TenantId
from tests.support.builders import TENANT, make_audit, make_incident

OTHER = TenantId("other")


def make_chain(count: int) -> list[AuditRow]:
    chain = AuditChain("run/1")
    incident = make_incident()
    return chain.extend(make_audit(incident, action=f"action.{n}") for n in range(count))


def test_a_chain_begins_with_one_behind_genesis_and_is_whole() -> None:
    rows = make_chain(3)
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert rows[0].prev_hash == GENESIS
    assert rows[1].prev_hash == rows[0].hash
    assert first_broken(rows) is None


FORGERIES: dict[str, Any] = {
    "tenant": "forged",
    "writer": "forged",
    "at": 1,
    "actor": "forged",
    "action": "forged",
    "resource": "forged",
    "details": '{"number": "INC-1"}',
    "prev_hash": bytes(32),
    "hash": bytes(32),
}


@pytest.mark.parametrize("field", FORGERIES)
def test_a_changed_field_breaks_the_chain_at_its_record(field: str) -> None:
    rows = make_chain(3)
    rows[1] = rows[1]._replace(**{field: FORGERIES[field]})
    assert first_broken(rows) is rows[1]


def test_a_dropped_record_breaks_the_chain() -> None:
    rows = make_chain(3)
    del rows[1]
    assert first_broken(rows) is rows[1]


def test_details_are_the_same_in_whatever_order_they_are_stored() -> None:
    incident = make_incident()
    (row,) = AuditChain("run/1").extend([make_audit(incident, details=MappingProxyType({"b": "2", "a": "1"}))])
    assert first_broken([row._replace(details='{"a": "1", "b": "2"}')]) is None


def test_what_was_rolled_back_was_never_there() -> None:
    chain = AuditChain("run/1")
    incident = make_incident()
    kept = chain.extend([make_audit(incident)])
    chain.commit()
    chain.extend([make_audit(incident, action="undone")])
    chain.rollback()
    kept += chain.extend([make_audit(incident)])
    assert first_broken(kept) is None


def test_a_transaction_extends_what_it_has_extended_itself() -> None:
    chain = AuditChain("run/1")
    incident = make_incident()
    rows = [*chain.extend([make_audit(incident)]), *chain.extend([make_audit(incident)])]
    assert [row.sequence for row in rows] == [1, 2]
    assert first_broken(rows) is None


def test_each_tenant_has_a_chain_of_its_own() -> None:
    chain = AuditChain("run/1")
    incident = make_incident()
    rows = chain.extend(make_audit(incident, tenant=tenant) for tenant in (TENANT, OTHER, TENANT))
    assert [row.sequence for row in rows] == [1, 1, 2]
    assert first_broken([rows[0], rows[2]]) is None
