"""How work after the commit gets to whoever does it."""

from typing import Annotated, Literal

from pydantic import Field

from llm_incident_manager.config.values import Section


class Bus(Section):
    """How work after the commit gets to whoever does it. The database is the record of it either way."""

    backend: Literal["database", "redis"] = "database"
    """`database` claims it where it is kept; `redis` carries it in streams at `redis.url`, for many processes. While
    Redis is away the database takes over."""
    shards: Annotated[int, Field(ge=1, le=64)] = 8
    """Streams of each topic, shared out among the processes: give all processes the same number, and at least as many
    as there are processes that do the same work."""
