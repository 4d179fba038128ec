"""The GraphQL door."""

from typing import Annotated

from pydantic import Field, field_validator

from llm_incident_manager.config.values import Bytes, Count, Section


class Graphql(Section):
    """GraphQL over HTTP and WebSocket, at the port of `api`."""

    enabled: bool = True
    """Answer at all."""
    path: str = "/graphql"
    """Where; subscriptions are taken there and below it at `/ws`."""
    max_depth: Annotated[int, Field(ge=3, le=50)] = 10
    """Most levels of fields in an operation."""
    max_complexity: Count = 1_000
    """Most objects that an operation may ask for, each counted as often as it may come."""
    max_aliases: Annotated[int, Field(ge=0, le=1_000)] = 30
    """Most fields that are asked for again, by an alias or without one."""
    max_tokens: Annotated[int, Field(ge=100, le=100_000)] = 2_000
    """Most tokens of a query."""
    max_request_bytes: Bytes = 256 * 1024
    """Largest request, with its variables; of the query a quarter."""
    max_operations_per_socket: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Most operations at once on one WebSocket, subscriptions among them."""
    init_timeout_secs: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Time a WebSocket has to say who it is."""
    introspection: bool = True
    """Tell callers the schema."""
    ide: bool = True
    """Show browsers a page to try queries on."""

    @field_validator("path")
    @classmethod
    def _below_the_root(cls, given: str) -> str:
        if not given.startswith("/") or given != given.rstrip("/") or not given[1:].replace("/", "").isalnum():
            raise ValueError("give a path of letters and digits such as /graphql")
        return given
