"""Whether a server may be used: connects, looks at what it promises, and refuses in words that say what to do."""

from collections.abc import Callable

from llm_incident_manager.adapters.postgres import pool
from llm_incident_manager.adapters.postgres.memory import Memory
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.starting import explained
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.ports.stores import StoreRefused

_OLDEST = 140_000
_PROMISES = ("fsync", "full_page_writes", "synchronous_commit")


async def connect(options: Options, missing: Callable[[str], None] = lambda _: None) -> pool.Pool:
    """A pool to a server that may be used. `missing` is told when it later lacks what this process committed.

    Raises StoreRefused when it may not or the address or sign-in is wrong, StoreUnavailable when it does not answer.
    """
    async with explained(signing_in=True):
        lent = await pool.open_pool(options, memory=Memory(missing))
    try:
        async with explained(), lent.connection() as connection, connection.transaction():
            facts = await connection.fetchrow(SQL["server_facts"])
        assert facts is not None
        check(dict(facts), may_lose_commits=options.may_lose_commits)
        if options.workers > 1 and not options.pooled:
            check_room(int(facts["connections"]), options.workers, options.pool_size)
    except BaseException:
        lent.terminate()
        raise
    return lent


def check(facts: dict[str, str | int | bool], *, may_lose_commits: bool) -> None:
    """Raises StoreRefused unless the server is new enough, stores UTF-8, takes writes, and keeps what it confirmed."""
    if int(facts["version"]) < _OLDEST:
        raise StoreRefused(f"PostgreSQL {int(facts['version']) // 10_000} is too old: update it to 14 or newer")
    if facts["server_encoding"] != "UTF8":
        remedy = "create the database with ENCODING 'UTF8' TEMPLATE template0"
        raise StoreRefused(f"the database's encoding is {facts['server_encoding']}: {remedy}")
    if facts["standby"]:
        raise StoreRefused("the server is a standby and takes no writes: connect to the primary")
    if facts["read_only"]:
        remedy = "set default_transaction_read_only = off for this role and database"
        raise StoreRefused(f"the server takes no writes from this role: {remedy}")
    broken = [name for name in _PROMISES if facts[name] == "off"]
    if broken and not may_lose_commits:
        raise StoreRefused(
            f"PostgreSQL runs with {' and '.join(f'{name} = off' for name in broken)}, so a crash may lose what it "
            f"confirmed: set {' and '.join(f'{name} = on' for name in broken)} for the server and this role, "
            "or accept the loss with storage.allow_unsafe_durability: true"
        )


def check_room(connections: int, workers: int, pool_size: int) -> None:
    """Raises StoreRefused unless the server takes the connections of all workers."""
    if workers * pool_size > connections:
        raise StoreRefused(
            f"PostgreSQL takes {connections} connections, and {workers} workers want {pool_size} each: "
            f"raise max_connections, or set storage.pool_size to at most {connections // workers * workers}"
        )
