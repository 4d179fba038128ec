"""Copies of a database with the schema, lent to one test after the other.

To make a copy and to drop it takes PostgreSQL longer than most tests do, and each connection to a new one begins with
cold caches. A copy that comes back is emptied, its sequences start anew, and it is as the template was; where a test
has changed more than rows, or somebody still holds a lock, it is dropped.
"""

import contextlib
from collections import defaultdict

from tests.support.postgres import Cluster

OURS = "n.nspname !~ '^(pg_|information_schema$)'"
SCHEMA = f"""
WITH mine AS (SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.reloptions
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}),
     facts AS (
       SELECT mine::text AS fact FROM mine
       UNION ALL SELECT format('a %s %s %s', attrelid, attnum, xmin) FROM pg_attribute
         WHERE attrelid IN (SELECT oid FROM mine)
       UNION ALL SELECT format('i %s %s', indexrelid, xmin) FROM pg_index WHERE indrelid IN (SELECT oid FROM mine)
       UNION ALL SELECT format('c %s %s', oid, xmin) FROM pg_constraint WHERE oid >= 16384
       UNION ALL SELECT format('p %s %s', oid, xmin) FROM pg_proc WHERE oid >= 16384
       UNION ALL SELECT format('t %s %s', oid, xmin) FROM pg_trigger WHERE oid >= 16384
       UNION ALL SELECT format('n %s %s', n.oid, n.xmin) FROM pg_namespace n WHERE {OURS}
       UNION ALL SELECT format('s %s', s::text) FROM pg_db_role_setting s
         JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database())
SELECT md5(string_agg(fact, ' ' ORDER BY fact)) FROM facts
"""
"""A word that is another one after any statement that defines, alters or drops something."""

TABLES = f"""
SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND {OURS}
"""
FILLED = """
SELECT format('INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::{0}, %L);', rows)
FROM (SELECT json_agg(x) AS rows FROM ONLY {0} x) found WHERE rows IS NOT NULL
"""
"""The statement that fills a table again, if it has rows in a new copy."""

CUT_OFF = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

EMPTY = f"""
SET LOCAL lock_timeout = '500ms';
DO $$
DECLARE
  filled text := '';
  one regclass;
  has boolean;
BEGIN
  FOR one IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'r' AND {OURS} LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s)', one) INTO has;
    IF has THEN filled := concat_ws(', ', nullif(filled, ''), one); END IF;
  END LOOP;
  IF filled <> '' THEN EXECUTE 'TRUNCATE ' || filled || ' CASCADE'; END IF;
  FOR one IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'S' AND {OURS} LOOP
    PERFORM setval(one, seqstart, false) FROM pg_sequence WHERE seqrelid = one;
  END LOOP;
END $$;
"""


class Copies:
    """The copies of all templates of one server."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._free: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
        self._pristine: dict[str, tuple[str, str]] = {}

    def lend(self, template: str, *, pooled: bool) -> str:
        """The name of a database that nobody else uses and that is as the template. A pooler keeps its connections to
        a database, so that it gets none that had other clients."""
        free = self._free[template, pooled]
        if free:
            return free.pop()
        name = self._cluster.create(template)
        if template not in self._pristine:
            self._pristine[template] = self._cluster.sql(SCHEMA, name), self._rows(name)
        return name

    def take_back(self, name: str, template: str, *, pooled: bool) -> None:
        """Makes it ready for the next test, or drops it."""
        schema, rows = self._pristine[template]
        cut = "" if pooled else f"{CUT_OFF};"
        with contextlib.suppress(RuntimeError):
            if self._cluster.sql(f"{cut} {EMPTY} {rows} {SCHEMA}", name).rpartition("\n")[2] == schema:
                self._free[template, pooled].append(name)
                return
        self._cluster.drop(name)

    def _rows(self, name: str) -> str:
        """Statements for the rows that a new copy has."""
        tables = self._cluster.sql(TABLES, name).splitlines()
        return self._cluster.sql(" UNION ALL ".join(FILLED.format(table) for table in tables), name) if tables else ""
