"""What an operation asks for, measured before it runs and before it is validated; what is too much is refused.

The walk follows fragments as execution will, and ends as soon as a bound is passed, so that it never does much work
itself: fragments that multiply each other, and such that contain themselves, are refused after so many steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields

SIZES = ("first", "last", "pageSize", "ids")
"""Arguments that say how many values come at most."""
ASSUMED = 50
"""How many come where such an argument is left out, and the schema has no default for it."""
UNSIZED = 10
"""How many come of a list that nobody can limit."""
LARGEST = 1_000
WRITE_COST = 10
"""What each mutation costs beside its answer."""
FREE = frozenset({"IncidentConnection", "IncidentEdge", "PageInfo"})
"""Types whose objects cost nothing beside what is in them."""
MOST_FRAGMENTS = 50
MOST_OPERATIONS = 20
MOST_STEPS = 2_000
"""Fields and fragments looked at in one operation, fragments counted as often as they are used."""
INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one operation may ask for."""

    depth: int = 10
    complexity: int = 1_000
    aliases: int = 30
    introspection: bool = True


@dataclass(frozen=True, slots=True)
class Measure:
    """What an operation asks for: levels, objects (each counted as often as it may come), fields asked for again, and
    the names of the fields it begins with."""

    depth: int
    complexity: int
    aliases: int
    roots: frozenset[str]


class TooMuch(InvalidFields):
    """An operation asks for too much."""

    def __init__(self, limit: str, found: str, most: int) -> None:
        """`found` says what, as a clause; `limit` is the setting's name."""
        message = f"{found}, and at most {most} is taken (graphql.{limit}): ask for less at once"
        super().__init__([Violation("query", message, f"graphql.{limit}")])
        self.limit = limit


def definitions(document: DocumentNode) -> Mapping[str, FragmentDefinitionNode]:
    """The fragments of a document by name. Raises TooMuch for too many definitions."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    operations = sum(isinstance(each, OperationDefinitionNode) for each in document.definitions)
    if len(document.definitions) - operations > MOST_FRAGMENTS:
        raise TooMuch("max_tokens", f"there are {len(document.definitions) - operations} fragments", MOST_FRAGMENTS)
    if operations > MOST_OPERATIONS:
        raise TooMuch("max_tokens", f"there are {operations} operations", MOST_OPERATIONS)
    return fragments


def measure(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
    limits: Limits,
) -> Measure:
    """What the operation asks for. Raises TooMuch, and InvalidFields for a fragment that contains itself."""
    walk = _Walk(fragments, variables, limits)
    root = schema.get_root_type(operation.operation)
    cost = walk.below([operation.selection_set], root, 1, None)
    if operation.operation is OperationType.MUTATION:
        cost += WRITE_COST * len(operation.selection_set.selections)
    if cost > limits.complexity:
        raise TooMuch("max_complexity", f"up to {cost} objects are asked for", limits.complexity)
    return Measure(walk.deepest, cost, walk.aliases, frozenset(walk.roots))


@dataclass(slots=True)
class _Walk:
    """Walks through one operation."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    limits: Limits
    deepest: int = 0
    aliases: int = 0
    steps: int = 0
    inside: list[str] = field(default_factory=list)
    roots: set[str] = field(default_factory=set)

    def below(self, sets: Sequence[SelectionSetNode], parent: Any, level: int, size: int | None) -> int:
        """What the fields of selection sets cost that are merged into one; `size` is how many the first list among
        them has, where a field above says so."""
        cost, keys = 0, set[str]()
        for selections in sets:
            for each in self._fields(selections, 0):
                key = each.alias.value if each.alias else each.name.value
                if each.alias is not None or key in keys:
                    self.aliases += 1
                    if self.aliases > self.limits.aliases:
                        found = f"more than {self.limits.aliases} fields are asked for again, most often by an alias"
                        raise TooMuch("max_aliases", found, self.limits.aliases)
                keys.add(key)
                if level == 1:
                    self.roots.add(each.name.value)
                cost += self._field(each, parent, level, size)
        return cost

    def _field(self, node: FieldNode, parent: Any, level: int, size: int | None) -> int:
        name = node.name.value
        if name in INTROSPECTION and not self.limits.introspection:
            text = f"{name} is not told: introspection is off (graphql.introspection)"
            raise InvalidFields([Violation("query", text, "graphql.introspection")])
        if name.startswith("__"):
            return self._introspect(node)
        if level > self.limits.depth:
            raise TooMuch("max_depth", f"fields lie more than {self.limits.depth} levels deep", self.limits.depth)
        self.deepest = max(self.deepest, level)
        known = parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
        if node.selection_set is None:
            return 0
        kind = None if known is None else get_named_type(known.type)
        size = self._size(node, known, size)
        several = known is not None and _is_list(known)
        inner = self.below([node.selection_set], kind, level + 1, None if several else size)
        own = 0 if kind is not None and kind.name in FREE else 1
        times = (UNSIZED if size is None else size) if several else 1
        return min(times * (own + inner), LARGEST * LARGEST)

    def _introspect(self, node: FieldNode) -> int:
        """Counted by steps alone; validation looks at how deep it goes."""
        waiting = [node.selection_set] if node.selection_set else []
        while waiting:
            waiting += [each.selection_set for each in self._fields(waiting.pop(), 0) if each.selection_set]
        return 0

    def _fields(self, selections: SelectionSetNode, nested: int) -> Iterator[FieldNode]:
        """The fields of a selection set, those of its fragments among them."""
        for each in selections.selections:
            self.steps += 1
            if self.steps > MOST_STEPS or nested > MOST_FRAGMENTS:
                raise TooMuch("max_complexity", f"there are more than {MOST_STEPS} fields and fragments", MOST_STEPS)
            if isinstance(each, FieldNode):
                yield each
            elif isinstance(each, InlineFragmentNode):
                yield from self._fields(each.selection_set, nested + 1)
            elif isinstance(each, FragmentSpreadNode):
                yield from self._spread(each.name.value, nested)

    def _spread(self, name: str, nested: int) -> Iterator[FieldNode]:
        found = self.fragments.get(name)
        if found is None:
            return  # validation says so
        if name in self.inside:
            text = f"the fragment {name} contains itself"
            raise InvalidFields([Violation("query", text, "graphql.fragment_cycle")])
        self.inside.append(name)
        # A field is looked at, with all below it, while its fragment is open: only so is a cycle found through fields.
        yield from self._fields(found.selection_set, nested + 1)
        self.inside.pop()

    def _size(self, node: FieldNode, known: GraphQLField | None, size: int | None) -> int | None:
        """How many values a field says that it wants, else what was said above it."""
        names = [name for name in SIZES if known is not None and name in known.args]
        if known is None or not names:
            return size
        given = [self._given(argument.value) for argument in node.arguments or () if argument.name.value in names]
        if given:
            return max(given)
        default = known.args[names[0]].default
        return ASSUMED if default is None else self._given(default.literal)

    def _given(self, value: object) -> int:
        """How many a literal or a variable says."""
        plain: Any
        if isinstance(value, VariableNode):
            plain = self.variables.get(value.name.value)
        else:
            plain = value.value if isinstance(value, IntValueNode) else getattr(value, "values", None)
        if isinstance(plain, list | tuple):
            return min(len(plain), LARGEST)
        try:
            return min(max(int(plain), 0), LARGEST)
        except (TypeError, ValueError):
            return ASSUMED


def _is_list(known: GraphQLField) -> bool:
    kind = known.type.of_type if isinstance(known.type, GraphQLNonNull) else known.type
    return isinstance(kind, GraphQLList)
