"""Everything that a unit of work can be asked is narrowed, or is named here with the reason why it need not be."""

from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.usecases import sight

OF_INGEST = "the pipeline judges events by their own condition, and has to see what holds a fingerprint"
OF_WORK = "work, timers and leases are done on nobody's behalf"
OF_TENANTS = "asks for a permission that nobody who is narrowed has"
ABOUT_FOUND = "is about an incident that a narrowed method found, for the decision and not for the answer"
OWN = "is the caller's own"

PASSED = {
    "claim": OF_INGEST,
    "stored_events": OWN,
    "open_producer": OWN,
    "answer": OWN,
    "incarnation": OF_INGEST,
    "holder": ABOUT_FOUND,
    "key_counts": ABOUT_FOUND,
    "related": ABOUT_FOUND,
    "attachments": ABOUT_FOUND,
    "analyses": ABOUT_FOUND,
    "still_leased": OF_WORK,
    "hold_timers": OF_WORK,
    "holds": OF_WORK,
    "lock_dead": OF_TENANTS,
    "api_key": OF_TENANTS,
    "role": OF_TENANTS,
    "tenant": OF_TENANTS,
    "denied_certificate": OF_TENANTS,
    "next_access_revision": OF_TENANTS,
    "key_with_role": OF_TENANTS,
    **dict.fromkeys(("agent", "agents", "directive", "inference", "count_queued"), OF_TENANTS),
    **dict.fromkeys(("due_directives", "due_inferences", "forget_inferences"), OF_WORK),
    **dict.fromkeys(("queued_inferences", "inferences_of"), OF_WORK),
}


def test_every_question_has_its_place() -> None:
    asked = {name for name in dir(Transaction) if not name.startswith("_")}
    assert asked == sight.NARROWED | PASSED.keys()


def test_what_is_said_to_be_narrowed_is() -> None:
    own = {name for name in vars(sight._Narrow) if not name.startswith("_")}
    assert own == sight.NARROWED
