"""Random incidents and filters for properties: few, awkward values, so that filters hit and miss about equally."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from llm_incident_manager.domain import filter_check, filter_tree
from llm_incident_manager.domain.filter_fields import FIELDS, ORDERED, SORTABLE, Field, Type
from llm_incident_manager.domain.filter_tree import Compare, Like, Node, Not, Op, Path, Present, Search
from llm_incident_manager.domain.filters import Filter, Order, Place, place_of
from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant
from tests.support import builders

TENANT = TenantId("default")
# Case, wildcards of LIKE and of ours, quotes, escapes, letters whose case only Unicode knows, what no terminal prints.
AWKWARD = "aAbB%_*\\'\"?[$.@ éÉßİ😀\n\x01-/:"
KEYS = ("region", "k8s.io/name", 'a"b', "$.x", "[0]", "0", "é", "AND", "a\\b", " ", "\x01")

POOL = (
    "",
    "a",
    "A",
    "ab",
    "aB",
    "b",
    "a*",
    "%",
    "_",
    "\\",
    '"',
    "é",
    "É",
    "ß",
    "Timeout",
    "out é",
    "😀",
    "[a]",
    "a\n",
    "\x01",
)

TIMES = tuple(Instant(1_700_000_000_000_000 + step) for step in range(5))
MOMENTS = (
    "acknowledged_at",
    "resolved_at",
    "closed_at",
    "snoozed_until",
    "acknowledge_breached_at",
    "resolve_breached_at",
)
COSTS = (0.0, 0.1, 1.5, 2.0)

_texts = st.sampled_from(POOL) | st.text(AWKWARD, max_size=5)
_wanted = st.sampled_from([text for text in (*POOL, "time", "OUT") if text]) | st.text(AWKWARD, min_size=1, max_size=3)
_times = st.sampled_from([*TIMES, Instant(TIMES[0] - 1), Instant(TIMES[-1] + 1)])
_numbers = st.integers(0, 3)
_costs = st.sampled_from(COSTS)


def population(count: int = 80, seed: int = 1) -> list[Incident]:
    """Incidents of one tenant with distinct ids and numbers, always the same ones; the first few lack what they can."""
    random = Random(seed)
    return [_incident(random, number, bare=number < 5) for number in range(count)]


def _incident(random: Random, number: int, *, bare: bool) -> Incident:
    texts = {name for name, field in FIELDS.items() if field.type is Type.TEXT} - {"number", "fingerprint"}
    fields: dict[str, Any] = {name: "" if bare else random.choice(POOL) for name in sorted(texts)}
    fields |= {attribute: random.choice(TIMES) for attribute in ("created_at", "updated_at", "first_seen", "last_seen")}
    if not bare:
        fields |= {name: random.choice([None, *TIMES]) for name in MOMENTS}
        fields["labels"] = {key: random.choice(POOL) for key in random.sample(KEYS, 3)}
        for name in ("affected_services", "assignees"):
            fields[name] = tuple(random.choices(POOL, k=random.randrange(3)))
    return builders.make_incident(
        id=_id(number),
        number=_number(number),
        state=random.choice(list(State)),
        severity=random.choice(list(Severity)),
        incident_type=random.choice(list(IncidentType)),
        fingerprint=Fingerprint(1, f"{random.choice(POOL)}{number}"),
        event_count=random.randrange(4),
        tokens=random.randrange(4),
        cost_usd=random.choice(COSTS),
        users_affected=random.randrange(4),
        recurred=random.random() < 0.5,
        **fields,
    )


def _id(number: int) -> str:
    return f"0191{number * 7919 % 65536:04x}-0000-7000-8000-{number:012x}"


def _number(number: int) -> str:
    return f"INC-20261121-{number:05d}"


def filters() -> st.SearchStrategy[Filter]:
    """Filters as `filters.parse` makes them."""
    return trees().map(filter_of)


def filter_of(tree: Node) -> Filter:
    """The filter of a checked tree."""
    return Filter(tree, filter_tree.text_of(tree))


def trees() -> st.SearchStrategy[Node]:
    """Checked trees: no AND directly in an AND, no OR directly in an OR."""
    return st.recursive(_leaves(), _branches, max_leaves=6)


def alternatives() -> st.SearchStrategy[Filter]:
    """ORs of equalities that have an index each, with or without more that is required of one of them or of all."""
    names = ("state", "severity", "service", "kind", "model", "id", "assignees", "labels")
    one = st.sampled_from([FIELDS[name] for name in names]).flatmap(leaves_of)
    equal = one.filter(lambda leaf: isinstance(leaf, Compare) and leaf.op is Op.EQ)
    with_more = st.lists(st.one_of(equal, _leaves()), min_size=1, max_size=2).map(filter_check.conjunction)
    either = st.lists(st.one_of(equal, with_more), min_size=2, max_size=4).map(filter_check.disjunction)
    required = st.lists(_leaves(), max_size=1)
    return st.builds(lambda one_of, more: filter_of(filter_check.conjunction([one_of, *more])), either, required)


def orders() -> st.SearchStrategy[tuple[Order, ...]]:
    """Up to three keys, each field once."""
    names = st.sampled_from([name for name, field in FIELDS.items() if field.type in SORTABLE])
    key = st.builds(Order, names, st.booleans())
    return st.lists(key, max_size=3, unique_by=lambda order: order.field).map(tuple)


def sorted_by(order: Sequence[Order], found: Sequence[Incident]) -> list[Incident]:
    """The incidents in order: absent times last, the id as tie-breaker; newest first when no order is given."""
    keys = [*order, Order("id", order[-1].descending if order else True)]
    ranked = list(found)
    for index, key in reversed(list(enumerate(keys))):
        ranked.sort(key=lambda incident: _rank(place_of(incident, order), index, keys), reverse=key.descending)
    return ranked


def _rank(place: Place, index: int, keys: Sequence[Order]) -> tuple[bool, str | float]:
    value, key = place[index], keys[index]
    if value is None:
        return (not key.descending, 0)
    if key.field == "severity":
        value = -int(value)
    return (key.descending, value)


def _branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    parts = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(inner.map(Not), parts.map(filter_check.conjunction), parts.map(filter_check.disjunction))


def _leaves() -> st.SearchStrategy[Node]:
    return st.sampled_from(list(FIELDS.values())).flatmap(leaves_of) | _wanted.map(filter_tree.fold).map(Search)


def leaves_of(field: Field) -> st.SearchStrategy[Node]:
    """All that can be asked of one field."""
    if field.type is Type.LABELS:
        paths = st.sampled_from(KEYS).map(lambda key: Path(field, key))
        compared = st.builds(Compare, paths, st.sampled_from(Op), _texts)
        return st.one_of(paths.map(Present), st.just(Present(Path(field))), compared, _likes(paths, foldable=False))
    path = st.just(Path(field))
    if field.type is Type.LIST:
        items = st.builds(Compare, path, st.just(Op.EQ), _texts.filter(bool))
        return st.one_of(path.map(Present), items, _likes(path, foldable=False))
    operators = st.sampled_from(list(Op) if field.type in ORDERED else [Op.EQ, Op.NE])
    compared = st.builds(Compare, path, operators, _values(field))
    if field.type is Type.TEXT:
        return st.one_of(compared, path.map(Present), _likes(path, foldable=True))
    return compared | path.map(Present) if field.type in {Type.TIME, Type.DURATION} else compared


def _likes(paths: st.SearchStrategy[Path], *, foldable: bool) -> st.SearchStrategy[Node]:
    ends = st.sampled_from([(True, False), (False, True), (True, True)])
    folds = st.booleans() if foldable else st.just(value=False)
    return st.builds(_like, paths, _wanted, ends, folds)


def _like(path: Path, text: str, ends: tuple[bool, bool], fold: bool) -> Like:
    return Like(path, filter_tree.fold(text) if fold else text, *ends, fold=fold)


def _values(field: Field) -> st.SearchStrategy[str | int | float]:
    if field.name == "number":
        return st.integers(0, 99).map(_number)
    return _TYPED.get(field.type, _texts)


_TYPED: Mapping[Type, st.SearchStrategy[str | int | float]] = {
    Type.ID: st.integers(0, 99).map(_id),
    Type.INTEGER: _numbers,
    Type.NUMBER: _costs,
    Type.BOOLEAN: st.integers(0, 1),
    Type.TIME: _times,
    Type.DURATION: st.integers(-4, 4),
    Type.SEVERITY: st.sampled_from(Severity).map(int),
    Type.STATE: st.sampled_from(State).map(str),
    Type.INCIDENT_TYPE: st.sampled_from(IncidentType).map(str),
}
