"""One JSON value to one scalar field and back, as proto3 JSON defines it. Raises Unacceptable; knows no message."""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Mapping

from google.protobuf.descriptor import FieldDescriptor

from llm_incident_manager.transport.rest.jsoncodec.problems import Rule, wrong

Convert = Callable[[object], object]

_LIMITS = {
    **dict.fromkeys(("INT32", "SINT32", "SFIXED32"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("INT64", "SINT64", "SFIXED64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("UINT32", "FIXED32"), (0, 2**32 - 1)),
    **dict.fromkeys(("UINT64", "FIXED64"), (0, 2**64 - 1)),
}
INTEGERS: Mapping[int, tuple[int, int]] = {
    getattr(FieldDescriptor, f"TYPE_{name}"): limits for name, limits in _LIMITS.items()
}
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TRUTHS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


def parser(field: FieldDescriptor) -> Convert:
    """From a JSON value to the value of a scalar field; not for enums and messages."""
    if field.type in INTEGERS:
        return _integer(*INTEGERS[field.type])
    return {
        FieldDescriptor.TYPE_STRING: _string,
        FieldDescriptor.TYPE_BOOL: _bool,
        FieldDescriptor.TYPE_BYTES: _bytes,
        FieldDescriptor.TYPE_DOUBLE: _double,
        FieldDescriptor.TYPE_FLOAT: _float,
    }[field.type]


def text_parser(field: FieldDescriptor) -> Convert:
    """The same from the text of a parameter: numbers are text already, booleans need their own reading."""
    return _bool_from_text if field.type == FieldDescriptor.TYPE_BOOL else parser(field)


def printer(field: FieldDescriptor) -> Convert | None:
    """From the value of a scalar field to a JSON value; None if it is one already."""
    if field.type in INTEGERS:
        low, high = INTEGERS[field.type]
        return str if high - low > 2**32 else None
    return {
        FieldDescriptor.TYPE_BYTES: _print_bytes,
        FieldDescriptor.TYPE_DOUBLE: _print_double,
        FieldDescriptor.TYPE_FLOAT: _print_float,
    }.get(field.type)


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    raise wrong(Rule.TYPE, "be a string", value)


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong(Rule.TYPE, "be true or false", value)


def _bool_from_text(value: object) -> bool:
    found = _TRUTHS.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise wrong(Rule.TYPE, "be true or false", value)
    return found


def _integer(low: int, high: int) -> Convert:
    def convert(value: object) -> int:
        number = value if type(value) is int else _to_integer(value)
        if low <= number <= high:
            return number
        raise wrong(Rule.RANGE, f"lie between {low} and {high}", value)

    return convert


def _to_integer(value: object) -> int:
    """Integers may come as text, and as floating-point numbers without a fraction."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    number = float(value) if isinstance(value, str) and len(value) < 32 and _NUMBER.fullmatch(value) else value
    if isinstance(number, float) and number.is_integer():
        return int(number)
    raise wrong(Rule.TYPE, "be a whole number", value)


def _double(value: object) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    if isinstance(value, str):
        if value in _SPECIAL:
            return _SPECIAL[value]
        if len(value) < 400 and _NUMBER.fullmatch(value) and math.isfinite(number := float(value)):
            return number
    raise wrong(Rule.TYPE, "be a number", value)


def _float(value: object) -> float:
    number = _double(value)
    try:
        struct.pack("<f", number)
    except OverflowError:
        raise wrong(Rule.RANGE, "fit a 32-bit floating-point number", value) from None
    return number


def _bytes(value: object) -> bytes:
    """Base64, standard or URL-safe, padded or not."""
    if isinstance(value, str) and value.isascii():
        text = value.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except binascii.Error:
            pass
    raise wrong(Rule.FORMAT, "be base64", value)


def _print_bytes(value: object) -> str:
    assert isinstance(value, bytes)
    return base64.b64encode(value).decode("ascii")


def _print_double(value: object) -> object:
    assert isinstance(value, float)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _print_float(value: object) -> object:
    """The shortest decimal that is the same 32-bit number: 1.1, not 1.100000023841858."""
    assert isinstance(value, float)
    if not math.isfinite(value):
        return _print_double(value)
    short = (float(f"{value:.{digits}g}") for digits in range(6, 10))
    return next(s for s in short if struct.unpack("<f", struct.pack("<f", s))[0] == value)
