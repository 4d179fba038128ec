"""A case and what can come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Case = Mapping[str, Any]
"""One expectation as its file states it; each format reads its own keys."""


class Unreadable(Exception):
    """The case states something no program can put to us; the message says what."""


class NotYet(Exception):
    """The case is about a feature that is still to come; the message says which."""


class Result(StrEnum):
    """What came of a case."""

    PASSED = "passed"
    DEVIATING = "deviating"
    UNREADABLE = "not machine-readable"
    NOT_YET = "not yet"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """A case's result; `detail` is what came instead, or the reason."""

    case: str
    result: Result
    detail: str = ""


class Doors(Protocol):
    """The ways in that cases use. What they open is closed with the run."""

    async def grpc(self) -> str:
        """The address of a real server's gRPC, started at the first call."""
        ...

    async def http(self) -> str:
        """The base URL of the same server."""
        ...


class Format(Protocol):
    """A format of cases: a module of `formats/`."""

    NAME: str
    """How its files are called."""

    def recognises(self, case: Case) -> bool:
        """Whether a case of a file with another name is of this format."""
        ...

    async def run(self, case: Case, doors: Doors) -> str:
        """What came instead of the expected; empty when the case holds. Raises Unreadable, NotYet."""
        ...


def name_of(case: Case, number: int) -> str:
    """The case's id; where it has none, what tells it from the others."""
    if "id" in case:
        return str(case["id"])
    texts = [str(value) for key, value in case.items() if isinstance(value, str) and not key.startswith("expect")]
    return "/".join(texts) or f"#{number}"


def difference(got: object, expected: object) -> str:
    """Empty when they are equal, otherwise both."""
    return "" if got == expected else f"got {got!r}, expected {expected!r}"


def needed(case: Case, key: str, kind: type | tuple[type, ...]) -> Any:  # noqa: ANN401 - JSON is anything
    """A value that the format demands. Raises Unreadable when it is absent or of another kind."""
    if key not in case:
        raise Unreadable(f"it has no {key!r}")
    if not isinstance(case[key], kind):
        raise Unreadable(f"its {key!r} is {case[key]!r}")
    return case[key]
