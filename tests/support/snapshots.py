"""The schemas that the migrations give, as text to read and to compare: migrations/{sqlite,postgres}/schema.sql.

`python -m tests.support.snapshots` writes both files anew after a migration was added.
"""

import re
from pathlib import Path

import apsw

from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sqlite import schema
from tests.support.builders import NOW
from tests.support.postgres import Cluster

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_NOISE = re.compile(r"^(?:--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(?:un)?restrict .*)\n", re.MULTILINE)


def file(dialect: str) -> Path:
    """Where the snapshot of "sqlite" or "postgres" lies."""
    return FOLDER / dialect / "schema.sql"


def of_sqlite(script: str | None = None) -> str:
    """The schema in SQLite after all migrations, or after a script."""
    connection = apsw.Connection(":memory:")
    if script is None:
        schema.apply(connection, NOW, migrations.load("sqlite"))
    else:
        connection.execute(script)
    return schema.snapshot(connection)


def of_postgres(cluster: Cluster, database: str) -> str:
    """The schema of a database in PostgreSQL."""
    lines = _NOISE.sub("", cluster.dump_schema(database))
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def _write_all() -> None:
    import asyncio

    from llm_incident_manager.adapters.postgres import schema as postgres
    from llm_incident_manager.adapters.postgres.options import Options

    file("sqlite").write_text(of_sqlite(), "utf-8")
    cluster = Cluster.in_new_folder()
    try:
        database = cluster.create()
        # Not by opening a store: that makes partitions, whose names are dates.
        asyncio.run(postgres.migrate(Options(cluster.dsn(database), may_lose_commits=True), NOW))
        file("postgres").write_text(of_postgres(cluster, database), "utf-8")
    finally:
        cluster.remove()


if __name__ == "__main__":
    _write_all()
