"""Requests about compliance and figures that both doors must answer alike: of a period that is over."""

from collections.abc import Mapping, Sequence
from typing import Any

PERIOD = {"start": "2020-01-01", "end": "2020-01-02"}
_CHECKED: Sequence[tuple[Mapping[str, Any], bool]] = [
    ({"framework": "soc2", **PERIOD}, True),
    ({"framework": "SOC 2", **PERIOD, "filter": 'source = "nobody"'}, True),
    ({"framework": "none", **PERIOD}, False),
    ({"framework": "soc2", **PERIOD, "filter": "severity ="}, False),
    ({"framework": "soc2", "start": "soon"}, False),
]
_FIGURES: Sequence[tuple[Mapping[str, Any], bool]] = [
    (PERIOD, True),
    ({**PERIOD, "group_by": "team", "filter": 'source = "ann"'}, True),
    ({**PERIOD, "group_by": "title"}, False),
    ({"start": "yesterday"}, False),
]
REQUESTS: Mapping[str, Sequence[tuple[Mapping[str, Any], bool]]] = {
    "ListFrameworks": [({}, True), ({"framework": "GDPR"}, True), ({"framework": "none"}, False)],
    "CheckCompliance": [*_CHECKED, ({}, False)],
    "GenerateReport": _CHECKED,
    "GetEvidence": [({"evidence_id": "requirement.nothing"}, False)],
    "GetGovernanceMetrics": [(PERIOD, True), ({"start": "soon"}, False)],
    "GetIncidentTrends": [*_FIGURES, ({**PERIOD, "time_zone": "Europe/Nowhere"}, False)],
    "GetSlaAttainment": _FIGURES,
}
"""By the method: its fields, and whether that is answered."""
