"""Names everything that is wrong with a message, walking the same plan the fast predicate was written from.

Slow and thorough; called only for messages known to be bad. Messages quote at most 64 characters of a value.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from google.protobuf.message import Message

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.transport.checker.plan import Field, MessagePlan, Shape, Value
from llm_incident_manager.transport.checker.rules import QUOTED, UNSET, FieldValue, Rule, quote

LIMIT = 1_000
"""Most violations named for one message: a hostile message must not make a huge answer."""

Plans = Mapping[str, MessagePlan]


def violations(plans: Plans, root: str, message: Message) -> tuple[Violation, ...]:
    """Every broken rule, in field order, at most LIMIT."""
    return tuple(islice(_message(plans, plans[root], message, ""), LIMIT))


def _message(plans: Plans, plan: MessagePlan, message: Message, prefix: str) -> Iterator[Violation]:
    for oneof in plan.required_oneofs:
        if message.WhichOneof(oneof) is None:
            path = prefix + oneof
            yield Violation(path, f"{path} is required: set exactly one of its fields", "required")
    for field in plan.fields:
        yield from _field(plans, field, message, prefix + field.name)


def _field(plans: Plans, field: Field, message: Message, path: str) -> Iterator[Violation]:
    value: FieldValue = getattr(message, field.name)
    if not _is_set(field, message, value):
        if field.required:
            yield Violation(path, f"{path} is required: give it a value", "required")
            return
        if field.presence:
            return
    match field.shape:
        case Shape.SINGLE:
            yield from _value(plans, field.value, value, path)
        case Shape.LIST:
            yield from _rules(field.whole, value, path)
            for index, item in enumerate(value):
                yield from _value(plans, field.value, item, f"{path}[{index}]")
        case Shape.MAP:
            yield from _rules(field.whole, value, path)
            for key in value:
                entry = f"{path}[{quote(key)}]"
                yield from _value(plans, field.keys, key, entry, f"a key of {path}")
                yield from _value(plans, field.value, value[key], entry)


def _is_set(field: Field, message: Message, value: FieldValue) -> bool:
    if field.presence:
        return message.HasField(field.name)
    return not (field.value.unset if field.shape is Shape.SINGLE else UNSET).test(value)


def _value(plans: Plans, plan: Value, value: FieldValue, path: str, subject: str = "") -> Iterator[Violation]:
    if plan.skip_unset and plan.unset.test(value):
        return
    yield from _rules(plan.rules, value, path, subject)
    if plan.child is not None and (child := plans.get(plan.child.full_name)) is not None:
        yield from _message(plans, child, value, path + ".")


def _rules(rules: tuple[Rule, ...], value: FieldValue, path: str, subject: str = "") -> Iterator[Violation]:
    for rule in rules:
        if rule.test(value):
            message = f"{subject or path} must {rule.demand}; got {describe(value)}"
            yield Violation(path, message, rule.id)


def describe(value: FieldValue) -> str:
    """A value for people, short and on one line, with its size where it was cut."""
    if isinstance(value, str) and len(value) > QUOTED:
        return f"{quote(value)} ({len(value)} characters)"
    if isinstance(value, str | int):
        return quote(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Message):
        return f"{str(value).strip() or '0'}".replace("\n", " ")[:QUOTED]
    return f"{len(value)} items"
