"""Turns a query of incidents into SQL with parameters. No text of a caller ever becomes text of a statement."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from llm_incident_manager.adapters.sql import indexed
from llm_incident_manager.adapters.sql.dialect import Dialect, Value
from llm_incident_manager.domain.filter_fields import FIELDS, Field, Type
from llm_incident_manager.domain.filter_tree import And, Compare, Like, Node, Not, Op, Or, Path, Present, Search
from llm_incident_manager.domain.filters import Order, Place
from llm_incident_manager.domain.time import DAY
from llm_incident_manager.ports.stores import IncidentQuery

_MIRRORED: Mapping[Op, Op] = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_SQL_OPS: Mapping[Op, str] = {op: str(op) for op in Op} | {Op.NE: "<>"}
_SLACK = DAY
"""An id is made within this time of `created_at`, so that a span of creation is a range of ids as well."""

_WORDS = frozenset({Type.TEXT, Type.STATE, Type.INCIDENT_TYPE, Type.LABELS})


@dataclass(frozen=True, slots=True)
class Clause:
    """What follows `SELECT … FROM incident`, and its parameters in the order of their numbers."""

    text: str
    parameters: tuple[Value, ...]


def selection(query: IncidentQuery, dialect: Dialect) -> Clause:
    """The WHERE of everything that matches, regardless of page; for counting."""
    writer = Writer(dialect)
    return writer.clause(f"WHERE {matching(query, writer)}")


def page(query: IncidentQuery, dialect: Dialect) -> Clause:
    """WHERE, ORDER BY, LIMIT and OFFSET of one page. Raises ValueError when `after` does not fit the order."""
    writer = Writer(dialect)
    return writer.clause(f"WHERE {matching(query, writer)}{behind(query, writer)} {ordered(query, writer)}")


class Writer:
    """Writes conditions and collects their parameters."""

    def __init__(self, dialect: Dialect) -> None:
        """Starts with no parameter."""
        self.dialect = dialect
        self.terms_of = ""
        """The tenant whose `incident_term` answers equalities of labels and items; without one the columns do."""
        self.probed: Collection[Node] = ()
        """Terms so frequent that rows are better looked up one by one than all gathered first."""
        self._parameters: list[Value] = []

    def clause(self, text: str) -> Clause:
        """The text with all parameters bound so far."""
        return Clause(text, tuple(self._parameters))

    def among(self, column: str, ids: Sequence[str]) -> str:
        """Whether an id is one of these."""
        self._parameters.append(self.dialect.pack_ids(ids))
        return self.dialect.among.format(column, self.dialect.placeholder.format(len(self._parameters), "uuid[]"))

    def from_id(self, at: int, test: str) -> str:
        """The same test, for a column that need not be read where the id tells enough."""
        first, surely = (self.bind(Type.ID, _id_at(at + slack)) for slack in (-_SLACK, _SLACK))
        return f"id >= {first} AND (id >= {surely} OR {test})"

    def before_id(self, at: int, test: str) -> str:
        """The same for the end of a span."""
        last, surely = (self.bind(Type.ID, _id_at(at + slack)) for slack in (_SLACK, -_SLACK))
        return f"id < {last} AND (id < {surely} OR {test})"

    def bind(self, type_: Type, value: str | float) -> str:
        """Adds a parameter as its column type stores it; gives its placeholder."""
        self._parameters.append(self.dialect.pack[type_](value))
        return self.dialect.bound(len(self._parameters), type_)

    def condition(self, node: Node) -> str:
        """The condition of a tree; never NULL, so that NOT is the exact opposite."""
        match node:
            case And(parts):
                return _joined(" AND ", "TRUE", map(self.condition, parts))
            case Or(parts):
                return _joined(" OR ", "FALSE", map(self.condition, parts))
            case Not(part):
                return f"NOT ({self.condition(part)})"
            case Search(text):
                wanted = self.bind(Type.TEXT, text)
                return _joined(" OR ", "", (self._found(wanted, column) for column in ("title", "description")))
        return self._term(node) if self.terms_of and indexed.terms(node) else self._on_path(node)

    def _term(self, node: Compare | Like | Present) -> str:
        if node in self.probed:
            return f"EXISTS (SELECT 1 FROM incident_term AS t WHERE {self.term(node)} AND t.id = incident_index.id)"
        return f"id IN (SELECT t.id FROM incident_term AS t WHERE {self.term(node)})"

    def term(self, node: Node) -> str:
        """The condition of a term's rows in `incident_term AS t`."""
        assert isinstance(node, Compare | Present)
        path = node.path
        named = path.field.name if path.key is None else f"{path.field.name}.{path.key}"
        test = f"t.tenant = {self.bind(Type.TEXT, self.terms_of)} AND t.name = {self.bind(Type.TEXT, named)}"
        if isinstance(node, Compare):
            test += f" AND t.value = {self.bind(Type.TEXT, node.value)}"
        return test

    def _found(self, wanted: str, column: str) -> str:
        return self.dialect.contains.format(self.dialect.folded.format(column), wanted)

    def _on_path(self, node: Compare | Like | Present) -> str:
        path = node.path
        if path.field.type is Type.LIST:
            return self.dialect.any_item.format(path.field.column, self._test(node, "item.value"))
        test = self._test(node, self._subject(path))
        return f"coalesce({test}, FALSE)" if path.nullable and not isinstance(node, Present) else test

    def _subject(self, path: Path) -> str:
        if path.key is None:
            return path.field.column
        return self.dialect.label.format(path.field.column, self.bind(Type.LABELS, path.key))

    def _test(self, node: Compare | Like | Present, subject: str) -> str:
        match node:
            case Compare(path, op, value):
                return _compared(path.field, op, subject, self.bind(path.field.type, value), self.dialect)
            case Like():
                return self._like(node, subject)
            case Present(path):
                return self._present(path, subject)

    def _like(self, like: Like, subject: str) -> str:
        dialect = self.dialect
        text = dialect.folded.format(subject) if like.fold else subject
        template = dialect.starts
        if like.open_start:
            template = dialect.contains if like.open_end else dialect.ends
        return template.format(text, self.bind(Type.TEXT, like.text))

    def _present(self, path: Path, subject: str) -> str:
        if path.nullable or path.field.type is Type.TIME:
            return f"{subject} IS NOT NULL"
        return self.dialect.any_label.format(subject) if path.field.type is Type.LABELS else f"{subject} <> ''"


def _compared(field: Field, op: Op, subject: str, value: str, dialect: Dialect) -> str:
    """A comparison. The smallest severity is the gravest, so theirs is mirrored."""
    if field.type is Type.SEVERITY:
        op = _MIRRORED.get(op, op)
    if field.name == "number" and op in _MIRRORED:
        return f"{dialect.numbered.format(subject)} {op} {dialect.numbered.format(value)}"
    if field.type in _WORDS and op in _MIRRORED:
        subject = dialect.collated.format(subject)
    return f"{subject} {_SQL_OPS[op]} {value}"


def matching(query: IncidentQuery, writer: Writer, part: Node | None = None, *, by_id: bool = False) -> str:
    """The conditions of tenant, span and filter; on `incident_index`, of the part of the filter that it can answer.
    There, or `by_id`, the span is one of ids as well."""
    writer.terms_of = "" if part is None else query.tenant
    by_id = by_id or part is not None
    conditions = [f"tenant = {writer.bind(Type.TEXT, query.tenant)}"]
    if query.created_from is not None:
        test = f"created_at >= {writer.bind(Type.TIME, query.created_from)}"
        conditions.append(writer.from_id(query.created_from, test) if by_id else test)
    if query.created_before is not None:
        test = f"created_at < {writer.bind(Type.TIME, query.created_before)}"
        conditions.append(writer.before_id(query.created_before, test) if by_id else test)
    wanted = part if part is not None else query.filter.tree if query.filter is not None else None
    if wanted is not None and wanted != And(()):
        conditions.append(f"({writer.condition(wanted)})")
    return " AND ".join(conditions)


def behind(query: IncidentQuery, writer: Writer) -> str:
    """The condition of what comes after the page before and before the page after, with AND, or nothing."""
    keys = _keys(query.order)
    after = "" if query.after is None else f" AND ({_behind(keys, query.after, writer)})"
    return after if query.before is None else f"{after} AND ({_behind(keys, query.before, writer, ahead=True)})"


def ordered(query: IncidentQuery, writer: Writer, id_column: str = "id") -> str:
    """ORDER BY, LIMIT and OFFSET. `id_column` is another name of the id, which alone decides the order then."""
    keys = _keys(query.order)
    order = ", ".join(_sorted(key, writer.dialect, backwards=query.backwards) for key in keys)
    if len(keys) == 1 and keys[0].field == "id":
        order = f"{id_column} {'DESC' if keys[0].descending != query.backwards else 'ASC'}"
    limit, offset = writer.bind(Type.INTEGER, query.limit), writer.bind(Type.INTEGER, query.offset)
    return f"ORDER BY {order} LIMIT {limit} OFFSET {offset}"


def _keys(order: Sequence[Order]) -> tuple[Order, ...]:
    """The order made total: the id decides between equals, in the direction of the last key; alone, newest first."""
    named = [key.field for key in order]
    if "id" in named:
        return tuple(order[: named.index("id") + 1])
    return (*order, Order("id", order[-1].descending if order else True))


def _descends(key: Order) -> bool:
    """Whether the column descends: it does the other way round for severities, whose gravest is the smallest."""
    return key.descending != (FIELDS[key.field].type is Type.SEVERITY)


def _column(field: Field, dialect: Dialect) -> str:
    if field.name == "number":
        return dialect.numbered.format(field.column)
    return dialect.collated.format(field.column) if field.type in _WORDS else field.column


def _sorted(key: Order, dialect: Dialect, *, backwards: bool) -> str:
    field = FIELDS[key.field]
    direction = "DESC" if _descends(key) != backwards else "ASC"
    absent = f" NULLS {'FIRST' if backwards else 'LAST'}" if field.nullable else ""
    return f"{_column(field, dialect)} {direction}{absent}"


def _behind(keys: Sequence[Order], place: Place, writer: Writer, *, ahead: bool = False) -> str:
    """What comes after the place, or ahead of it: equal in some first keys and beyond it in the next one."""
    if len(place) < len(keys) or place[len(keys) - 1] is None:
        raise ValueError(f"a place of {len(place)} values does not fit an order of {len(keys)} keys")
    alternatives: list[str] = []
    equal: list[str] = []
    for key, value in zip(keys, place, strict=False):
        field = FIELDS[key.field]
        column = _column(field, writer.dialect)
        if value is None:  # absent values are last: nothing is behind them, all others are ahead
            alternatives += [" AND ".join([*equal, f"{column} IS NOT NULL"])] if ahead else []
            equal.append(f"{column} IS NULL")
            continue
        bound = writer.bind(field.type, value)
        bound = writer.dialect.numbered.format(bound) if field.name == "number" else bound
        further = f"{column} {'<' if _descends(key) != ahead else '>'} {bound}"
        further = f"({further} OR {column} IS NULL)" if field.nullable and not ahead else further
        alternatives.append(" AND ".join([*equal, further]))
        equal.append(f"{column} = {bound}")
    return " OR ".join(f"({alternative})" for alternative in alternatives)


def _id_at(at: int) -> str:
    """The smallest id of a moment."""
    milliseconds = max(0, at // 1_000)
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-0000-0000-000000000000"


def _joined(word: str, empty: str, parts: Iterable[str]) -> str:
    conditions = list(parts)
    return f"({word.join(conditions)})" if len(conditions) > 1 else "".join(conditions) or empty
