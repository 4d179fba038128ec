"""The filter language of AIP-160.

Trees and declarations cannot be put to a server: `parse/…` goes to the parser, `check/…` to the checker with the fields
and functions that the case declares. What should be taken is put to a real server too, with fields of incidents in the
place of those declared. Statements in words are tried on a real server, with incidents that tell right from wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cases import rest, statements
from cases.case import Case, Doors, Unreadable, difference, needed
from llm_incident_manager.domain import filter_parser, filter_values, filters
from llm_incident_manager.domain.filter_fields import Field, Type
from llm_incident_manager.domain.filter_parser import Comparison, Function, Group, Literal, Member, Negation, Syntax
from llm_incident_manager.domain.filter_schema import FUNCTIONS, Argument, Schema, Signature
from llm_incident_manager.domain.filter_tree import And, Node
from llm_incident_manager.domain.filters import InvalidFilter

NAME = "filter"

_NAMES = {
    "=": "Equals",
    "!=": "NotEquals",
    "<": "LessThan",
    "<=": "LessEquals",
    ">": "GreaterThan",
    ">=": "GreaterEquals",
    ":": "Has",
}
_GROUPS = {filter_parser.AND: "And", filter_parser.OR: "Or", filter_parser.SEQUENCE: "Sequence"}
_TYPES = {
    "bool": Type.BOOLEAN,
    "string": Type.TEXT,
    "int": Type.INTEGER,
    "uint": Type.INTEGER,
    "float": Type.NUMBER,
    "double": Type.NUMBER,
    "timestamp": Type.TIME,
    "duration": Type.DURATION,
    "map<string, string>": Type.LABELS,
    "list<string>": Type.LIST,
}
_STAND_INS = {
    Type.BOOLEAN: "recurred",
    Type.TEXT: "title",
    Type.INTEGER: "event_count",
    Type.NUMBER: "cost_usd",
    Type.TIME: "create_time",
    Type.DURATION: "time_to_resolve",
    Type.LABELS: "labels",
    Type.LIST: "assignees",
}
_DECLARED = re.compile(r"function ([\w.]+)\(([^)]*)\) returns (\w+)")
_FUZZY = "FUZZY"


def recognises(case: Case) -> bool:
    """A filter with what it should be or mean."""
    return "filter" in case and not case.keys().isdisjoint({"expect_ast", "expect_error", "declarations", "statement"})


async def run(case: Case, doors: Doors) -> str:
    """Whichever of the three kinds the case is."""
    text = needed(case, "filter", str)
    if "statement" in case:
        return await statements.about_filters(text, case["statement"], doors)
    if "declarations" in case:
        return await _check(case, doors)
    try:
        syntax = filter_parser.parse_syntax(text)
    except InvalidFilter as error:
        return "" if case.get("expect_error") else error.message
    got = None if syntax is None else printed(syntax)
    return f"got {got}" if case.get("expect_error") else difference(got, case.get("expect_ast"))


def printed(syntax: Syntax) -> list[Any]:
    """The tree in the notation of the cases."""
    match syntax:
        case Group(kind, parts):
            return [_GROUPS[kind], *map(printed, parts)]
        case Negation(part):
            return ["Not", printed(part)]
        case Function():
            return _printed_call(syntax)
        case Comparison(operator, left, right):
            if operator == ":" and isinstance(right, Literal):
                return ["Has", printed(left), ["String", right.text]]
            return [_NAMES[operator], printed(left), printed(right)]
        case Literal() | Member():
            return _printed_name(syntax)


def _printed_call(syntax: Function) -> list[Any]:
    match syntax:
        case Function("timestamp", (Literal(text, quoted=True),)):
            return ["Timestamp", text]
        case Function("duration", (Literal(text, quoted=True),)):
            return ["Duration", int(filter_values.value_of(Type.DURATION, text)) / 1_000_000]
    return ["Function", syntax.name, *map(printed, syntax.arguments)]


def _printed_name(syntax: Literal | Member) -> list[Any]:
    if isinstance(syntax, Literal):
        if syntax.number:
            return ["Int", int(syntax.text)] if syntax.text.lstrip("-").isdigit() else ["Float", float(syntax.text)]
        return ["String" if syntax.quoted else "Text", syntax.text]
    nested: list[Any] = ["Text", syntax.names[0]]
    for name in syntax.names[1:]:
        nested = ["Member", nested, name]
    return nested


async def _check(case: Case, doors: Doors) -> str:
    schema = _schema(case["declarations"])
    try:
        filters.parse(case["filter"], schema)
    except InvalidFilter as error:
        return "" if case.get("expect_error") else error.message
    if case.get("expect_error"):
        return "it was taken"
    if schema.functions.keys() != FUNCTIONS.keys():
        return ""
    status, answer = await rest.incidents(await doors.http(), filter=_of_incidents(case["filter"], schema))
    return "" if status == 200 else f"the server: {answer['message']}"


def _schema(declarations: Mapping[str, Any]) -> Schema:
    """The declared fields and functions. Words are searched for only where the function for it is declared."""
    fields = {
        name: Field(name, _type(kind), name, name) for name, kind in declarations.items() if name not in {"_", _FUZZY}
    }
    functions = dict(FUNCTIONS)
    said: Sequence[str] = declarations.get("_", ())
    for text in said:
        if found := _DECLARED.fullmatch(text):
            takes = tuple(_type(kind.strip()) for kind in found[2].split(",") if kind.strip())
            functions[found[1]] = Signature(takes, _type(found[3]), _meaning(_type(found[3])))
        elif text != "standard functions":
            raise Unreadable(f"it declares {text!r}, which its file does not explain")
    return Schema(fields, functions, searched=any(_FUZZY in text for text in said))


def _type(kind: str) -> Type:
    if kind not in _TYPES:
        raise Unreadable(f"it declares the type {kind!r}, which its file does not explain")
    return _TYPES[kind]


def _meaning(gives: Type) -> Callable[[Sequence[Argument]], Node | str]:
    """A declared function has no meaning but its type: any test, or any value, of it will do."""
    values = {Type.TIME: "2026-11-21T20:38:51Z", Type.DURATION: "1s"}
    return lambda _: And(()) if gives is Type.BOOLEAN else values.get(gives, "1")


def _of_incidents(text: str, schema: Schema) -> str:
    """The filter with fields of incidents in the place of those declared."""
    for name, field in schema.fields.items():
        text = re.sub(rf"(?<![\w.'\"]){re.escape(name)}(?![\w'\"])", _STAND_INS[field.type], text)
    return text
