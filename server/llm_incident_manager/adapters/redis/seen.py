"""Idempotency keys that processes of one database share for a minute: one command to read, one script to write."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from redis.exceptions import ResponseError

from llm_incident_manager.adapters.redis.clients import Client
from llm_incident_manager.adapters.redis.connection import Connection, RedisGone
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import IdempotencyRow
from llm_incident_manager.ports.seen import Name

KEPT_SECONDS = 60
"""Most repeats come within seconds; at 10,000 keys a second a minute is about 200 MB of Redis."""

_KEEP = "for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[i], 'EX', ARGV[#ARGV]) end"


class RedisSeen:
    """Implements ports.seen.SharedSeen."""

    def __init__(self, link: Connection) -> None:
        """Uses the connection; closes nothing."""
        self._link = link

    async def find(self, incarnation: str, names: Sequence[Name]) -> Mapping[Name, IdempotencyRow]:
        """See SharedSeen."""
        found: dict[Name, IdempotencyRow] = {}
        try:
            for tenant, keys in _by_tenant(names).items():
                wanted = [self._key(incarnation, tenant, key) for key in keys]
                values = await self._link.ask(partial(_get, wanted))
                found |= {(tenant, key): _row(tenant, key, v) for key, v in zip(keys, values, strict=True) if v}
        except (RedisGone, ResponseError, ValueError):  # ValueError: a value that we did not write
            return {}
        return found

    async def keep(self, incarnation: str, rows: Sequence[IdempotencyRow]) -> None:
        """See SharedSeen."""
        by_tenant: dict[TenantId, list[IdempotencyRow]] = defaultdict(list)
        for row in rows:
            by_tenant[row.tenant].append(row)
        try:
            for tenant, own in by_tenant.items():
                keys = [self._key(incarnation, tenant, row.key) for row in own]
                values = [f"{row.event_id} {row.incident_id or ''} {row.at}" for row in own]
                await self._link.ask(partial(_set, keys, values))
        except (RedisGone, ResponseError):
            return

    def _key(self, incarnation: str, tenant: TenantId, key: str) -> str:
        return self._link.key("seen", tenant, incarnation, key)


async def _get(keys: Sequence[str], client: Client) -> Sequence[bytes | str | None]:
    return await client.mget(keys)


async def _set(keys: Sequence[str], values: Sequence[str], client: Client) -> None:
    await client.eval(_KEEP, len(keys), *keys, *values, str(KEPT_SECONDS))


def _by_tenant(names: Sequence[Name]) -> Mapping[TenantId, list[str]]:
    found: dict[TenantId, list[str]] = defaultdict(list)
    for tenant, key in names:
        found[tenant].append(key)
    return found


def _row(tenant: TenantId, key: str, value: bytes | str) -> IdempotencyRow:
    event, incident, at = (value if isinstance(value, str) else value.decode()).split(" ")
    return IdempotencyRow(tenant, key, EventId(event), IncidentId(incident) if incident else None, Instant(int(at)))
