"""Random messages of any type, made from its descriptor and biased towards the edges of its validation rules.

The strategies know nothing of what a rule means: they only see its operands, and try values on both sides of each.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from buf.validate import validate_pb2 as validate
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

TEXT = st.text(st.sampled_from("ab\u00e9\u20ac\U0001f600-_.\n 0A\x00"), max_size=6)
WORDS = ("", "a", "b", "ab", "P1", "\n", "a\n", "LEVEL_LOW", "0f8fad5b-d9cb-469f-a165-70867728950e", "abx", "a\x00b")
UUIDS = st.uuids().map(str)
ULIDS = st.text(st.sampled_from("01234567ABCxyz"), min_size=25, max_size=27)
BITS = {
    **dict.fromkeys(("INT32", "SINT32", "SFIXED32", "ENUM"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("INT64", "SINT64", "SFIXED64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("UINT32", "FIXED32"), (0, 2**32 - 1)),
    **dict.fromkeys(("UINT64", "FIXED64"), (0, 2**64 - 1)),
}
RANGES = {getattr(FieldDescriptor, f"TYPE_{name}"): limits for name, limits in BITS.items()}
LARGEST = 3.4028e38  # protobuf's JSON prints the few 32-bit numbers beyond, and refuses to read them
LIMITS = {"google.protobuf.Timestamp": (-62135596800, 253402300799), "google.protobuf.Duration": (-(10**9), 10**9)}
LOOSE = {f"google.protobuf.{name}" for name in ("Any", "FieldMask", "ListValue", "Struct", "Value")}


def messages(descriptor: Descriptor, depth: int = 3, *, for_json: bool = False) -> st.SearchStrategy[Message]:
    """Messages of a type; every field may be unset, and messages nest at most `depth` deep.

    `for_json` leaves out what JSON cannot carry: enum numbers without a name, and types whose JSON is looser than they.
    """
    factory = message_factory.GetMessageClass(descriptor)
    fields = [field for field in descriptor.fields if depth or field.message_type is None or is_time(field)]
    fields = [field for field in fields if not (for_json and is_loose(field))]
    chosen = {field.name: field_values(field, depth, for_json) for field in fields}
    return st.fixed_dictionaries({}, optional=chosen).map(lambda kwargs: build(factory, kwargs))


def build(factory: type[Message], values: dict[str, Any]) -> Message:
    """The message, as it arrives: from its bytes."""
    message = factory()
    for name, value in values.items():
        assign(message, name, value)
    return factory.FromString(message.SerializeToString())


def assign(message: Message, name: str, value: object) -> None:
    target = getattr(message, name)
    if isinstance(value, dict):
        for key, entry in value.items():
            if isinstance(entry, Message):
                target[key].CopyFrom(entry)
            else:
                target[key] = entry
    elif isinstance(value, list):
        target.extend(value)
    elif isinstance(value, Message):
        target.CopyFrom(value)
    else:
        setattr(message, name, value)


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def is_loose(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name in LOOSE


def is_time(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name in LIMITS


def field_values(field: FieldDescriptor, depth: int, for_json: bool) -> st.SearchStrategy[Any]:
    rules = field.GetOptions().Extensions[validate.field]
    sizes = sorted({0, 1, 2, *around(size_operands(rules))})
    largest = max(size for size in sizes if size <= 70)
    if is_map(field):
        assert field.message_type is not None
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        keys, values = (
            element_values(key, rules.map.keys, depth, for_json),
            element_values(value, rules.map.values, depth, for_json),
        )
        return st.dictionaries(keys, values, max_size=min(largest, 3)) | st.dictionaries(
            keys, values, min_size=0, max_size=largest
        )
    if field.is_repeated:
        items = element_values(field, rules.repeated.items, depth, for_json)
        return st.lists(items, max_size=3) | st.lists(items, max_size=largest)
    return element_values(field, rules, depth, for_json)


def element_values(
    field: FieldDescriptor, rules: validate.FieldRules, depth: int, for_json: bool
) -> st.SearchStrategy[Any]:
    if is_time(field):
        return times(field, list(operands(rules)))
    if field.message_type is not None:
        return messages(field.message_type, depth - 1, for_json=for_json) if depth else st.just(None)
    if field.enum_type is not None and for_json:
        return st.sampled_from(sorted(field.enum_type.values_by_number))
    return scalars(field, list(operands(rules)))


def scalars(field: FieldDescriptor, given: list[Any]) -> st.SearchStrategy[Any]:
    match field.type:
        case FieldDescriptor.TYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.TYPE_STRING:
            return strings(given)
        case FieldDescriptor.TYPE_BYTES:
            parts = [part for part in given if isinstance(part, bytes)]
            return st.sampled_from([*parts, b"".join(parts), b"a\x00b"]) | st.binary(max_size=5)
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return floats(field, given)
        case _:
            low, high = RANGES[field.type]
            near = [n for n in (0, 1, -1, low, high, *around(given)) if low <= n <= high]
            return st.sampled_from(near) | st.integers(low, high)


def strings(given: list[Any]) -> st.SearchStrategy[str]:
    words = [*WORDS, *(word for word in given if isinstance(word, str))]
    lengths = [n for n in around([n for n in given if not isinstance(n, bool)]) if 0 <= n < 20_000]
    sized = [letter * n for n in lengths for letter in ("a", "\u00e9", "\U0001f600")]
    return st.sampled_from(words + sized) | TEXT | UUIDS | UUIDS.map(lambda u: u.replace("-", "")) | ULIDS


def floats(field: FieldDescriptor, given: list[Any]) -> st.SearchStrategy[float]:
    width = 32 if field.type == FieldDescriptor.TYPE_FLOAT else 64
    near = [n for n in given if isinstance(n, float)]
    if width == 64:
        near += [math.nextafter(n, side) for n in near for side in (-math.inf, math.inf)]
    edges = [0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, *near]
    others = st.floats(width=width, allow_nan=False)  # type: ignore[arg-type]  # of NaNs one is enough: JSON has one
    return st.sampled_from(edges) | others.filter(lambda f: width == 64 or not LARGEST < abs(f) < math.inf)


def times(field: FieldDescriptor, given: list[Any]) -> st.SearchStrategy[Message]:
    assert field.message_type is not None
    factory = message_factory.GetMessageClass(field.message_type)
    low, high = LIMITS[field.message_type.full_name]
    seconds = [0, 1, -1, *(g.seconds for g in given if hasattr(g, "seconds"))]
    nanos = [0, 1, *(n for g in given if hasattr(g, "nanos") for n in (g.nanos - 1, g.nanos, g.nanos + 1) if n >= 0)]
    return st.builds(
        lambda s, n: factory(seconds=s, nanos=n if s >= 0 or low < -(10**10) else -n),
        st.sampled_from(seconds) | st.integers(low, high),
        st.sampled_from(nanos) | st.integers(0, 999_999_999),
    )


def operands(rules: validate.FieldRules) -> Iterator[Any]:
    """Every operand of the rules of one value, whatever its rule."""
    kind = rules.WhichOneof("type")
    if kind is None or kind in ("repeated", "map"):
        return
    for field, value in getattr(rules, kind).ListFields():
        yield from value if field.is_repeated else [value]


def size_operands(rules: validate.FieldRules) -> Iterator[int]:
    for whole in (rules.repeated, rules.map):
        yield from (value for _, value in whole.ListFields() if isinstance(value, int) and not isinstance(value, bool))


def around(numbers: Iterable[object]) -> set[int]:
    return {n + d for n in numbers if isinstance(n, int) and not isinstance(n, bool) for d in (-1, 0, 1)}
