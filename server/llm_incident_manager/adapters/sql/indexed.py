"""What the narrow copy `incident_index` can say of a query: which part of a filter, which orders, which counts. Pure.

A part of a filter is implied by the whole: what passes the filter passes the part. Where the part is the whole, the
copy answers alone; elsewhere it narrows down what the table has to be asked about.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt

from llm_incident_manager.domain.filter_fields import FIELDS, Type
from llm_incident_manager.domain.filter_tree import And, Compare, Like, Node, Not, Op, Or, Path, Present, Search
from llm_incident_manager.domain.filters import Filter, Order
from llm_incident_manager.domain.severity import Severity

_COPIED = frozenset(
    {
        "id",
        "number",
        "state",
        "severity",
        "incident_type",
        "kind",
        "source",
        "service",
        "environment",
        "application",
        "provider",
        "model",
        "deployment",
        "affected_services",
        "assignees",
        "labels",
        "recurred",
        "create_time",
        "update_time",
        "acknowledge_time",
        "resolve_time",
        "close_time",
    }
)
"""Fields of which every change is in the change feed. Counters are not: repeats change them without a word."""

_CHOSEN = frozenset({"state", "kind", "service", "application", "model", "deployment", "id", "number"})
"""Fields with an index and enough different values that an equality leaves few incidents."""

_INDEXED = _CHOSEN - {"number"} | {"severity", "incident_type", "source", "environment", "provider"}
"""Fields whose equality, alone, is a range of an index that lies in the order of ids."""

_HELD: Mapping[str, frozenset[str]] = {
    "state": frozenset({"severity"}),
    "severity": frozenset({"create_time", "state"}),
    "kind": frozenset({"state", "severity", "source"}),
    "service": frozenset({"state", "severity", "kind"}),
    **dict.fromkeys(_INDEXED - {"id", "state", "severity", "kind", "service"}, frozenset({"state", "severity"})),
}
"""The fields whose index is also in the order of ids within a value, and what such an index has behind the id."""

_MOST_BRANCHES = 6
"""With more alternatives than this one way through all of them is shorter than a way for each."""

_GRAVER: Mapping[Op, Callable[[int, int], bool]] = {Op.LT: gt, Op.LE: ge, Op.GT: lt, Op.GE: le}
"""The gravest severity is the smallest number."""

_COUNTED = frozenset({"state", "severity", "incident_type", "source"})


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a filter that the copy can answer. `exact`: it is the whole. `counted`: incident_count has it all."""

    node: Node
    exact: bool
    counted: bool

    @property
    def helps(self) -> bool:
        """Whether it narrows anything down."""
        return self.exact or self.node != And(())


def part_of(filter_: Filter | None) -> Part:
    """What the copy can answer of a filter."""
    tree = And(()) if filter_ is None else filter_.tree
    fields = set(_fields(tree))
    return Part(_implied(tree) or And(()), exact=fields <= _COPIED, counted=fields <= _COUNTED)


def sorts(order: Sequence[Order]) -> bool:
    """Whether the copy has what the order needs."""
    return all(key.field in _COPIED for key in order)


def required(node: Node) -> Sequence[Node]:
    """What everything that passes has to pass: the parts of an AND."""
    return node.parts if isinstance(node, And) else (node,)


def without(node: Node, part: Node) -> Node:
    """The node without one of its required parts."""
    left = tuple(each for each in required(node) if each != part)
    return left[0] if len(left) == 1 else And(left)


def chooses(node: Node) -> bool:
    """Whether it is an equality with one value of an indexed column."""
    return isinstance(node, Compare) and node.op == "=" and node.path.field.name in _CHOSEN


def terms(node: Node) -> bool:
    """Whether it asks for one of several values of an incident: an item of a list, a label, or a label's key."""
    match node:
        case Compare(Path(field, key), op, _):
            return op == "=" and (field.type is Type.LIST or key is not None)
        case Present(Path(field, key)):
            return field.type is Type.LABELS and key is not None
    return False


def branches(node: Node) -> Sequence[Node]:
    """The alternatives of an OR, each with all else that is required; none unless each has an index to go along.

    Several values of one column are one way already, and what is required beside the OR may choose a better one.
    """
    parts = required(node)
    split = next((part for part in parts if isinstance(part, Or) and _splits(part)), None)
    if split is None or any(terms(part) or chooses(part) for part in parts):
        return ()
    others = tuple(part for part in parts if part is not split)
    return [And((*required(part), *others)) if others else part for part in split.parts]


def narrow(node: Node) -> tuple[str, Node]:
    """An index that tells of an incident by its id whether it passes, and the node as values that it is asked for.

    Its rows are much shorter than those of the copy. Without such an index the first is empty.
    """
    fields = set(_fields(node))
    for part in required(node):
        values = _values(part)
        if values and fields <= _HELD[(name := values[0].path.field.name)] | {"id", name}:
            others = [each for each in required(node) if each is not part]
            either = Or(values) if len(values) > 1 else values[0]
            return f"ix_incident_index_{name}", And((either, *others)) if others else either
    return "", node


def _values(node: Node) -> tuple[Compare, ...]:
    """The values of one field of `_HELD` of which a node wants one; empty when it wants something else."""
    if isinstance(node, Compare) and node.path.field.name == "severity" and node.op in _GRAVER:
        graver = _GRAVER[node.op]
        return tuple(Compare(node.path, Op.EQ, int(one)) for one in Severity if graver(one, int(node.value)))
    found = tuple(part for part in (node.parts if isinstance(node, Or) else (node,)) if isinstance(part, Compare))
    wanted = len(node.parts) if isinstance(node, Or) else 1
    fields = {part.path.field.name for part in found}
    single = len(found) == wanted and len(fields) == 1 and fields <= _HELD.keys()
    return found if single and all(part.op == "=" for part in found) else ()


def _splits(either: Or) -> bool:
    columns = {part.path.field.name if isinstance(part, Compare) and not terms(part) else "" for part in either.parts}
    alike = len(columns) == 1 and "" not in columns
    return not alike and len(either.parts) <= _MOST_BRANCHES and all(map(_leads, either.parts))


def _leads(node: Node) -> bool:
    """Whether something it requires is in one place of an index."""
    return any(
        terms(part) or (isinstance(part, Compare) and part.op == "=" and part.path.field.name in _INDEXED)
        for part in required(node)
    )


def _implied(node: Node) -> Node | None:
    """What of a node the copy can answer, and the node implies; None when that is nothing."""
    match node:
        case And(parts):
            found = [part for part in map(_implied, parts) if part is not None]
            return And(tuple(found)) if len(found) != 1 else found[0]
        case Or(parts):
            narrowed = [_implied(part) for part in parts]
            return None if None in narrowed else Or(tuple(part for part in narrowed if part is not None))
        case Not():
            return node if set(_fields(node)) <= _COPIED else None
    return node if set(_fields(node)) <= _COPIED else None


def _fields(node: Node) -> Iterator[str]:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _fields(part)
        case Not(part):
            yield from _fields(part)
        case Search():
            yield "title"
        case Compare(path) | Like(path) | Present(path):
            yield path.field.name


assert FIELDS.keys() >= _COPIED
