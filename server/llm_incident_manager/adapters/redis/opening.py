"""Makes the connection that the settings describe, with its log lines and its metric."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from llm_incident_manager.adapters.redis.clients import Deadlines
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.adapters.redis.rates import SharedRates
from llm_incident_manager.adapters.redis.seen import RedisSeen
from llm_incident_manager.config import redis_urls
from llm_incident_manager.config.redis_section import Redis
from llm_incident_manager.ports.rates import OwnRates, Rates
from llm_incident_manager.ports.seen import SharedSeen
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics

NAME = "redis"


def connection(settings: Redis, metrics: Metrics, stack: AsyncExitStack) -> Connection | None:
    """The connection, not yet made, which the stack closes; None without a URL. An unreachable Redis is no reason not
    to start."""
    if settings.url is None:
        return None
    target = redis_urls.parse(settings.url.get_secret_value())
    deadlines = Deadlines(settings.connect_timeout_secs, settings.command_timeout_secs)
    metrics.dependency(NAME, up=False)
    link = Connection(target, deadlines, settings.key_prefix, _teller(metrics))
    stack.push_async_callback(link.close)
    return link


def shared_seen(settings: Redis, link: Connection) -> SharedSeen | None:
    """Where processes of one database tell each other of idempotency keys, unless they are told not to."""
    return RedisSeen(link) if settings.dedupe_cache else None


def shared_rates(link: Connection, own: OwnRates) -> Rates:
    """Rate limits of all processes together; `own` decides while Redis is gone."""
    return SharedRates(link, own)


def _teller(metrics: Metrics) -> Callable[[bool, str], None]:
    log = logs.get(NAME)

    def told(up: bool, why: str) -> None:
        metrics.dependency(NAME, up=up)
        if up:
            log.info("redis.up")
        else:
            log.warning("redis.gone", why=why, meaning="nothing is lost; what Redis makes faster goes without it")

    return told
