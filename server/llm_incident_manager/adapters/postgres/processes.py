"""Who works on a PostgreSQL database, for somebody who is none of them."""

from collections.abc import Sequence

from llm_incident_manager.adapters.postgres import opening, schema, starting
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import leases, migrations
from llm_incident_manager.ports.processes import Seen


async def known(options: Options) -> Sequence[Seen]:
    """The processes, the oldest first. Raises StoreRefused, StoreUnavailable as `opening.connect` does."""
    pool = await opening.connect(options)
    try:
        async with starting.explained(), pool.connection() as connection:
            await schema.require(connection, migrations.load("postgres"))
            return [leases.seen_of(tuple(row)) for row in await connection.fetch(SQL["processes"])]
    finally:
        await pool.close()
