"""Queries as they come, parsed, measured and validated: what is refused here has cost little and called nothing."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import MaxIntrospectionDepthRule

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.transport.graphql import limits
from llm_incident_manager.transport.graphql.limits import INTROSPECTION, Limits, TooMuch

KEPT = 200
"""Documents that are kept, and up to which length: programs ask the same again and again."""
KEPT_CHARACTERS = 8_192
MOST_ERRORS = 5
"""Each costs a search for what may have been meant."""
MOST_COMMENTS = 500
_RULES = (*specified_rules, MaxIntrospectionDepthRule)


class NotValid(InvalidFields):
    """A query that does not fit the schema, with all that was found."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        """`errors` are what validation found, at least one."""
        super().__init__([Violation("query", error.message, "graphql.validation") for error in errors])
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Document:
    """A query that is valid."""

    node: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks: a query, which of its operations, and variables."""

    query: str
    operation_name: str | None
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that may run."""

    document: DocumentNode
    operation: OperationDefinitionNode
    asked: Asked
    roots: frozenset[str]

    @property
    def about_schema(self) -> bool:
        """Whether it asks about the schema, and for nothing else."""
        return bool(self.roots & INTROSPECTION)

    @property
    def top_field(self) -> str:
        """A word for it in metrics and logs: its field, or that it has several. It is valid, so this is a name of the
        schema and no text of a client's."""
        names = self.roots - {"__typename"} or {"__typename"}
        return next(iter(names)) if len(names) == 1 else "several"

    @property
    def subscribes(self) -> bool:
        """Whether it is a subscription."""
        return self.operation.operation is OperationType.SUBSCRIPTION


class Documents:
    """Prepares what is asked, and keeps what was asked before."""

    def __init__(self, schema: GraphQLSchema, bounds: Limits, max_tokens: int, max_characters: int) -> None:
        """Nothing was asked yet."""
        self._schema = schema
        self._bounds = bounds
        self._max_tokens = max_tokens
        self._max_characters = max_characters
        self._kept = OrderedDict[str, Document]()

    def prepare(self, asked: Asked) -> Prepared:
        """The operation to run. Raises MALFORMED_MESSAGE for what does not parse, TooMuch, NotValid, InvalidFields."""
        known = self._kept.get(asked.query)
        if known is not None:
            self._kept.move_to_end(asked.query)
        document = known or self._parsed(asked.query)
        operation = self._operation(document.node, asked)
        measured = limits.measure(self._schema, operation, document.fragments, asked.variables, self._bounds)
        if known is None:
            self._validate(document, asked)
        about = measured.roots & INTROSPECTION
        if about and measured.roots - INTROSPECTION - {"__typename"}:
            text = f"{', '.join(sorted(about))} is asked for beside other fields: ask for it alone"
            raise InvalidFields([Violation("query", text, "graphql.introspection")])
        return Prepared(document.node, operation, asked, measured.roots)

    def _parsed(self, query: str) -> Document:
        if len(query) > self._max_characters:
            raise TooMuch("max_request_bytes", f"the query has {len(query)} characters", self._max_characters)
        try:
            node = parse(query, max_lexical_tokens=self._max_tokens, max_comments=MOST_COMMENTS)
        except GraphQLSyntaxError as error:
            place = error.locations[0] if error.locations else None
            where = f" (line {place.line}, column {place.column})" if place else ""
            if "more than" in error.message or "nested" in error.message:  # as graphql-core words what it counts
                raise TooMuch("max_tokens", f"{error.message}{where}", self._max_tokens) from None
            raise DomainError(
                ErrorReason.MALFORMED_MESSAGE, f"the query does not parse{where}: {error.message}"
            ) from None
        return Document(node, limits.definitions(node))

    def _operation(self, node: DocumentNode, asked: Asked) -> OperationDefinitionNode:
        operation = get_operation_ast(node, asked.operation_name)
        if operation is not None:
            return operation
        names = [
            each.name.value for each in node.definitions if isinstance(each, OperationDefinitionNode) and each.name
        ]
        found = f"there is no operation {asked.operation_name!r}" if asked.operation_name else "it is not said which"
        text = f"operationName: {found}: the query has {', '.join(names[:5]) or 'none with a name'}"
        raise InvalidFields([Violation("operationName", text, "graphql.operation")])

    def _validate(self, document: Document, asked: Asked) -> None:
        errors = validate(
            self._schema,
            document.node,
            _RULES,
            max_errors=MOST_ERRORS,
            hide_suggestions=not self._bounds.introspection,
        )
        if errors:
            raise NotValid(errors)
        if len(asked.query) <= KEPT_CHARACTERS:
            self._kept[asked.query] = document
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
