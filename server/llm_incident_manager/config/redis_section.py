"""Where Redis is and how long an answer is waited for. Redis makes things faster; nothing depends on it."""

from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.values import ConnectionString, Section

Deadline = Annotated[float, Field(gt=0, le=5)]


class Redis(Section):
    """A Redis (or Valkey) server, a master behind sentinels, or a cluster."""

    url: ConnectionString | None = None
    """`redis://:password@host:6379/0`; `redis+sentinel://host1:26379,host2:26379/master-name/0` for a master that
    sentinels know; `redis+cluster://host1:6379,host2:6379` for a cluster; `rediss…` in place of `redis…` for TLS."""
    dedupe_cache: bool = True
    """While repeats are frequent, processes on PostgreSQL tell each other of the idempotency keys they have seen."""
    key_prefix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] = "llm-im"
    """What all keys begin with; deployments that share a Redis need different ones."""
    connect_timeout_secs: Deadline = 0.5
    """Time to connect and sign in, at most 5; finding the master through its sentinels is part of it."""
    command_timeout_secs: Deadline = 0.25
    """Time Redis has for one answer, at most 5; after a few failures it is not asked until it answers a probe."""
