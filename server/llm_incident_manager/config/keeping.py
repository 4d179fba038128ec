"""How long records are kept, and how large the database may grow."""

from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.values import Section

Days = Annotated[int, Field(ge=0, le=36_500)]
GIB = 1024**3


class Retention(Section):
    """What is deleted by itself. Open incidents, their keys and unfinished work never are."""

    events_days: Days = 90
    """Events and their bodies, and the changes a watch can resume behind, go after so many days; 0 keeps them."""
    incidents_days: Days = 90
    """RESOLVED and CLOSED incidents go so many days after their end, with timeline and deliveries; 0 keeps them."""
    audit_days: Days = 0
    """Audit records go, one run of a server as a whole, so many days after its last one; 0 keeps them."""
    max_bytes: Annotated[int, Field(ge=0)] = 20 * GIB
    """Above so many bytes the oldest event bodies go early, then ledger rows over a day old, down to 90 %; 0 never."""
