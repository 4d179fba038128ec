"""How bad and what sort: severities in every spelling producers use, and incident types."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """P0 is the most severe; a smaller number is more severe."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


class IncidentType(StrEnum):
    """What sort of thing is wrong."""

    INFRASTRUCTURE = "INFRASTRUCTURE"
    APPLICATION = "APPLICATION"
    SECURITY = "SECURITY"
    DATA = "DATA"
    PERFORMANCE = "PERFORMANCE"
    AVAILABILITY = "AVAILABILITY"
    COMPLIANCE = "COMPLIANCE"
    UNKNOWN = "UNKNOWN"


_WORDS: Mapping[Severity, str] = {
    Severity.P0: "p0 critical crit fatal emergency emerg panic alert disaster sev0 s0 blocker page highest",
    Severity.P1: "p1 high major error err severe sev1 s1 urgent important",
    Severity.P2: "p2 medium moderate warning warn average degraded sev2 s2",
    Severity.P3: "p3 low minor sev3 s3 notice",
    Severity.P4: "p4 info information informational none maintenance debug verbose trace ok normal sev4 s4"
    " lowest trivial clear cleared unknownimpact",
}
SPELLINGS: Mapping[str, Severity] = {word: severity for severity, words in _WORDS.items() for word in words.split()}


def normalise(word: str) -> Severity | None:
    """The severity a word means, or None when it has none. Case, spaces, `_`, `-` and a "severity" prefix go."""
    known = SPELLINGS.get(word)
    if known is not None:
        return known
    return SPELLINGS.get(folded(word))


def folded(word: str) -> str:
    """The word in the one spelling that words are compared in."""
    bare = word.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    return bare.removeprefix("severity").removeprefix("priority")
