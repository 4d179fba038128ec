"""Chooses the back end that the settings name. The only place that knows both; loads only the one that is used."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import Store

if TYPE_CHECKING:
    from llm_incident_manager.adapters.postgres.options import Options

FILE = "incidents.db"


async def open_store(settings: Settings, now: Instant, run: str) -> Store:
    """The database with its schema up to date, which `migrate_on_start` brings about or else only asks for.

    `run` is unique to this start of the server.
    Raises StoreRefused for what a person must mend, StoreUnavailable when the database does not answer.
    """
    storage = settings.storage
    if storage.type == "postgresql":
        from llm_incident_manager.adapters.postgres import store as postgres

        return await postgres.open_store(_postgres_options(settings), run, now, migrate=storage.migrate_on_start)
    from llm_incident_manager.adapters.sqlite import store as sqlite

    options = sqlite.Options(_file(settings), ThreadExecutor)
    return await sqlite.open_store(options, run, now, migrate=storage.migrate_on_start)


async def migrate(settings: Settings, now: Instant, *, dry_run: bool = False) -> Sequence[str]:
    """The names of the migrations run, or that would run. Raises as `open_store`."""
    if settings.storage.type == "postgresql":
        from llm_incident_manager.adapters.postgres import schema as postgres

        return await postgres.migrate(_postgres_options(settings), now, dry_run=dry_run)
    from llm_incident_manager.adapters.sqlite import schema as sqlite

    file = _file(settings)
    return () if file is None else sqlite.migrate(file, now, dry_run=dry_run)


def location(settings: Settings) -> str:
    """What tells one deployment's database from another's. May hold a password: never show it."""
    given = settings.storage.connection_string
    return str(settings.storage.path) if given is None else given.get_secret_value()


def _file(settings: Settings) -> Path | None:
    return None if settings.storage.type == "memory" else settings.storage.path / FILE


def _postgres_options(settings: Settings) -> "Options":
    from llm_incident_manager.adapters.postgres.options import Options

    storage = settings.storage
    return Options(
        location(settings),
        pool_size=storage.pool_size,
        acquire_within=timedelta(seconds=storage.acquire_timeout_secs),
        statement_timeout=timedelta(seconds=storage.statement_timeout_secs),
        lock_timeout=timedelta(seconds=storage.lock_timeout_secs),
        pooled=storage.pooled,
        may_lose_commits=storage.allow_unsafe_durability,
    )
