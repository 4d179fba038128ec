"""One rule of one value: its id, the Python expression that is true when it is broken, and what to tell people.

The expression is the only statement of a rule: the fast predicate (program.py) inlines it and the walk that names
violations (explain.py) evaluates it, so the two cannot disagree. Nothing here reads a message of ours.
"""

import json
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from math import copysign, isfinite
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from llm_incident_manager.domain import controls

FieldValue = Any
"""What a message's field holds. Its type is known from the descriptor at run time, which mypy cannot follow."""


def nanoseconds(moment: Timestamp | Duration) -> int:
    """A Timestamp or Duration as one comparable integer."""
    return moment.seconds * 1_000_000_000 + moment.nanos


NAMES: Mapping[str, object] = {"copysign": copysign, "isfinite": isfinite, "nanoseconds": nanoseconds}
"""What expressions may call, beside their own operand."""


QUOTED = 64
"""Most characters of a value (or map key) that a message or path repeats."""


def quote(value: object) -> str:
    """A scalar as messages and field paths show it: strings in JSON quotes, cut and harmless, everything else bare."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return controls.spelled(json.dumps(value if len(value) <= QUOTED else value[:QUOTED] + "…", ensure_ascii=False))
    return str(value)


class UncheckableRule(Exception):
    """A schema uses a validation option this checker does not enforce; raised when it compiles, never later."""

    def __init__(self, where: str, option: str, remedy: str = "remove it, or teach the checker") -> None:
        """`where` is the full name of the field or message, `option` the option as the schema writes it."""
        super().__init__(f"{where}: the validation option {option} is not supported; {remedy}")


@dataclass(frozen=True, slots=True)
class Rule:
    """`broken` is an expression over {v}, the value, and {g}, its operand `given`; `demand` completes "title must …".

    Expressions are templates of this package, and operands enter them as literals or by name: no input is evaluated.
    """

    id: str
    broken: str
    demand: str
    given: object = None
    test: Callable[[FieldValue], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compiles the expression once, for the walk that names violations."""
        source = "lambda v: " + self.broken.format(v="v", g="given")
        object.__setattr__(self, "test", eval(source, {**NAMES, "given": self.given}))  # noqa: S307

    def inline(self, value: str, namespace: dict[str, object]) -> str:
        """The expression over the variable `value`; an operand that is no literal is put into `namespace`."""
        if _is_literal(self.given):
            return self.broken.format(v=value, g=repr(self.given))
        name = f"given_{len(namespace)}"
        namespace[name] = self.given
        return self.broken.format(v=value, g=name)


UNSET = Rule("required", "not {v}", "be set")
"""True of the zero value, which proto3 does not tell from an unset field."""
UNSET_FLOAT = Rule("required", "{v} == 0 and copysign(1.0, {v}) > 0", "be set")
"""The same of a singular float: -0.0 travels on the wire, so it counts as set."""


def _is_literal(given: object) -> bool:
    """Whether repr() of it is a constant that Python folds into the code."""
    if isinstance(given, tuple):
        return all(map(_is_literal, given))
    return isinstance(given, int | str | bytes) or (isinstance(given, float) and isfinite(given))


def membership(kind: str, option: str, given: Iterable[FieldValue], say: Callable[[FieldValue], str] = quote) -> Rule:
    """`in` or `not_in`; `say` spells one element. A tuple keeps the schema's order in messages."""
    elements = tuple(given)
    listed = ", ".join(say(element) for element in elements)
    if option == "in":
        return Rule(f"{kind}.in", "{v} not in {g}", f"be one of {listed}", elements)
    return Rule(f"{kind}.not_in", "{v} in {g}", f"not be one of {listed}", elements)


def set_options(options: Message, where: str, known: Container[str]) -> dict[str, FieldValue]:
    """The options that are set, by name and in the schema's order; refuses any not `known` and drops examples."""
    if len(UnknownFieldSet(options)):
        raise UncheckableRule(where, f"of unknown number in {options.DESCRIPTOR.name}")
    found = {}
    for descriptor, value in options.ListFields():
        if descriptor.name == "example":
            continue
        if descriptor.is_extension or descriptor.name not in known:
            raise UncheckableRule(where, f"{options.DESCRIPTOR.name}.{descriptor.name}")
        found[descriptor.name] = value
    return found
