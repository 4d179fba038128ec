"""Each refusal names what was refused, the reason machines read, and the remedy."""

import pytest

from llm_incident_manager.domain import errors
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields

ONE, OTHER = Violation("title", "title is empty: give one line", "min_len"), Violation("source", "source is empty", "x")

REFUSALS: list[tuple[DomainError, ErrorReason, str, dict[str, str]]] = [
    (InvalidFields([ONE]), ErrorReason.INVALID_FIELD, ONE.message, {"field": "title", "violations": "1"}),
    (
        InvalidFields([ONE, OTHER]),
        ErrorReason.INVALID_FIELD,
        f"{ONE.message} (and 1 more)",
        {"field": "title", "violations": "2"},
    ),
    (
        errors.NotFound("incident", "INC-1"),
        ErrorReason.NOT_FOUND,
        "incident 'INC-1' does not exist",
        {"resource": "incident", "id": "INC-1"},
    ),
    (
        errors.StaleEtag("INC-1", "3", "4"),
        ErrorReason.STALE_ETAG,
        "etag '3' is not the current one: read incident INC-1 again and repeat the change",
        {"incident": "INC-1", "etag": "3", "current": "4"},
    ),
    (
        errors.FingerprintTaken("f00d", "i1"),
        ErrorReason.FINGERPRINT_TAKEN,
        "open incident i1 already holds fingerprint 'f00d': use or resolve that one",
        {"fingerprint": "f00d", "holder": "i1"},
    ),
    (
        errors.RequestIdReused("r1"),
        ErrorReason.REQUEST_ID_REUSED,
        "request_id 'r1' was used for another request within 24 hours: use a new one",
        {"request_id": "r1"},
    ),
    (
        errors.ProducerFenced("p", 1, 2),
        ErrorReason.PRODUCER_FENCED,
        "producer 'p' has a newer stream (epoch 2, this one is 1): close this one",
        {"producer_id": "p", "epoch": "1", "current": "2"},
    ),
    (
        errors.Overloaded("the buffer", 7, 0.5),
        ErrorReason.OVERLOADED,
        "the buffer is full (7): come back in 0.5 s",
        {"limit": "7", "cause": "buffer"},
    ),
]


@pytest.mark.parametrize(
    ("error", "reason", "message", "metadata"), REFUSALS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_refusal_says_what_why_and_what_to_do(
    error: DomainError, reason: ErrorReason, message: str, metadata: dict[str, str]
) -> None:
    assert (error.reason, error.message, error.metadata) == (reason, message, metadata)


def test_every_violation_is_carried() -> None:
    assert InvalidFields([ONE, OTHER]).violations == (ONE, OTHER)
