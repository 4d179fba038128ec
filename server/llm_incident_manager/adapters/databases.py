"""Chooses the back end that the settings name. The only place that knows both; loads only the one that is used."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from llm_incident_manager import __version__
from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.adapters.sql import ledger, verifying
from llm_incident_manager.adapters.sql.archive import Reader, Writer
from llm_incident_manager.adapters.sql.verifying import Verified
from llm_incident_manager.adapters.ticking import Ticking
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.audit_proof import Report, Trail
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.domain.time import Instant, rfc3339
from llm_incident_manager.ports.hints import Hints, Nobody
from llm_incident_manager.ports.processes import Seen
from llm_incident_manager.ports.stores import Store, StoreRefused

if TYPE_CHECKING:
    from llm_incident_manager.adapters.postgres.options import Options

FILE = "incidents.db"
_POOL_OF_TWO_LANES = 4
_THREADED = 20


async def open_store(
    settings: Settings,
    now: Instant,
    run: str,
    replica_read: Callable[[str], None] = lambda _: None,
    missing: Callable[[str], None] = lambda _: None,
) -> Store:
    """The database with its schema up to date, which `migrate_on_start` brings about or else only asks for.

    `run` is unique to this start of the server. `replica_read` is told what became of each read from a replica,
    `missing` in words that the database has come back without what was acknowledged.
    Raises StoreRefused for what a person must mend, StoreUnavailable when the database does not answer.
    """
    storage = settings.storage
    if storage.type == "postgresql":
        from llm_incident_manager.adapters.postgres import store as postgres

        return await postgres.open_store(
            _postgres_options(settings),
            run,
            now,
            migrate=storage.migrate_on_start,
            replica_read=replica_read,
            missing=missing,
        )
    from llm_incident_manager.adapters.sqlite import store as sqlite

    options = sqlite.Options(_file(settings), ThreadExecutor)
    return await sqlite.open_store(options, run, now, migrate=storage.migrate_on_start)


def hints(settings: Settings) -> Hints:
    """How the processes on this database tell each other of news. Connects to nothing yet."""
    if settings.storage.type != "postgresql":
        return Nobody()
    if settings.storage.pooled:
        return Ticking()
    from llm_incident_manager.adapters.postgres.hints import PostgresHints

    return PostgresHints(_postgres_options(settings))


async def migrate(settings: Settings, now: Instant, *, phase: Phase, dry_run: bool = False) -> Sequence[str]:
    """The names of the migrations run, or that would run. Raises as `open_store`."""
    if settings.storage.type == "postgresql":
        from llm_incident_manager.adapters.postgres import schema as postgres

        return await postgres.migrate(_postgres_options(settings), now, phase=phase, dry_run=dry_run)
    from llm_incident_manager.adapters.sqlite import schema as sqlite

    file = _file(settings)
    return () if file is None else sqlite.migrate(file, now, phase=phase, dry_run=dry_run)


def backup(settings: Settings, file: Path, now: Instant) -> Verified:
    """Backs the database up into a new file, whoever uses it meanwhile, and verifies the file.

    Raises StoreRefused for what a person must mend, StoreUnavailable when the database does not answer, OSError.
    """
    if settings.storage.type == "memory":
        raise StoreRefused("storage.type memory keeps nothing that could be backed up: choose sqlite or postgresql")
    part = file.with_name(f"{file.name}.part")
    if file.exists() or part.exists():
        raise StoreRefused(f"{file if file.exists() else part} exists already: remove it, or name another file")
    try:
        asyncio.run(_write_backup(settings, Writer(part), rfc3339(now)))
        verified = verify_backup(part)
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return verified


def verify_backup(file: Path) -> Verified:
    """Reads all of a backup. Raises StoreRefused when it is not whole or of a newer program, OSError."""
    return verifying.verify(file)


def restore(settings: Settings, file: Path, now: Instant, *, force: bool) -> Verified:
    """Makes the database anew from a backup: wholly, or it stays as it was.

    Raises StoreRefused when the backup is not whole or newer than this program, when a server uses the database, and
    when it has records and `force` is not given; StoreUnavailable when it does not answer, OSError.
    """
    verified = verify_backup(file)
    with Reader(file) as reader:
        if settings.storage.type == "postgresql":
            from llm_incident_manager.adapters.postgres import restoring as postgres

            asyncio.run(postgres.restore(_postgres_options(settings), reader, now, force=force))
        elif (database := _file(settings)) is None:
            raise StoreRefused("storage.type memory keeps nothing: choose sqlite or postgresql")
        else:
            from llm_incident_manager.adapters.sqlite import restoring as sqlite

            sqlite.restore(database, reader, now, force=force)
    return verified


def prove_audit(
    settings: Settings, begin: Callable[[TenantId], Trail], more: set[TenantId]
) -> Mapping[TenantId, Report]:
    """What the audit trail of each tenant shows, those of `more` included, whoever uses the database meanwhile.

    Raises StoreRefused for what a person must mend, StoreUnavailable when the database does not answer, OSError.
    """
    if settings.storage.type == "postgresql":
        from llm_incident_manager.adapters.postgres import trails as postgres

        return asyncio.run(postgres.prove(_postgres_options(settings), begin, more))
    if (database := _file(settings)) is None:
        raise StoreRefused("storage.type memory keeps nothing that could be proven: choose sqlite or postgresql")
    from llm_incident_manager.adapters.sqlite import trails as sqlite

    return sqlite.prove(database, begin, more)


def prove_backup(file: Path, begin: Callable[[TenantId], Trail], more: set[TenantId]) -> Mapping[TenantId, Report]:
    """The same of a backup. Raises StoreRefused when it is not whole or of a newer program, OSError."""
    return verifying.trails(file, begin, more)


def check_ledger(settings: Settings, now: Instant) -> ledger.Report:
    """Whether the ledger of events adds up, as of this moment, whoever uses the database meanwhile.

    Raises StoreRefused for what a person must mend, StoreUnavailable when the database does not answer, OSError.
    """
    kept = ledger.kept(settings.retention, now)
    if settings.storage.type == "postgresql":
        from llm_incident_manager.adapters.postgres import ledger as postgres

        return asyncio.run(postgres.check(_postgres_options(settings), kept))
    if (database := _file(settings)) is None:
        raise StoreRefused("storage.type memory keeps nothing that could be checked: choose sqlite or postgresql")
    from llm_incident_manager.adapters.sqlite import ledger as sqlite

    return sqlite.check(database, kept)


def processes(settings: Settings) -> Sequence[Seen]:
    """The processes that work on the database, the oldest first.

    Raises StoreRefused for what a person must mend, StoreUnavailable when the database does not answer.
    """
    if not may_be_shared(settings):
        raise StoreRefused(f"storage.type {settings.storage.type} is for one process, which nobody keeps a list of")
    from llm_incident_manager.adapters.postgres import processes as postgres

    return asyncio.run(postgres.known(_postgres_options(settings)))


async def _write_backup(settings: Settings, writer: Writer, created_at: str) -> None:
    if settings.storage.type == "postgresql":
        from llm_incident_manager.adapters.postgres import backup as postgres

        options = _postgres_options(settings)
        await postgres.backup(options, writer, created_at=created_at, program=__version__)
    elif (database := _file(settings)) is not None:
        from llm_incident_manager.adapters.sqlite import backup as sqlite

        sqlite.backup(database, writer, created_at=created_at, program=__version__)


def lanes(settings: Settings) -> int:
    """How many batches may be under way at once: PostgreSQL works on one while we decide the next."""
    storage = settings.storage
    return 2 if storage.type == "postgresql" and storage.pool_size >= _POOL_OF_TWO_LANES else 1


def connections(settings: Settings) -> int:
    """How many units of work and reads may be with the database at once; what SQLite's few threads take in turn."""
    storage = settings.storage
    return storage.pool_size if storage.type == "postgresql" else _THREADED


def may_be_shared(settings: Settings) -> bool:
    """Whether several processes can work on the database."""
    return settings.storage.type == "postgresql"


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
        workers=settings.workers,
        acquire_within=timedelta(seconds=storage.acquire_timeout_secs),
        statement_timeout=timedelta(seconds=storage.statement_timeout_secs),
        lock_timeout=timedelta(seconds=storage.lock_timeout_secs),
        pooled=storage.pooled,
        replica="" if storage.replica_url is None else storage.replica_url.get_secret_value(),
        may_lose_commits=storage.allow_unsafe_durability,
    )
