"""Where we differ on purpose: rules by property of a case, each with its reason. At most one case in twenty of a file.

A rule is asked only when a case does not hold. It speaks of a sort of cases and never lists them by name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cases.case import Case
from llm_incident_manager.adapters import rulepack
from llm_incident_manager.domain.severity import folded


@dataclass(frozen=True)
class Rule:
    """Cases of a format that satisfy the predicate may differ, for this reason."""

    format: str
    applies: Callable[[Case], bool]
    reason: str


_VERBOSE = frozenset({"debug", "trace", "verbose", "sev4", "ok", "normal", "clear", "none"})

_PACK = rulepack.load()

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
        "there low ranks below info; here what is only verbose, or nothing at all, is P4, the least severe",
    ),
    Rule(
        "severity_maps",
        lambda case: case["value"].lower() == "unknown",
        "a check that could not tell is not harmless: it takes the default of its source, with a warning",
    ),
    Rule(
        "severity_maps",
        lambda case: folded(case["value"]) in _PACK.severity_words.get(case["tool"], {}),
        "the word means what the tool's maker says (severity_words of the rule pack), not what that system makes of it",
    ),
    Rule(
        "severity_maps",
        lambda case: _PACK.severity_of(case["tool"], case["value"]) is None,
        "nobody has told what this word of the tool means: it takes the default, with a warning that says so",
    ),
    Rule(
        "query_parameters",
        lambda case: "expect" in case and not _asked(case["query"]) <= _expected(case),
        "a parameter that is no field is refused, not ignored: it is likelier a slip than meant for somebody else",
    ),
    Rule(
        "path_matcher",
        lambda case: any("+" in lookup.get("query", "") for lookup in case.get("lookups", ())),
        "a plus in a query is a space, as HTML forms and every client of the web write it",
    ),
    Rule(
        "status_mapping",
        lambda case: case.get("expect_http") == 200 and str(case.get("request", "")).startswith("POST "),
        "a POST is never taken for a GET in disguise",
    ),
)


def _asked(query: str) -> set[str]:
    """The fields that parameters name, letters only: their spelling differs."""
    return {
        re.split(r"[.\[]", name)[0].replace("_", "").lower() for name, _ in parse_qsl(query, keep_blank_values=True)
    }


def _expected(case: Case) -> set[str]:
    return {re.split(r"[. ]", name)[0].lower() for name in case.get("expect", {})}


def reason(format_: str, case: Case) -> str:
    """Why a case may differ; empty when it may not."""
    return next((rule.reason for rule in RULES if rule.format == format_ and rule.applies(case)), "")
