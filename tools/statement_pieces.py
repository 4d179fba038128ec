"""The pieces of which SQL is put together, and why none of them can be a text from outside: see tools/statements.py."""

from tools.statements import Pieces

CATALOGUE = "names of tables and columns, from the catalogue of a database that this program has made, quoted"
PARTITION = "names and bounds of partitions, which this program computes from dates"
MIGRATION = "the files of migrations, with their checksums"
QUESTION = "the statements of shared/ledger.sql, filled with numbers and words of this program's own"
TABLE = "names of tables and columns from a literal list"
SETTING = "numbers from the configuration, and names from a literal list"
CONDITION = "columns from the registry of fields, operators, and placeholders: a value is always a parameter"
BULK = "the statement of a .sql file, with its group of placeholders repeated"

PIECES: Pieces = {
    "adapters/postgres/backup.py::_copy": (CATALOGUE, frozenset({"query"})),
    "adapters/postgres/inserting.py::insert": (TABLE, frozenset({"statement(tuple((table for table, _ in few)))"})),
    "adapters/postgres/inserting.py::statement": (
        TABLE,
        frozenset(
            {
                "', '.join((f't{n} AS ({part})' for n, part in enumerate(parts)))",
                "', '.join(columns)",
                "arrays",
                "last",
                "name",
            }
        ),
    ),
    "adapters/postgres/ledger.py::_find": (QUESTION, frozenset({"asked[f'{name}_total']", "asked[name]"})),
    "adapters/postgres/ledger.py::_report": (QUESTION, frozenset({"asked['by_disposition']"})),
    "adapters/postgres/ledger.py::_runs": (QUESTION, frozenset({"question"})),
    "adapters/postgres/options.py::begin": (SETTING, frozenset({"name", "value"})),
    "adapters/postgres/partitions.py::drop_oldest": (
        PARTITION,
        frozenset({"filled('count_partition', table, partition)", "filled('drop_partition', table, partition)"}),
    ),
    "adapters/postgres/partitions.py::make": (PARTITION, frozenset({"filled(step, table, partition)"})),
    "adapters/postgres/partitions.py::make_room": (PARTITION, frozenset({"filled('crowded', table, partition)"})),
    "adapters/postgres/restoring.py::_check": (CATALOGUE, frozenset({"question"})),
    "adapters/postgres/restoring.py::_fill_all": (
        CATALOGUE,
        frozenset(
            {
                "filled('empty_table', table=quoted(name))",
                "filled('number_on', sequence=sequence, column=quoted(column), table=quoted(table_name))",
            }
        ),
    ),
    "adapters/postgres/restoring.py::_move": (
        CATALOGUE,
        frozenset(
            {
                "filled('drop_function', target=target, function=signature)",
                "filled('drop_table', target=target, table=quoted(name))",
                "filled('move_function', target=target, function=signature)",
                "filled('move_table', target=target, table=quoted(name))",
            }
        ),
    ),
    "adapters/postgres/restoring.py::_refuse_records": (
        CATALOGUE,
        frozenset({"filled('has_rows', table=quoted(layout.name))"}),
    ),
    "adapters/postgres/retention.py::_incidents": (
        PARTITION,
        frozenset({"SQL['expire_of_incidents'].replace('{table}', table)"}),
    ),
    "adapters/postgres/retention.py::_of_table": (PARTITION, frozenset({"partitions.filled('expire_default', table)"})),
    "adapters/postgres/schema.py::_lock": (
        CATALOGUE,
        frozenset({"', '.join(wanted)", "f\"LOCK TABLE {', '.join(wanted)} IN ACCESS EXCLUSIVE MODE\""}),
    ),
    "adapters/postgres/schema.py::_run": (MIGRATION, frozenset({"migration.sql"})),
    "adapters/postgres/store.py::_unit": (SETTING, frozenset({"begin"})),
    "adapters/postgres/tenant_data.py::erase_rows": (CATALOGUE, frozenset({"tenant_data.erase(table, ('$1', '$2'))"})),
    "adapters/postgres/tenant_data.py::rows_of_tenant": (CATALOGUE, frozenset({"statement"})),
    "adapters/sql/figures.py::_deadline": (CONDITION, frozenset({"bound", "branches", "number", "told"})),
    "adapters/sql/figures.py::_filled": (CONDITION, frozenset({"f'WHERE {matching}'", "matching", "part"})),
    "adapters/sql/figures.py::_part": (CONDITION, frozenset({"TEAM", "label"})),
    "adapters/sql/figures.py::_step": (
        CONDITION,
        frozenset({"branches", "end", "number", "start", "told", "width"}),
    ),
    "adapters/sql/figures.py::attainment_statement": (CONDITION, frozenset({"_MOST", "first", "moment", "second"})),
    "adapters/sql/figures.py::statement": (CONDITION, frozenset({"_MOST"})),
    "adapters/sql/figures.py::trend_statement": (CONDITION, frozenset({"_MOST_FOLLOWED", "step"})),
    "adapters/sql/filters.py::_behind": (
        CONDITION,
        frozenset(
            {
                "'<' if _descends(key) != ahead else '>'",
                "(f'({alternative})' for alternative in alternatives)",
                "[*equal, f'{column} IS NOT NULL']",
                "[*equal, further]",
                "alternative",
                "bound",
                "column",
                "further",
            }
        ),
    ),
    "adapters/sql/filters.py::_compared": (
        CONDITION,
        frozenset(
            {
                "_SQL_OPS[op]",
                "dialect.numbered.format(subject)",
                "dialect.numbered.format(value)",
                "op",
                "subject",
                "value",
            }
        ),
    ),
    "adapters/sql/filters.py::_id_at": (CONDITION, frozenset({"milliseconds & 65535", "milliseconds >> 16"})),
    "adapters/sql/filters.py::_joined": (CONDITION, frozenset({"conditions", "word.join(conditions)"})),
    "adapters/sql/filters.py::_on_path": (CONDITION, frozenset({"test"})),
    "adapters/sql/filters.py::_present": (CONDITION, frozenset({"subject"})),
    "adapters/sql/filters.py::_sorted": (
        CONDITION,
        frozenset({"'FIRST' if backwards else 'LAST'", "_column(field, dialect)", "absent", "direction"}),
    ),
    "adapters/sql/filters.py::_term": (CONDITION, frozenset({"self.term(node)"})),
    "adapters/sql/filters.py::before_id": (CONDITION, frozenset({"last", "surely", "test"})),
    "adapters/sql/filters.py::behind": (
        CONDITION,
        frozenset({"_behind(keys, query.after, writer)", "_behind(keys, query.before, writer, ahead=True)", "after"}),
    ),
    "adapters/sql/filters.py::condition": (CONDITION, frozenset({"self.condition(part)"})),
    "adapters/sql/filters.py::from_id": (CONDITION, frozenset({"first", "surely", "test"})),
    "adapters/sql/filters.py::matching": (
        CONDITION,
        frozenset(
            {
                "conditions",
                "writer.bind(Type.TEXT, query.tenant)",
                "writer.bind(Type.TIME, query.created_before)",
                "writer.bind(Type.TIME, query.created_from)",
                "writer.condition(wanted)",
            }
        ),
    ),
    "adapters/sql/filters.py::ordered": (
        CONDITION,
        frozenset(
            {
                "'DESC' if keys[0].descending != query.backwards else 'ASC'",
                "(_sorted(key, writer.dialect, backwards=query.backwards) for key in keys)",
                "id_column",
                "limit",
                "offset",
                "order",
            }
        ),
    ),
    "adapters/sql/filters.py::page": (
        CONDITION,
        frozenset({"behind(query, writer)", "matching(query, writer)", "ordered(query, writer)"}),
    ),
    "adapters/sql/filters.py::selection": (CONDITION, frozenset({"matching(query, writer)"})),
    "adapters/sql/filters.py::term": (
        CONDITION,
        frozenset(
            {
                "path.field.name",
                "path.key",
                "self.bind(Type.TEXT, named)",
                "self.bind(Type.TEXT, node.value)",
                "self.bind(Type.TEXT, self.terms_of)",
            }
        ),
    ),
    "adapters/sql/listing.py::_among": (
        CONDITION,
        frozenset({"self._each(query, writer)", "writer.among('id', stale)"}),
    ),
    "adapters/sql/listing.py::_asked": (
        CONDITION,
        frozenset({"filters.ordered(query, writer)", "self.select", "where"}),
    ),
    "adapters/sql/listing.py::_count": (
        CONDITION,
        frozenset(
            {
                "column",
                "each",
                "self._among(query, stale, writer)",
                "self._unordered(query, way, stale, writer)",
                "writer.bind(Type.INTEGER, most + 1)",
            }
        ),
    ),
    "adapters/sql/listing.py::_counted": (
        CONDITION,
        frozenset({"limit", "rows", "writer.bind(Type.INTEGER, most + 1)"}),
    ),
    "adapters/sql/listing.py::_each": (CONDITION, frozenset({"self._has_words(query, 'incident', writer)", "where"})),
    "adapters/sql/listing.py::_either": (
        CONDITION,
        frozenset({"(f'SELECT * FROM ({each}) AS way' for each in found)", "each"}),
    ),
    "adapters/sql/listing.py::_from": (
        CONDITION,
        frozenset(
            {
                "along",
                "fresh",
                "lead",
                "self._has_words(query, 'incident_index', writer)",
                "where",
                "writer.among('term_id', stale)",
                "writer.term(way.lead)",
            }
        ),
    ),
    "adapters/sql/listing.py::_ids": (
        CONDITION,
        frozenset(
            {
                "dict.fromkeys([*(FIELDS[key.field].column for key in query.order), 'id'])",
                "found",
                "order",
                "self.dialect.id_text",
            }
        ),
    ),
    "adapters/sql/listing.py::_ids_along": (
        CONDITION,
        frozenset({"behind", "columns", "filters.ordered(query, writer, led_by)", "source"}),
    ),
    "adapters/sql/listing.py::_one_exceeds": (CONDITION, frozenset({"self._unordered(query, way, stale, writer)"})),
    "adapters/sql/listing.py::_rows": (
        CONDITION,
        frozenset(
            {
                "filters.ordered(query, writer)",
                "self.select",
                "where",
                "words",
                "writer.among('id', [*found, *stale])",
                "writer.among('id', found)",
                "writer.among('id', stale)",
            }
        ),
    ),
    "adapters/sql/listing.py::_sum": (
        CONDITION,
        frozenset(
            {
                "filters.matching(query, writer)",
                "of_copy",
                "self._among(query, stale, writer)",
                "text",
                "writer.among('id', stale)",
            }
        ),
    ),
    "adapters/sql/listing.py::_way": (CONDITION, frozenset({"writer.term(node)"})),
    "adapters/sql/listing.py::_where": (CONDITION, frozenset({"whole", "writer.among('id', stale)"})),
    "adapters/sql/listing.py::_whole": (CONDITION, frozenset({"self._found(query, writer)"})),
    "adapters/sql/listing.py::count": (CONDITION, frozenset({"self._whole(query, writer)"})),
    "adapters/sql/tenant_data.py::erase": (CATALOGUE, frozenset({"key", "marks[0]", "marks[1]", "name", "some"})),
    "adapters/sql/tenant_data.py::page": (
        CATALOGUE,
        frozenset({"_names(table.key)", "_quoted(table.name)", "behind", "marks[0]", "marks[1]", "source", "wanted"}),
    ),
    "adapters/sqlite/analytics.py::_both": (CONDITION, frozenset({"clause.text"})),
    "adapters/sqlite/backup.py::_lines": (CATALOGUE, frozenset({"line", "order", "query", "quoted(layout.name)"})),
    "adapters/sqlite/connection.py::<module>": (SETTING, frozenset({"_LOG_BYTES"})),
    "adapters/sqlite/connection.py::open_writer": (SETTING, frozenset({"_WRITER"})),
    "adapters/sqlite/ledger.py::_find": (QUESTION, frozenset({"asked[f'{name}_total']", "asked[name]"})),
    "adapters/sqlite/ledger.py::_runs": (QUESTION, frozenset({"question"})),
    "adapters/sqlite/ledger.py::report": (QUESTION, frozenset({"asked['by_disposition']"})),
    "adapters/sqlite/reads.py::_done": (CONDITION, frozenset({"clause.text"})),
    "adapters/sqlite/restoring.py::_check": (CATALOGUE, frozenset({"question"})),
    "adapters/sqlite/restoring.py::_fill": (
        CATALOGUE,
        frozenset(
            {"backup.quoted(layout.name)", "f'DELETE FROM {backup.quoted(layout.name)}'", "marks", "names", "statement"}
        ),
    ),
    "adapters/sqlite/restoring.py::_has_rows": (CATALOGUE, frozenset({"backup.quoted(table)", "query"})),
    "adapters/sqlite/retention.py::_incidents": (
        CATALOGUE,
        frozenset({"STATEMENTS['expire_of_incidents'].replace('FROM timeline', f'FROM {table}')"}),
    ),
    "adapters/sqlite/schema.py::apply": (MIGRATION, frozenset({"migration.sql"})),
    "adapters/sqlite/statements.py::_step": (BULK, frozenset({"self.text(size)"})),
    "adapters/sqlite/tenant_data.py::_erase": (CATALOGUE, frozenset({"tenant_data.erase(table, ('?1', '?2'))"})),
    "adapters/sqlite/tenant_data.py::_page": (CATALOGUE, frozenset({"statement"})),
}
