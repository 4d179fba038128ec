"""Runs operations: reads what is asked, refuses what is too much, executes the rest, and words the answer."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Mapping
from functools import partial
from time import perf_counter  # a stop-watch for metrics, not a source of time
from types import CoroutineType
from typing import Any, TypeGuard, cast

import orjson
from graphql import ExecutionResult, GraphQLSchema, execute, execute_sync, subscribe

from llm_incident_manager.config.graphql_section import Graphql
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.graphql import errors
from llm_incident_manager.transport.graphql.context import Behind, Context, Shown
from llm_incident_manager.transport.graphql.documents import Asked, Documents, Prepared
from llm_incident_manager.transport.graphql.limits import Limits

MOST_VALUES = 5_000
"""Values in the variables of a request, those inside others counted too."""
MOST_LEVELS = 32
MOST_COERCION_ERRORS = 5
KEPT_DESCRIPTIONS = 8
"""Answers about the schema that are kept: tools ask the same again and again."""
Answer = Mapping[str, Any]


class Engine:
    """Runs operations for the doors."""

    def __init__(self, settings: Graphql, behind: Behind, metrics: Metrics, schema: GraphQLSchema) -> None:
        """Nothing was asked yet."""
        self._settings = settings
        self._metrics = metrics
        self.behind = behind
        self._schema = schema
        bounds = Limits(settings.max_depth, settings.max_complexity, settings.max_aliases, settings.introspection)
        self._documents = Documents(schema, bounds, settings.max_tokens, settings.max_request_bytes // 4)
        self._told = OrderedDict[tuple[str, str | None], Answer]()
        self._telling = asyncio.Lock()

    def prepare(self, asked: Asked, whole: Call) -> Prepared:
        """The operation to run. Raises DomainError for what is too much or does not fit."""
        whole.facts["field"] = whole.facts["kind"] = "invalid"
        prepared = self._documents.prepare(asked)
        whole.facts["kind"] = prepared.operation.operation.value
        whole.facts["field"] = prepared.top_field
        return prepared

    async def run(self, prepared: Prepared, shown: Shown) -> Answer:
        """What a query or a mutation answers."""
        started = perf_counter()
        if prepared.about_schema:
            answer = await self._describe(prepared)
        else:
            context = Context(self.behind, shown)
            result = execute(
                self._schema,
                prepared.document,
                context_value=context,
                variable_values=dict(prepared.asked.variables),
                operation_name=prepared.asked.operation_name,
                max_coercion_errors=MOST_COERCION_ERRORS,
                hide_suggestions=not self._settings.introspection,
                is_awaitable=_is_awaitable,
            )
            done = result if isinstance(result, ExecutionResult) else await result
            answer = printed(done, context.request_id)
        self._metrics.graphql_answered(
            prepared.operation.operation.value, prepared.top_field, _code(answer), perf_counter() - started
        )
        return answer

    async def subscribe(self, prepared: Prepared, shown: Shown) -> AsyncIterator[Answer]:
        """What a subscription tells, until it ends. Raises StatusError."""
        context = Context(self.behind, shown)
        result = subscribe(
            self._schema,
            prepared.document,
            context_value=context,
            variable_values=dict(prepared.asked.variables),
            operation_name=prepared.asked.operation_name,
            max_coercion_errors=MOST_COERCION_ERRORS,
            hide_suggestions=not self._settings.introspection,
        )
        stream = await result if asyncio.iscoroutine(result) else result
        if isinstance(stream, ExecutionResult):
            yield printed(stream, context.request_id)
            return
        told = cast(Any, stream)
        self._metrics.graphql_subscribed(prepared.top_field)
        try:
            async for each in told:
                yield printed(each, context.request_id)
        finally:
            await told.aclose()

    def refused(self, error: StatusError) -> Answer:
        """The answer to a request that was refused as a whole, which is counted."""
        cause = error.__cause__
        broken = cause.violations[0].rule if isinstance(cause, DomainError) and cause.violations else ""
        self._metrics.graphql_refused(broken if broken.startswith("graphql.") else error.code)
        return {"errors": errors.of_status(error)}

    async def _describe(self, prepared: Prepared) -> Answer:
        """What is asked about the schema, which is much work: in a thread, one after the other, and kept."""
        asked = prepared.asked
        key = (asked.query, asked.operation_name)
        async with self._telling:
            if key in self._told:
                return self._told[key]
            run = partial(
                execute_sync,
                self._schema,
                prepared.document,
                variable_values=dict(asked.variables),
                operation_name=asked.operation_name,
            )
            answer = printed(await asyncio.to_thread(run), "")
            if not asked.variables:
                self._told[key] = answer
                if len(self._told) > KEPT_DESCRIPTIONS:
                    self._told.popitem(last=False)
            return answer


def _is_awaitable(value: object) -> TypeGuard[Awaitable[Any]]:
    """What resolvers and graphql-core give to be awaited; to ask each value for `__await__` takes a tenth of a page."""
    return isinstance(value, CoroutineType | asyncio.Future)


def printed(result: ExecutionResult, request_id: str) -> Answer:
    """{data} and, where there are some, {errors}."""
    found: dict[str, Any] = {"data": result.data}
    if result.errors:
        found["errors"] = [errors.of_field(error, request_id) for error in result.errors]
    return found


def read(body: bytes) -> Asked:
    """What a request body asks. Raises MALFORMED_MESSAGE, InvalidFields."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        text = f"the body is no JSON ({error}): send an object with a query"
        raise DomainError(ErrorReason.MALFORMED_MESSAGE, text) from None
    return asked_of(given)


def asked_of(given: object) -> Asked:
    """The same of a value. Raises InvalidFields."""
    if isinstance(given, list):
        raise _wrong("query", "batches are not taken: send one operation, which may have many fields", "batch")
    if not isinstance(given, dict):
        raise _wrong("query", "give an object with a query, variables and operationName", "type")
    query, name, variables = given.get("query"), given.get("operationName"), given.get("variables")
    if not isinstance(query, str) or not query.strip():
        raise _wrong("query", "query: give a GraphQL document as text", "required")
    if name is not None and not isinstance(name, str):
        raise _wrong("operationName", "operationName: give a text, or leave it out", "type")
    if variables is not None and not isinstance(variables, dict):
        raise _wrong("variables", "variables: give an object, or leave it out", "type")
    _bound(variables or {})
    return Asked(query, name or None, variables or {})


def _bound(variables: Mapping[str, Any]) -> None:
    """Raises InvalidFields for more values, or deeper ones, than anybody needs."""
    level: list[Any] = [variables]
    count = 0
    for _ in range(MOST_LEVELS):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict | list):
                count += len(value)
                if count > MOST_VALUES:
                    raise _wrong(
                        "variables", f"variables have more than {MOST_VALUES} values: send fewer", "max_values"
                    )
                inner += value.values() if isinstance(value, dict) else value
        if not inner:
            return
        level = inner
    raise _wrong("variables", f"variables are more than {MOST_LEVELS} levels deep: flatten them", "max_levels")


def _wrong(field: str, text: str, rule: str) -> InvalidFields:
    return InvalidFields([Violation(field, text, f"graphql.{rule}")])


def _code(answer: Answer) -> str:
    """OK, or the code of the first error."""
    found = answer.get("errors")
    return str(found[0]["extensions"]["code"]) if found else "OK"
