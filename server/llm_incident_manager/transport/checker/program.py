"""Writes a plan down as Python source: one predicate a message type, true when anything in it is broken.

Reading a field of a message costs more than any of our rules, so each is read once, unset ones included, and the
first broken rule ends the matter: explain.py then walks again and names everything. Never raises on a message.
The source is made of our own templates and of names from descriptors; nothing a caller sends is evaluated.
"""

import keyword
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llm_incident_manager.transport.checker.plan import Field, MessagePlan, Shape, Value
from llm_incident_manager.transport.checker.rules import NAMES, Rule

Predicate = Callable[[Any], bool]


def compile_predicate(root: str, plans: Mapping[str, MessagePlan]) -> Predicate:
    """The predicate of the message type `root`; the types it contains may contain each other."""
    writer = _Writer({name: f"broken_{number}" for number, name in enumerate(plans)})
    lines = [line for name, plan in plans.items() for line in writer.function(name, plan)]
    exec(compile("\n".join(lines), f"<checker of {root}>", "exec"), writer.namespace)  # noqa: S102
    predicate: Predicate = writer.namespace[writer.functions[root]]
    return predicate


class _Writer:
    """Collects the operands the source refers to while it writes."""

    def __init__(self, functions: Mapping[str, str]) -> None:
        self.functions = functions
        self.namespace: dict[str, Any] = dict(NAMES)

    def function(self, name: str, plan: MessagePlan) -> Iterator[str]:
        yield f"def {self.functions[name]}(m):"
        for oneof in plan.required_oneofs:
            yield f"    if m.WhichOneof({oneof!r}) is None: return True"
        for field in plan.fields:
            yield from ("    " + line for line in self._field(field))
        yield "    return False"

    def _field(self, field: Field) -> Iterator[str]:
        read = f"m.{field.name}" if not keyword.iskeyword(field.name) else f"getattr(m, {field.name!r})"
        match field.shape:
            case Shape.LIST | Shape.MAP:
                yield from self._collection(field, read)
            case Shape.SINGLE if field.presence:
                yield f"if m.HasField({field.name!r}):"
                yield f"    v = {read}"
                yield from self._value("v", field.value, "    ")
                if field.required:
                    yield "else: return True"
            case Shape.SINGLE:
                yield f"v = {read}"
                if field.required:
                    yield f"if {field.value.unset.inline('v', self.namespace)}: return True"
                yield from self._value("v", field.value)

    def _collection(self, field: Field, read: str) -> Iterator[str]:
        """An empty list or map, the usual case, costs one read and one test, unless emptiness itself is wrong."""
        yield f"v = {read}"
        empty_is_broken = field.required or any(rule.test(()) for rule in field.whole)
        yield "if not v: return True" if empty_is_broken else "if v:"
        indent = "" if empty_is_broken else "    "
        if field.whole:
            yield f"{indent}if {self._any(field.whole, 'v')}: return True"
        yield from (indent + line for line in self._elements(field))

    def _elements(self, field: Field) -> Iterator[str]:
        keys = list(self._value("k", field.keys, "    "))
        values = list(self._value("e", field.value, "    "))
        if field.shape is Shape.MAP and (keys or values):
            yield "for k in v:"
            yield from keys
        elif values:
            yield "for e in v:"
        if field.shape is Shape.MAP and values:
            yield "    e = v[k]"
        yield from values

    def _value(self, name: str, value: Value, indent: str = "") -> Iterator[str]:
        if value.rules:
            yield f"{indent}if {self._guard(name, value)}({self._any(value.rules, name)}): return True"
        if value.child is not None and (function := self.functions.get(value.child.full_name)):
            yield f"{indent}if {function}({name}): return True"

    def _guard(self, name: str, value: Value) -> str:
        """Spares a zero value its rules where the schema says so, and where it satisfies them all: unset fields."""
        if value.skip_unset:
            return f"not ({value.unset.inline(name, self.namespace)}) and "
        return f"{name} and " if value.zero_is_valid else ""

    def _any(self, rules: tuple[Rule, ...], name: str) -> str:
        return " or ".join(f"({rule.inline(name, self.namespace)})" for rule in rules)
