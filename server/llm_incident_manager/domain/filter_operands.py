"""What stands on either side of an operator in a filter: fields, written values, and calls of functions."""

import difflib
from dataclasses import dataclass

from llm_incident_manager.domain import filter_values
from llm_incident_manager.domain.filter_errors import InvalidFilter, shown
from llm_incident_manager.domain.filter_fields import Type
from llm_incident_manager.domain.filter_parser import Function, Literal, Member, Syntax
from llm_incident_manager.domain.filter_schema import Argument, Schema
from llm_incident_manager.domain.filter_tree import Node, Path


@dataclass(frozen=True, slots=True)
class Value:
    """A written value: its text, where it stands (offset), and where it has wildcards."""

    text: str
    at: int
    stars: tuple[int, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether it is a lone wildcard."""
        return self.text == "*" and bool(self.stars)


def value_of(syntax: Literal | Member) -> Value:
    """The value of a word, a text or a number. Raises InvalidFilter for a text that is only partly in quotes."""
    if isinstance(syntax, Literal):
        return Value(syntax.text, syntax.at, syntax.stars)
    if syntax.quoted:
        raise InvalidFilter("only a part of this text is in quotes: put all of it in double quotes", syntax.at + 1)
    return Value(syntax.raw, syntax.at, syntax.stars)


def path_of(left: Syntax, schema: Schema) -> Path:
    """The field that a name means. Raises InvalidFilter for values and for names nobody knows."""
    if not isinstance(left, Literal | Member) or (isinstance(left, Literal) and (left.quoted or left.number)):
        remedy = "put the name of a field on the left of the operator"
        raise InvalidFilter(f"a value stands where a field should: {remedy}", left.at + 1)
    names = left.names if isinstance(left, Member) else (left.text,)
    field = schema.fields.get(names[0])
    if field is None or (len(names) > 1 and field.type is not Type.LABELS):
        raise unknown_field(left.raw if isinstance(left, Member) else left.text, left.at, schema)
    return Path(field, ".".join(names[1:]) if len(names) > 1 else None)


def unknown_field(name: str, at: int, schema: Schema) -> InvalidFilter:
    """The refusal of a name that is no field."""
    near = difflib.get_close_matches(name, schema.fields, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    labels = (f"{each.name}.<key>" for each in schema.fields.values() if each.type is Type.LABELS)
    known = ", and ".join([", ".join(schema.fields), *labels])
    remedy = f"{guess}the fields are {known}; put text to search for in double quotes"
    return InvalidFilter(f"unknown field {shown(name)}: {remedy}", at + 1)


def type_of(path: Path) -> Type:
    """The type of the value a path leads to: that of a label is text."""
    return Type.TEXT if path.key is not None else path.field.type


def call(syntax: Function, schema: Schema) -> tuple[Type, Node | str]:
    """What a call gives: a test, or a value as text with its type. Raises InvalidFilter."""
    signature = schema.functions.get(syntax.name)
    if signature is None:
        known = ", ".join(schema.functions)
        raise InvalidFilter(
            f"there is no function {shown(syntax.name)}: there are {known}; "
            'or write the value itself, for instance create_time > "2026-11-21T00:00:00Z"',
            syntax.at + 1,
        )
    if len(syntax.arguments) != len(signature.takes):
        count = len(signature.takes)
        raise InvalidFilter(f"{syntax.name} takes {count} values and is given {len(syntax.arguments)}", syntax.at + 1)
    arguments = [_argument(each, type_, schema) for each, type_ in zip(syntax.arguments, signature.takes, strict=True)]
    try:
        return signature.gives, signature.meaning(arguments)
    except filter_values.Unfit as error:
        raise InvalidFilter(f"{syntax.name}: {error}", syntax.at + 1) from error


def called_value(syntax: Function, path: Path, schema: Schema) -> Value:
    """The value of a call that is compared with a field. Raises InvalidFilter when it is of another type."""
    gives, value = call(syntax, schema)
    if not isinstance(value, str) or gives is not type_of(path):
        raise InvalidFilter(f"{syntax.name} gives no value for {path.field.name}: compare another field", syntax.at + 1)
    return Value(value, syntax.at)


def _argument(syntax: Syntax, type_: Type, schema: Schema) -> Argument:
    match syntax:
        case Function():
            gives, value = call(syntax, schema)
            if gives is type_ and isinstance(value, str):
                return value
        case Literal(quoted=False, number=False) | Member():
            path = path_of(syntax, schema)
            if type_of(path) is type_:
                return path
        case Literal(text) if type_ is Type.TEXT or not syntax.quoted:
            return text
    raise InvalidFilter(f"this is no {type_.name.lower()}, which the function takes here", syntax.at + 1)
