"""Requests of any method as GraphQL asks them, made from the schema: every field, every argument, all that is told."""

import functools
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from google.rpc import code_pb2
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
)

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.graphql import contract
from llm_incident_manager.transport.graphql.contract import Root
from llm_incident_manager.transport.graphql.schema import schema
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.jsoncodec import ENCODERS

LEVELS = 2
"""How deep an answer is asked for."""
OF_LISTS = frozenset({"filter", "order_by", "search", "start", "end"})
Asked = tuple[str, dict[str, Any]]
"""A query and its variables."""


@functools.cache
def _roots() -> Mapping[str, Root]:
    return {root.method.name: root for root in contract.roots(methods.all_methods())}


def asked(method: Method, request: Message) -> Asked | None:
    """How the method is asked this; None where GraphQL has no field for it, or another way to ask."""
    given = {field.name: value for field, value in request.ListFields()}
    if method.name == "GetIncident":
        return _asked("query", "incident", {"id": given.get("incident_id", "")})
    if method.name == "ListIncidents":
        if not given.keys() <= OF_LISTS:
            return None
        names = {"filter": "expression"}
        wanted = {names.get(name, name): value for name, value in given.items() if name != "order_by"}
        return _asked("query", "incidents", {"filter": wanted, "orderBy": given.get("order_by", "")})
    root = _roots().get(method.name)
    if root is None:
        return None
    encode: Any = ENCODERS.message(method.descriptor.input_type)
    values, told = _camel(encode(request), method.descriptor.input_type), dict[str, Any]()
    for argument, field in root.arguments.items():
        if field.name in given:
            told[argument] = values[field.json_name]
    return _asked(root.operation.lower(), root.name, told)


def _camel(value: Any, message: Any) -> Any:  # noqa: ANN401  # JSON, and either kind of descriptor
    """Fields by their names in GraphQL; words that are not told are left out."""
    found = {}
    for field in message.fields:
        if field.name not in value or (field.enum_type and value[field.name] == "UNSPECIFIED"):
            continue
        one = value[field.name]
        if contract.is_object(field):
            one = (
                [_camel(each, field.message_type) for each in one]
                if field.is_repeated
                else _camel(one, field.message_type)
            )
        found[field.json_name] = one
    return found


def _asked(operation: str, name: str, values: dict[str, Any]) -> Asked:
    root = schema().query_type if operation == "query" else schema().mutation_type
    assert root is not None
    field = root.fields[name]
    for argument, each in field.args.items():
        if isinstance(each.type, GraphQLNonNull) and argument not in values:
            values[argument] = _least(each.type)
    heads = ", ".join(f"${each}: {field.args[each].type}" for each in values)
    passed = ", ".join(f"{each}: ${each}" for each in values)
    head, arguments = (f"({heads})", f"({passed})") if values else ("", "")
    return f"{operation} {head} {{ {name}{arguments} {_all_of(field, LEVELS)} }}", values


def _least(kind: Any) -> Any:  # noqa: ANN401  # JSON of a type of the schema
    """The least value that the schema takes."""
    kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: each.type for name, each in kind.fields.items() if isinstance(each.type, GraphQLNonNull)}
        return {name: _least(each) for name, each in needed.items()}
    return {"Int": 0, "Float": 0, "Boolean": False, "Map": {}}.get(kind.name, "")


def _all_of(field: GraphQLField, levels: int) -> str:
    """A selection of all that can be told so deep."""
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType):
        return ""
    chosen = [
        f"{name} {_all_of(each, levels - 1)}"
        for name, each in kind.fields.items()
        if levels or not isinstance(get_named_type(each.type), GraphQLObjectType)
    ]
    return "{ " + " ".join(chosen or ["__typename"]) + " }"


def refusal(answer: Mapping[str, Any]) -> tuple[int, str, str]:
    """Code, reason and message of the first error; 0 without one."""
    if not answer.get("errors"):
        return 0, "", ""
    error = answer["errors"][0]
    told = error["extensions"]
    return code_pb2.Code.Value(told["code"]), told.get("reason", ""), error["message"]
