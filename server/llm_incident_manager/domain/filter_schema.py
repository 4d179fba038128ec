"""What the filters of one kind of resource may name: its fields, its functions, and whether words are searched for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from llm_incident_manager.domain import filter_values
from llm_incident_manager.domain.filter_fields import FIELDS, Field, Type
from llm_incident_manager.domain.filter_tree import Node, Path

Argument = Path | str
"""What a function is given: a field, or a value as text."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A function. `meaning` gives the test that a call is, when it gives BOOLEAN, otherwise the value as text.

    It raises Unfit for arguments that it cannot take.
    """

    takes: tuple[Type, ...]
    gives: Type
    meaning: Callable[[Sequence[Argument]], Node | str]


def _constant(read: Callable[[str], object]) -> Callable[[Sequence[Argument]], str]:
    """A function of one written value, which stands for itself when it can be read."""

    def meaning(arguments: Sequence[Argument]) -> str:
        (value,) = arguments
        if isinstance(value, Path):
            raise filter_values.Unfit(f"{value.field.name} is a field: write the value itself, in double quotes")
        read(value)
        return value

    return meaning


FUNCTIONS: Mapping[str, Signature] = {
    "timestamp": Signature((Type.TEXT,), Type.TIME, _constant(filter_values.moment_of)),
    "duration": Signature(
        (Type.TEXT,), Type.DURATION, _constant(lambda text: filter_values.value_of(Type.DURATION, text))
    ),
}
"""The functions that every filter has."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of resource. Where nothing is `searched`, a word must be the name of a yes-or-no field."""

    fields: Mapping[str, Field]
    functions: Mapping[str, Signature] = field(default_factory=lambda: FUNCTIONS)
    searched: bool = True


INCIDENTS = Schema(FIELDS)
