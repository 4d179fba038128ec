"""Makes redis-py's clients: one server, the master behind sentinels, or a cluster, all without retries of their own.

A retry inside the client would hide a failure from the breaker and make a caller wait a multiple of its deadline.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from llm_incident_manager.config.redis_urls import Kind, RedisTarget

Client: TypeAlias = "Redis | RedisCluster"

MOST_CONNECTIONS = 128


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds to connect, and for one answer."""

    connect: float
    command: float


class Clients:
    """A client and, for a master behind sentinels, the clients that ask those."""

    def __init__(self, target: RedisTarget, deadlines: Deadlines, *, blocking: bool) -> None:
        """Connects to nothing yet. `blocking` is for commands that wait for news: their answers have no deadline."""
        self._sentinel = _sentinel(target, deadlines) if target.kind is Kind.SENTINEL else None
        shared = _shared(target, deadlines, None if blocking else deadlines.command)
        self.client = self._make(target, shared)

    def _make(self, target: RedisTarget, shared: dict[str, Any]) -> Client:
        tls: dict[str, Any] = {"ssl": True, **target.tls_options} if target.tls else {}
        if self._sentinel is not None:
            master: Redis = self._sentinel.master_for(target.master, db=target.database, **shared, **tls)
            return master
        if target.kind is Kind.CLUSTER:
            nodes = [ClusterNode(host, port) for host, port in target.hosts]
            return RedisCluster(startup_nodes=nodes, **shared, **tls)
        (host, port), *_ = target.hosts
        return Redis(host=host, port=port, db=target.database, **shared, **tls)

    async def close(self) -> None:
        """Ends every connection. The client makes new ones when it is used again."""
        await self.client.aclose()
        if isinstance(self.client, RedisCluster):  # its own aclose does nothing while it means to look for nodes anew
            await self.client.nodes_manager.aclose()
            await self.client.nodes_manager.aclose("startup_nodes")
        if self._sentinel is not None:
            await self._sentinel.aclose()


def _shared(target: RedisTarget, deadlines: Deadlines, answer: float | None) -> dict[str, Any]:
    return {
        "username": target.username,
        "password": target.password,
        "socket_connect_timeout": deadlines.connect,
        "socket_timeout": answer,
        "socket_keepalive": True,
        "max_connections": MOST_CONNECTIONS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,  # answers are all that is read: no pushes, hence no maintenance notices either
        "client_name": "llm-incident-manager",
    }


def _sentinel(target: RedisTarget, deadlines: Deadlines) -> Sentinel:
    """Each sentinel has its share of the time to connect, so that one on a dead machine leaves time for the others."""
    share = deadlines.connect / len(target.hosts)
    asked: dict[str, Any] = {
        "username": target.options.get("sentinel_username"),
        "password": target.options.get("sentinel_password"),
        "socket_connect_timeout": share,
        "socket_timeout": share,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if target.tls:
        asked |= {"ssl": True, **target.tls_options}
    return Sentinel(list(target.hosts), sentinel_kwargs=asked)  # type: ignore[no-untyped-call]  # the library's
