"""Where we differ on purpose: rules by property of a case, each with its reason. At most one case in twenty of a file.

A rule is asked only when a case does not hold. It speaks of a sort of cases and never lists them by name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from cases.case import Case


@dataclass(frozen=True)
class Rule:
    """Cases of a format that satisfy the predicate may differ, for this reason."""

    format: str
    applies: Callable[[Case], bool]
    reason: str


_VERBOSE = frozenset({"debug", "trace", "verbose", "sev4"})

_VALUE = r"-?\d+(?:\.\d+)?|'[^']*'|\"[^\"]*\"|[\w.]+\([^()]*\)"
_VALUE_ON_THE_LEFT = re.compile(rf"\s*(?:{_VALUE})\s*(?:[<>]=?|!?=|:).*", re.DOTALL)
_FUNCTION_OF_A_FIELD = re.compile(r"(?:duration|timestamp)\(\s*[A-Za-z_]")

RULES = (
    Rule(
        "filter",
        lambda case: "declarations" in case and _VALUE_ON_THE_LEFT.fullmatch(case["filter"]) is not None,
        "a field stands on the left of a comparison, as AIP-160 says; two values compared are likelier a slip",
    ),
    Rule(
        "filter",
        lambda case: "declarations" in case and _FUNCTION_OF_A_FIELD.search(case["filter"]) is not None,
        "times and durations are written out: no field holds one as text",
    ),
    Rule(
        "status_mapping",
        lambda case: str(case.get("error", "")).startswith("a non-status error"),
        "what failed inside is for the log, not for the caller: the answer names the request id to look for",
    ),
    Rule(
        "severity_maps",
        lambda case: case["expect"] == "low" and case["value"].lower() in _VERBOSE,
        "there low ranks below info; here what is only verbose is P4, the least severe",
    ),
    Rule(
        "severity_maps",
        lambda case: case["value"].lower() == "unknown",
        "a check that could not tell is not harmless: it takes the default of its source, with a warning",
    ),
    Rule(
        "severity_maps",
        lambda case: case["tool"] == "incidentmanager" and case["value"].isdigit(),
        "the tool's own documentation ranks its impacts 1 critical, 2 high, 3 medium, 4 low, 5 none",
    ),
)


def reason(format_: str, case: Case) -> str:
    """Why a case may differ; empty when it may not."""
    return next((rule.reason for rule in RULES if rule.format == format_ and rule.applies(case)), "")
