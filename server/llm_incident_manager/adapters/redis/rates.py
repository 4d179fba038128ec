"""Rate limits that all processes share: one script, one round trip, Redis's own time. Without Redis each process counts
for itself, beginning with what Redis said last: a limit is then as many times as large as there are processes, and
nothing is refused wrongly."""

from contextlib import suppress

from redis.exceptions import ResponseError

from llm_incident_manager.adapters.redis.clients import Client
from llm_incident_manager.adapters.redis.connection import Connection, RedisGone
from llm_incident_manager.domain import rates
from llm_incident_manager.domain.rates import PRECISION, Permit, Rate
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.ports.rates import OwnRates

NOW = "local t = redis.call('TIME'); local now = t[1] * 1000000 + t[2]"
"""How the script reads its clock. Processes may disagree about the time, and Redis is one."""

# As domain.rates.take, in the same floating-point steps. KEYS: the bucket. ARGV: microseconds for one, burst, cost, and
# the precision.
GCRA = """
local each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local precision = tonumber(ARGV[4])
local whole = each * burst
local ahead = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') - now, 0)
local over = ahead + each * math.min(cost, burst) - whole
if over <= precision then
  ahead = ahead + each * cost
  redis.call('SET', KEYS[1], string.format('%.17g', now + ahead), 'PX', math.ceil(ahead / 1000) + 1)
end
return {over <= precision and 1 or 0, string.format('%.17g', ahead)}
"""

# KEYS: the bucket. ARGV: microseconds for what is given back.
GIVE_BACK = """
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0') - tonumber(ARGV[1])
local ahead = full_at - now
if ahead > 0 then
  redis.call('SET', KEYS[1], string.format('%.17g', full_at), 'PX', math.ceil(ahead / 1000) + 1)
else
  redis.call('DEL', KEYS[1])
end
"""


class SharedRates:
    """Buckets in Redis. Implements Rates."""

    def __init__(self, link: Connection, own: OwnRates, clock: str = NOW) -> None:
        """`own` hears what Redis says, and decides while it is gone. `clock` is the piece of script that sets `now`, in
        microseconds."""
        self._link = link
        self._own = own
        self._script, self._back = clock + GCRA, clock + GIVE_BACK

    async def take(self, name: str, rate: Rate, cost: int = 1) -> Permit:
        """See Rates."""
        try:
            return await self._link.ask(lambda client: self._take(client, name, rate, cost))
        except (RedisGone, ResponseError):  # also a key that somebody else made: a limiter never fails its callers
            return self._own.take_now(name, rate, cost)

    async def give_back(self, name: str, rate: Rate, cost: int = 1) -> None:
        """See Rates."""
        self._own.give_back_now(name, rate, cost)
        key, micros = self._link.key("rate", name), repr(SECOND / rate.per_second * cost)
        with suppress(RedisGone, ResponseError):  # then only this process has counted it
            await self._link.ask(lambda client: client.eval(self._back, 1, key, micros))

    async def _take(self, client: Client, name: str, rate: Rate, cost: int) -> Permit:
        key = self._link.key("rate", name)
        allowed, told = await client.eval(
            self._script, 1, key, repr(SECOND / rate.per_second), rate.burst, cost, PRECISION
        )
        ahead = float(told)
        self._own.learn(name, ahead / SECOND)
        return rates.permit(ahead, rate, cost, allowed=allowed == 1)
