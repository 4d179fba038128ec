"""How incidents belong together, and what hangs on them."""

from enum import IntEnum
from typing import NamedTuple

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant


class Relation(IntEnum):
    """How an incident stands to another one; lists of related incidents go in this order."""

    MERGED_INTO = 1
    MERGED_FROM = 2
    SPLIT_FROM = 3
    SPLIT_INTO = 4
    PREVIOUS = 5
    NEXT = 6
    LINKED = 7


INVERSE = {
    Relation.MERGED_INTO: Relation.MERGED_FROM,
    Relation.MERGED_FROM: Relation.MERGED_INTO,
    Relation.SPLIT_FROM: Relation.SPLIT_INTO,
    Relation.SPLIT_INTO: Relation.SPLIT_FROM,
    Relation.PREVIOUS: Relation.NEXT,
    Relation.NEXT: Relation.PREVIOUS,
    Relation.LINKED: Relation.LINKED,
}
"""The same seen from the other incident."""


class Attachment(NamedTuple):
    """A link to material elsewhere; nobody fetches it. `id` is time-ordered."""

    id: str
    tenant: TenantId
    incident_id: IncidentId
    url: str
    title: str
    media_type: str
    actor: str
    at: Instant


class Related(NamedTuple):
    """An incident that another one has to do with, since when, who said so and why. The other one stands so to it."""

    relation: Relation
    incident: Incident
    at: Instant
    actor: str
    reason: str


class LinkRow(NamedTuple):
    """How an incident stands to another one, as seen from `incident_id`. Its key is (incident, relation, other)."""

    tenant: TenantId
    incident_id: IncidentId
    relation: Relation
    other_id: IncidentId
    at: Instant
    actor: str
    reason: str
