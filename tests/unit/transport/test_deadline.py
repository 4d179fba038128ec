"""How long a unary call may take."""

import pytest

from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.hooks import limit_of
from llm_incident_manager.transport.methods import all_methods

METHODS = {method.name: method for method in all_methods()}


@pytest.mark.parametrize(
    ("method", "waits", "limit"),
    [
        ("GetIncident", None, 30.0),
        ("GetIncident", 2.0, 2.0),
        ("GetIncident", 600.0, 30.0),
        ("VerifyAudit", None, 30.0),
        ("VerifyAudit", 2.0, 2.0),
        ("VerifyAudit", 120.0, 120.0),
        ("VerifyAudit", 3_600.0, 600.0),
    ],
)
def test_a_call_ends_at_its_callers_deadline_or_ours(method: str, waits: float | None, limit: float) -> None:
    assert limit_of(Call(METHODS[method], "grpc", {}, "", waits)) == limit
