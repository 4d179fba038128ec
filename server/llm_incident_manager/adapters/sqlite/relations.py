"""Reads of what belongs to incidents and what a split moves, as functions over one connection. They change nothing."""

from collections.abc import Sequence

import apsw

from llm_incident_manager.adapters.sql import belongings, records
from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite.statements import bulk, rows
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId, is_uuid
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.ports.changes import FingerprintKey
from llm_incident_manager.ports.stores import StoredEvent


def events(connection: apsw.Connection, tenant: TenantId, wanted: Sequence[EventId]) -> Sequence[StoredEvent]:
    """Stored events by id, in id order; missing ones are left out."""
    known = sorted({id_ for id_ in wanted if is_uuid(id_)})
    found = bulk("events_by_id").run(connection, [(tenant, id_) for id_ in known])
    return [StoredEvent(records.event_of(row[:-2], ids.text), *row[-2:]) for row in found]


def key_counts(connection: apsw.Connection, keys: Sequence[FingerprintKey]) -> dict[FingerprintKey, int | None]:
    """How many events held fingerprints had."""
    found = bulk("key_counts").run(connection, keys)
    return {FingerprintKey(tenant, version, value): count for tenant, version, value, count in found}


def related(
    connection: apsw.Connection, tenant: TenantId, incident: IncidentId, after: tuple[int, str], limit: int
) -> Sequence[Related]:
    """The incidents that one has to do with, by relation and id."""
    relation, other = after
    values = {"tenant": tenant, "incident": incident, "relation": relation, "other": other, "limit": limit}
    return [belongings.related_of(row, ids.text) for row in rows(connection, "related", values)]


def attachments(
    connection: apsw.Connection, tenant: TenantId, incident: IncidentId, after: str, limit: int
) -> Sequence[Attachment]:
    """Attachments behind one of them, oldest first."""
    found = rows(connection, "attachments", (tenant, incident, after, limit))
    return [belongings.attachment_of(row, ids.text) for row in found]
