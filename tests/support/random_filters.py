"""Random incidents and filters for properties: few, awkward values, so that filters hit and miss about equally."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from llm_incident_manager.domain import filter_check, filter_tree
from llm_incident_manager.domain.filter_fields import FIELDS, ORDERED, SORTABLE, Field, Type
from llm_incident_manager.domain.filter_tree import Compare, Like, Node, Not, Op, Path, Present, Search
from llm_incident_manager.domain.filters import Filter, Order, Place, place_of
from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant

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
    "timeout é",
    "😀",
    "[a]",
    "a\n",
    "\x01",
)

_texts = st.sampled_from(POOL) | st.text(AWKWARD, max_size=5)
_pooled = st.sampled_from(POOL)  # much cheaper to draw
_wanted = st.sampled_from([text for text in (*POOL, "time", "OUT") if text]) | st.text(AWKWARD, min_size=1, max_size=3)
_times = st.integers(1_700_000_000_000_000, 1_700_000_000_000_005).map(Instant)
_numbers = st.integers(0, 3)
_costs = st.sampled_from([0.0, 0.1, 1.5, 2.0])
_ids = st.integers(0, 9).map(lambda n: f"0191{n:04x}-0000-7000-8000-{n:012x}")


def incidents(max_size: int = 4) -> st.SearchStrategy[list[Incident]]:
    """Incidents of one tenant with distinct ids and numbers."""
    return st.lists(_ids, max_size=max_size, unique=True).flatmap(lambda ids: st.tuples(*map(_incident, ids)).map(list))


def _incident(id_: str) -> st.SearchStrategy[Incident]:
    words = {name: _pooled for name, field in FIELDS.items() if field.type is Type.TEXT}
    words |= {"title": _texts, "description": _texts}
    del words["number"], words["fingerprint"]
    return st.builds(
        Incident,
        id=st.just(IncidentId(id_)),
        tenant=st.just(TENANT),
        number=st.just(f"INC-20261121-{id_[-5:]}"),
        state=st.sampled_from(State),
        severity=st.sampled_from(Severity),
        incident_type=st.sampled_from(IncidentType),
        fingerprint=_pooled.map(lambda value: Fingerprint(1, value)),
        created_at=_times,
        updated_at=_times,
        first_seen=_times,
        last_seen=_times,
        labels=st.dictionaries(st.sampled_from(KEYS), _pooled, max_size=3),
        affected_services=st.lists(_pooled, max_size=2).map(tuple),
        assignees=st.lists(_pooled, max_size=2).map(tuple),
        event_count=_numbers,
        tokens=_numbers,
        cost_usd=_costs,
        users_affected=_numbers,
        recurred=st.booleans(),
        acknowledged_at=st.none() | _times,
        resolved_at=st.none() | _times,
        closed_at=st.none() | _times,
        **words,
    )


def filters() -> st.SearchStrategy[Filter]:
    """Filters as `filters.parse` makes them."""
    return trees().map(lambda tree: Filter(tree, filter_tree.text_of(tree)))


def trees() -> st.SearchStrategy[Node]:
    """Checked trees: no AND directly in an AND, no OR directly in an OR."""
    return st.recursive(_leaves(), _branches, max_leaves=6)


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
    return st.sampled_from(list(FIELDS.values())).flatmap(_leaf) | _wanted.map(filter_tree.fold).map(Search)


def _leaf(field: Field) -> st.SearchStrategy[Node]:
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
    return compared | path.map(Present) if field.type is Type.TIME else compared


def _likes(paths: st.SearchStrategy[Path], *, foldable: bool) -> st.SearchStrategy[Node]:
    ends = st.sampled_from([(True, False), (False, True), (True, True)])
    folds = st.booleans() if foldable else st.just(value=False)
    return st.builds(_like, paths, _wanted, ends, folds)


def _like(path: Path, text: str, ends: tuple[bool, bool], fold: bool) -> Like:
    return Like(path, filter_tree.fold(text) if fold else text, *ends, fold=fold)


def _values(field: Field) -> st.SearchStrategy[str | int | float]:
    if field.name == "number":
        return _ids.map(lambda id_: f"INC-20261121-{id_[-5:]}")
    return _TYPED.get(field.type, _texts)


_TYPED: Mapping[Type, st.SearchStrategy[str | int | float]] = {
    Type.ID: _ids,
    Type.INTEGER: _numbers,
    Type.NUMBER: _costs,
    Type.BOOLEAN: st.integers(0, 1),
    Type.TIME: _times,
    Type.SEVERITY: st.sampled_from(Severity).map(int),
    Type.STATE: st.sampled_from(State).map(str),
    Type.INCIDENT_TYPE: st.sampled_from(IncidentType).map(str),
}
