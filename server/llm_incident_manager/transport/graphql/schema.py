"""The schema: what the contract gives and what is added by hand, with a resolver for every field. Made once."""

import functools
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from ariadne import SchemaBindable, make_executable_schema
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor
from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.graphql import contract, resolvers, values
from llm_incident_manager.transport.graphql.context import Context
from llm_incident_manager.transport.graphql.contract import Root

_PACKAGE = "incidentmanager.v1."


class _Messages(SchemaBindable):
    """Lets each field of a type that a message gives answer with that field."""

    def bind_to_schema(self, schema: GraphQLSchema) -> None:
        for name, kind in schema.type_map.items():
            if isinstance(kind, GraphQLObjectType) and (message := _message(name)) is not None:
                known = {field.json_name: field for field in message.fields}
                for each, definition in kind.fields.items():
                    if each in known:
                        definition.resolve = _field(values.shower(known[each]))


class _Methods(SchemaBindable):
    """Lets the fields of Query and Mutation call methods."""

    def bind_to_schema(self, schema: GraphQLSchema) -> None:
        for root in contract.roots(methods.all_methods()):
            kind = schema.type_map[root.operation]
            assert isinstance(kind, GraphQLObjectType)
            kind.fields[root.name].resolve = _caller(root)


def _message(name: str) -> Descriptor | None:
    try:
        return descriptor_pool.Default().FindMessageTypeByName(_PACKAGE + name)
    except KeyError:
        return None


def _field(show: values.Show) -> Callable[..., object]:
    return lambda message, _: show(message)


def _caller(root: Root) -> Callable[..., Any]:
    names: Mapping[str, str] = {argument: field.name for argument, field in root.arguments.items()}
    show = None if root.part is None else values.shower(root.part)

    async def resolve(_: object, info: GraphQLResolveInfo[Context], **given: object) -> object:
        fields = {names[name]: value for name, value in given.items()}
        reply = await info.context.ask(root.method.name, lambda: values.request(root.method.request, fields))
        return reply if show is None else show(reply)

    return resolve


def text() -> str:
    """The whole schema as GraphQL writes it."""
    here = resources.files(__package__)
    return "\n".join(here.joinpath(name).read_text("utf-8") for name in ("contract.graphql", "doors.graphql"))


@functools.cache
def schema() -> GraphQLSchema:
    """The schema of this release."""
    return make_executable_schema(text(), _Messages(), _Methods(), *resolvers.bindables())
