"""Turns a query of incidents into SQL with parameters. No text of a caller ever becomes text of a statement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llm_incident_manager.adapters.sql.dialect import Dialect, Value
from llm_incident_manager.domain.filter_fields import FIELDS, Field, Type
from llm_incident_manager.domain.filter_tree import And, Compare, Like, Node, Not, Op, Or, Path, Present, Search
from llm_incident_manager.domain.filters import Order, Place
from llm_incident_manager.ports.stores import IncidentQuery

_MIRRORED: Mapping[Op, Op] = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_SQL_OPS: Mapping[Op, str] = {op: str(op) for op in Op} | {Op.NE: "<>"}
_WORDS = frozenset({Type.TEXT, Type.STATE, Type.INCIDENT_TYPE, Type.LABELS})


@dataclass(frozen=True, slots=True)
class Clause:
    """What follows `SELECT … FROM incident`, and its parameters in the order of their numbers."""

    text: str
    parameters: tuple[Value, ...]


def selection(query: IncidentQuery, dialect: Dialect) -> Clause:
    """The WHERE of everything that matches, regardless of page; for counting."""
    writer = _Writer(dialect)
    return writer.clause(f"WHERE {_matching(query, writer)}")


def page(query: IncidentQuery, dialect: Dialect) -> Clause:
    """WHERE, ORDER BY, LIMIT and OFFSET of one page. Raises ValueError when `after` does not fit the order."""
    writer = _Writer(dialect)
    keys = _keys(query.order)
    where = _matching(query, writer)
    if query.after is not None:
        where += f" AND ({_behind(keys, query.after, writer)})"
    order = ", ".join(_sorted(key, dialect) for key in keys)
    limit = writer.bind(Type.INTEGER, query.limit)
    offset = writer.bind(Type.INTEGER, query.offset)
    return writer.clause(f"WHERE {where} ORDER BY {order} LIMIT {limit} OFFSET {offset}")


class _Writer:
    """Writes conditions and collects their parameters."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._parameters: list[Value] = []

    def clause(self, text: str) -> Clause:
        return Clause(text, tuple(self._parameters))

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
        return self._on_path(node)

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
    if field.type in _WORDS and op in _MIRRORED:
        subject = dialect.collated.format(subject)
    return f"{subject} {_SQL_OPS[op]} {value}"


def _matching(query: IncidentQuery, writer: _Writer) -> str:
    conditions = [f"tenant = {writer.bind(Type.TEXT, query.tenant)}"]
    if query.created_from is not None:
        conditions.append(f"created_at >= {writer.bind(Type.TIME, query.created_from)}")
    if query.created_before is not None:
        conditions.append(f"created_at < {writer.bind(Type.TIME, query.created_before)}")
    if query.filter is not None:
        conditions.append(f"({writer.condition(query.filter.tree)})")
    return " AND ".join(conditions)


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
    return dialect.collated.format(field.column) if field.type in _WORDS else field.column


def _sorted(key: Order, dialect: Dialect) -> str:
    field = FIELDS[key.field]
    direction = "DESC" if _descends(key) else "ASC"
    return f"{_column(field, dialect)} {direction}{' NULLS LAST' if field.nullable else ''}"


def _behind(keys: Sequence[Order], place: Place, writer: _Writer) -> str:
    """What comes after the place: equal in some first keys and behind it in the next one."""
    if len(place) < len(keys) or place[len(keys) - 1] is None:
        raise ValueError(f"a place of {len(place)} values does not fit an order of {len(keys)} keys")
    alternatives: list[str] = []
    equal: list[str] = []
    for key, value in zip(keys, place, strict=False):
        field = FIELDS[key.field]
        column = _column(field, writer.dialect)
        if value is None:
            equal.append(f"{column} IS NULL")  # nothing is behind it: absent values are last
            continue
        bound = writer.bind(field.type, value)
        further = f"{column} {'<' if _descends(key) else '>'} {bound}"
        further = f"({further} OR {column} IS NULL)" if field.nullable else further
        alternatives.append(" AND ".join([*equal, further]))
        equal.append(f"{column} = {bound}")
    return " OR ".join(f"({alternative})" for alternative in alternatives)


def _joined(word: str, empty: str, parts: Iterable[str]) -> str:
    conditions = list(parts)
    return f"({word.join(conditions)})" if len(conditions) > 1 else "".join(conditions) or empty
