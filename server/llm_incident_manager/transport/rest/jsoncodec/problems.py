"""What is wrong with a JSON value or a parameter: collected with field paths, told as violations. Decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.transport.checker.rules import quote

LIMIT = 1_000
"""Most problems told of one request: a hostile one must not make a huge answer."""


class Rule(StrEnum):
    """Rule ids of violations found before there is a message to check."""

    TYPE = "input.type"
    RANGE = "input.range"
    ENUM = "input.enum"
    FORMAT = "input.format"
    UNKNOWN_FIELD = "input.unknown_field"
    GIVEN_TWICE = "input.given_twice"
    ONEOF = "input.oneof"


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is relative to where it was found; `says` completes it to a sentence, as "must be a string; got 5"."""

    path: str
    says: str
    rule: Rule

    def below(self, parent: str) -> "Problem":
        """The same problem, seen from the field or element `parent`."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Problem(f"{parent}{joint}{self.path}", self.says, self.rule)


class Unacceptable(Exception):
    """Problems with a value, at most LIMIT; whoever holds the value adds its own path and goes on collecting."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Takes at least one problem."""
        super().__init__()
        self.problems = tuple(islice(problems, LIMIT))

    def below(self, parent: str) -> Iterable[Problem]:
        """The problems, seen from the field or element `parent`."""
        return (problem.below(parent) for problem in self.problems)

    def violations(self) -> tuple[Violation, ...]:
        """What the caller is told."""
        return tuple(Violation(p.path, f"{p.path or 'the body'} {p.says}", p.rule) for p in self.problems)


def wrong(rule: Rule, demand: str, value: object) -> Unacceptable:
    """A value that breaks `demand`, as "be a string"; quotes the value, cut."""
    return Unacceptable([Problem("", f"must {demand}; got {describe(value)}", rule)])


def describe(value: object) -> str:
    """A JSON value for people: scalars quoted and cut, the others by kind."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return quote(value)
