"""Kills a migration of PostgreSQL in the middle: the n-th change of the schema stalls, and whoever makes it dies.

The server only sees that a client has gone when it next reads from it, so the stalled session is ended as well.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from tests.support.postgres import Cluster

_STALLS = """
CREATE SEQUENCE public.done;
CREATE FUNCTION public.stall() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('public.done') = {at} THEN PERFORM pg_sleep(60); END IF;
END $$;
CREATE EVENT TRIGGER stall ON ddl_command_end EXECUTE FUNCTION public.stall();
"""
_STALLED = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '{database}'"
_REMOVED = "DROP EVENT TRIGGER stall; DROP FUNCTION public.stall(); DROP SEQUENCE public.done"

FIRST = 2
"""The first change of the schema that is a migration's: before it the table of migrations is made."""


async def killed(cluster: Cluster, database: str, command: Sequence[str], at: int) -> bool:
    """Runs a command that migrates a database and kills it once it has made its `at`-th change; False when it came to
    its end before. Raises AssertionError when it fails by itself."""
    await asyncio.to_thread(cluster.sql, _STALLS.format(at=at), database)
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=pipe)
    try:
        session = await _stalled(cluster, database, child)
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        _, said = await child.communicate()
    if session:
        await asyncio.to_thread(cluster.sql, f"SELECT pg_terminate_backend({session}, 10000)")
    await asyncio.to_thread(cluster.sql, _REMOVED, database)
    if not session and child.returncode:
        raise AssertionError(f"the migration ended with {child.returncode}: {said.decode()[-500:]}")
    return bool(session)


async def _stalled(cluster: Cluster, database: str, child: asyncio.subprocess.Process) -> str:
    """The session that sleeps where it was told to; empty when the command came to its end."""
    async with asyncio.timeout(60):
        while child.returncode is None:
            if session := await asyncio.to_thread(cluster.sql, _STALLED.format(database=database)):
                return session
            with suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), 0.05)
    return ""
