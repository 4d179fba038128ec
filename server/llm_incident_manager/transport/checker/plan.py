"""Reads a message descriptor once and writes down what each field must satisfy: the plan both checkers work from.

It decides presence (when a rule applies at all), and refuses every validation option it cannot carry out. It never
sees a message.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from buf.validate import validate_pb2 as validate
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from llm_incident_manager.transport.checker import numbers, strings
from llm_incident_manager.transport.checker.rules import UNSET, UNSET_FLOAT, Rule, UncheckableRule, set_options

_INTEGERS = ("int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64")
_ZEROS: Mapping[str, object] = {
    **dict.fromkeys((*_INTEGERS, "enum"), 0),
    **dict.fromkeys(("double", "float"), 0.0),
    "bool": False,
    "string": "",
    "bytes": b"",
}
_KINDS: Mapping[int, str] = {getattr(FieldDescriptor, f"TYPE_{kind.upper()}"): kind for kind in _ZEROS}
_TIMES = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}
_FIELD_OPTIONS = frozenset({"required", "ignore", "repeated", "map", *_KINDS.values(), *_TIMES.values()})


class Shape(Enum):
    """How a field holds its values."""

    SINGLE = auto()
    LIST = auto()
    MAP = auto()


@dataclass(frozen=True, slots=True)
class Value:
    """What one value must satisfy: its rules, and those of `child` if it is a message worth descending into."""

    rules: tuple[Rule, ...] = ()
    child: Descriptor | None = None
    unset: Rule = UNSET
    skip_unset: bool = False
    zero_is_valid: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """What one field must satisfy. `whole` holds the rules of a list or map itself, `keys` those of map keys."""

    name: str
    shape: Shape
    presence: bool
    required: bool
    value: Value
    whole: tuple[Rule, ...] = ()
    keys: Value = Value()


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """What one message must satisfy: its fields in order, and the oneofs of which one member must be set."""

    fields: tuple[Field, ...]
    required_oneofs: tuple[str, ...]


def plan_all(root: Descriptor) -> Mapping[str, MessagePlan]:
    """Plans of `root` and of every message reachable from it that has something to check, by full name.

    Raises:
        UncheckableRule: a schema option has no meaning here; names the field and the option.
    """
    plans: dict[str, MessagePlan] = {}
    waiting = [root]
    while waiting:
        descriptor = waiting.pop()
        if descriptor.full_name in plans:
            continue
        plan = plans[descriptor.full_name] = _message(descriptor)
        waiting.extend(child for field in plan.fields if (child := field.value.child) is not None)
    return _pruned(plans, root.full_name)


def _pruned(plans: dict[str, MessagePlan], root: str) -> dict[str, MessagePlan]:
    """Drops fields, then messages, with nothing to check; recursion among such messages falls away with them."""
    useful = {name for name, plan in plans.items() if plan.required_oneofs or any(map(_has_rules, plan.fields))}
    grew = True
    while grew:
        reaching = {name for name, plan in plans.items() if any(_child(f) in useful for f in plan.fields)}
        grew = not reaching <= useful
        useful |= reaching
    return {
        name: MessagePlan(tuple(f for f in plan.fields if _has_rules(f) or _child(f) in useful), plan.required_oneofs)
        for name, plan in plans.items()
        if name in useful or name == root
    }


def _has_rules(field: Field) -> bool:
    return bool(field.required or field.whole or field.value.rules or field.keys.rules)


def _child(field: Field) -> str | None:
    return None if field.value.child is None else field.value.child.full_name


def _message(descriptor: Descriptor) -> MessagePlan:
    set_options(descriptor.GetOptions().Extensions[validate.message], descriptor.full_name, ())
    return MessagePlan(tuple(_fields(descriptor)), tuple(_required_oneofs(descriptor)))


def _required_oneofs(descriptor: Descriptor) -> Iterator[str]:
    for oneof in descriptor.oneofs:
        options = oneof.GetOptions().Extensions[validate.oneof]
        if set_options(options, f"{descriptor.full_name}.{oneof.name}", {"required"}).get("required"):
            yield oneof.name


def _fields(descriptor: Descriptor) -> Iterator[Field]:
    for field in descriptor.fields:
        options = field.GetOptions().Extensions[validate.field]
        if options.ignore != validate.IGNORE_ALWAYS:
            yield _field(field, options)


def _field(field: FieldDescriptor, options: validate.FieldRules) -> Field:
    if not field.is_repeated:
        return Field(field.name, Shape.SINGLE, field.has_presence, options.required, _value(field, options))
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        return _map_field(field, entry, options)
    _refuse_other_type(field.full_name, options, "repeated")
    whole = options.repeated
    rules = _sizes("repeated", whole, {"min_items": "<", "max_items": ">"}, field.full_name, {"unique", "items"})
    if whole.unique and field.message_type is not None:
        raise UncheckableRule(field.full_name, "repeated.unique on messages", "messages cannot be told apart this way")
    if whole.unique:
        rules.append(Rule("repeated.unique", "len(set({v})) != len({v})", "not repeat an item"))
    return Field(
        field.name, Shape.LIST, False, options.required, _element(field, whole.items), _unless_empty(rules, options)
    )


def _map_field(field: FieldDescriptor, entry: Descriptor, options: validate.FieldRules) -> Field:
    _refuse_other_type(field.full_name, options, "map")
    whole = options.map
    rules = _sizes("map", whole, {"min_pairs": "<", "max_pairs": ">"}, field.full_name, {"keys", "values"})
    keys = _element(entry.fields_by_name["key"], whole.keys, field.full_name)
    values = _element(entry.fields_by_name["value"], whole.values, field.full_name)
    return Field(field.name, Shape.MAP, False, options.required, values, _unless_empty(rules, options), keys)


def _sizes(
    kind: str, options: validate.RepeatedRules | validate.MapRules, signs: dict[str, str], where: str, others: set[str]
) -> list[Rule]:
    found = set_options(options, where, signs.keys() | others)
    noun = "items" if kind == "repeated" else "entries"

    def size(option: str, sign: str) -> Rule:
        word = "at least" if sign == "<" else "at most"
        demand = f"have {word} {found[option]} {noun}"
        return Rule(f"{kind}.{option}", f"len({{v}}) {sign} {{g}}", demand, found[option])

    return [size(option, sign) for option, sign in signs.items() if option in found]


def _unless_empty(rules: list[Rule], options: validate.FieldRules) -> tuple[Rule, ...]:
    """IGNORE_IF_ZERO_VALUE on a list or map: an empty one is not judged."""
    if options.ignore != validate.IGNORE_IF_ZERO_VALUE:
        return tuple(rules)
    return tuple(Rule(r.id, f"{{v}} and {r.broken}", r.demand, r.given) for r in rules)


def _element(field: FieldDescriptor, options: validate.FieldRules, where: str = "") -> Value:
    """What a list item, map key or map value must satisfy. Elements are always present."""
    where = where or field.full_name
    if options.required:
        raise UncheckableRule(where, "required on elements", "an element is always set: use min_len or gt instead")
    if options.ignore == validate.IGNORE_ALWAYS:
        return Value()
    if options.ignore == validate.IGNORE_IF_ZERO_VALUE and field.message_type is not None:
        raise UncheckableRule(where, "ignore = IGNORE_IF_ZERO_VALUE on message elements")
    return _value(field, options, where, element=True)


def _value(field: FieldDescriptor, options: validate.FieldRules, where: str = "", *, element: bool = False) -> Value:
    where = where or field.full_name
    child = field.message_type
    if child is not None and child.full_name not in _TIMES:
        _refuse_other_type(where, options, None)
        return Value(child=child)
    kind = _TIMES[child.full_name] if child is not None else _KINDS[field.type]
    _refuse_other_type(where, options, kind)
    rules = _scalar_rules(kind, field, options, where) if options.WhichOneof("type") else ()
    return Value(
        rules,
        unset=UNSET_FLOAT if kind in ("double", "float") and not element else UNSET,
        # Where presence is tracked, a zero value was set on purpose and is judged.
        skip_unset=options.ignore == validate.IGNORE_IF_ZERO_VALUE and (element or not field.has_presence),
        zero_is_valid=kind in _ZEROS and not any(rule.test(_ZEROS[kind]) for rule in rules),
    )


def _refuse_other_type(where: str, options: validate.FieldRules, kind: str | None) -> None:
    """Refuses rules of another type than the field's, and options this checker does not know."""
    set_options(options, where, _FIELD_OPTIONS)
    given = options.WhichOneof("type")
    if given is not None and given != kind:
        raise UncheckableRule(where, f"{given} rules on a field of type {kind or 'message'}")


def _scalar_rules(kind: str, field: FieldDescriptor, options: validate.FieldRules, where: str) -> tuple[Rule, ...]:
    match kind:
        case "string":
            return strings.string_rules(options.string, where)
        case "bytes":
            return strings.bytes_rules(options.bytes, where)
        case "bool":
            return numbers.bool_rules(options.bool, where)
        case "enum":
            assert field.enum_type is not None, where
            return numbers.enum_rules(options.enum, field.enum_type, where)
        case "timestamp" | "duration":
            return numbers.time_rules(kind, getattr(options, kind), where)
        case _:
            return numbers.number_rules(kind, getattr(options, kind), where)
