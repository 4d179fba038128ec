"""What goes after its time: the sorts of records that retention knows, each with a word for logs and metrics."""

from enum import StrEnum
from typing import NamedTuple


class Expiring(StrEnum):
    """Records that may be deleted. Whatever is not named here stays, whatever its age."""

    BODIES = "bodies"
    """Whole events; their compact ledger rows stay."""
    EVENTS = "events"
    """Ledger rows of events, whatever incident they belong to."""
    FINISHED_EVENTS = "finished_events"
    """Ledger rows of events that belong to no open incident. PostgreSQL drops whole days and cannot tell them apart."""
    CHANGES = "changes"
    """Changes of incidents that watchers may resume behind."""
    INCIDENTS = "incidents"
    """Resolved and closed incidents with their timeline, deliveries and all else that is kept about them."""
    AUDIT = "audit"
    """Audit chains as a whole, each the records of one run of a server: what is left still verifies."""


class Expired(NamedTuple):
    """How many records a step of retention has deleted, and whether another step is worth while."""

    records: int
    more: bool


NOTHING = Expired(0, more=False)
