"""Which shards of a topic this process reads: leases in Redis. One that is lost costs a double look, and no more."""

from zlib import crc32

from llm_incident_manager.adapters.redis.clients import Client
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.domain import shards

LEASE_MILLISECONDS = 10_000
RENEW_SECONDS = 2.0

_ATTEND = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('EXPIRE', KEYS[1], 3600)
return redis.call('ZCARD', KEYS[1])
"""
_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"
_RELEASE = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"


class Shards:
    """The shards of one topic that this process holds."""

    def __init__(self, connection: Connection, topic: str, owner: str, count: int) -> None:
        """`owner` is no other process's name; all processes have to agree on `count`."""
        self._connection = connection
        self._topic = topic
        self._owner = owner
        self._count = count
        self.held: set[int] = set()

    async def keep(self) -> None:
        """Renews the leases, and takes or gives back some for a fair share. Raises RedisGone."""
        self.held = {shard for shard in self.held if await self._script(_RENEW, shard, LEASE_MILLISECONDS)}
        allowed = shards.share(self._count, await self._attend())
        for shard in shards.surplus(self.held, allowed):
            self.held.discard(shard)
            await self._script(_RELEASE, shard)
        for shard in shards.vacancies(self.held, self._count, allowed, crc32(self._owner.encode())):
            if len(self.held) < allowed and await self._take(shard):
                self.held.add(shard)

    async def give_back(self) -> None:
        """Lets others have them at once. Raises RedisGone."""
        while self.held:
            await self._script(_RELEASE, self.held.pop())
        key = self._members()
        await self._connection.ask(lambda client: client.zrem(key, self._owner))

    async def _attend(self) -> int:
        """How many processes take the topic just now."""
        key, seconds = self._members(), LEASE_MILLISECONDS // 1_000

        async def attend(client: Client) -> int:
            return int(await client.eval(_ATTEND, 1, key, self._owner, seconds))

        return await self._connection.ask(attend)

    async def _take(self, shard: int) -> bool:
        key = self._key(shard)

        async def take(client: Client) -> bool:
            return bool(await client.set(key, self._owner, nx=True, px=LEASE_MILLISECONDS))

        return await self._connection.ask(take)

    async def _script(self, script: str, shard: int, *values: int) -> bool:
        key = self._key(shard)

        async def run(client: Client) -> bool:
            return bool(await client.eval(script, 1, key, self._owner, *values))

        return await self._connection.ask(run)

    def _members(self) -> str:
        return self._connection.key("bus", self._topic, "members")

    def _key(self, shard: int) -> str:
        return self._connection.key("bus", f"{self._topic}:{shard}", "holder")
