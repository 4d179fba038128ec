"""Rules of numbers, booleans, enums, timestamps and durations. Ranges whose bounds are swapped mean "outside"."""

from collections.abc import Callable, Iterator

from buf.validate import validate_pb2 as validate
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from llm_incident_manager.transport.checker.rules import FieldValue, Rule, membership, nanoseconds, quote, set_options

_BOUNDS = ("gt", "gte", "lt", "lte")
_WORDS = {"gt": "greater than", "gte": "at least", "lt": "less than", "lte": "at most"}
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NUMBER = frozenset({"const", "in", "not_in", *_BOUNDS})
_TIME = frozenset({"const", *_BOUNDS})


def number_rules(kind: str, options: Message, where: str) -> tuple[Rule, ...]:
    """The rules of an integer or floating-point field; `kind` is the type's name in rule ids, as "int32"."""
    floating = kind in ("float", "double")
    found = set_options(options, where, _NUMBER | {"finite"} if floating else _NUMBER)
    rules = list(_ranges(kind, found, str, "{v}"))
    if "const" in found:
        rules.append(Rule(f"{kind}.const", "{v} != {g}", f"be {found['const']}", found["const"]))
    rules.extend(membership(kind, option, found[option], str) for option in ("in", "not_in") if option in found)
    if found.get("finite"):
        rules.append(Rule(f"{kind}.finite", "not isfinite({v})", "be a finite number"))
    return tuple(rules)


def time_rules(kind: str, options: Message, where: str) -> tuple[Rule, ...]:
    """The rules of a Timestamp or Duration; `kind` is "timestamp" or "duration"."""
    found = set_options(options, where, _TIME)
    spelled = {nanoseconds(given): given.ToJsonString() for given in found.values()}
    instants = {option: nanoseconds(given) for option, given in found.items()}
    rules = list(_ranges(kind, instants, spelled.__getitem__, "nanoseconds({v})"))
    if "const" in instants:
        given = instants["const"]
        rules.append(Rule(f"{kind}.const", "nanoseconds({v}) != {g}", f"be {spelled[given]}", given))
    return tuple(rules)


def bool_rules(options: validate.BoolRules, where: str) -> tuple[Rule, ...]:
    """The rules of a bool field."""
    found = set_options(options, where, {"const"})
    return tuple(Rule("bool.const", "{v} != {g}", f"be {quote(given)}", given) for given in found.values())


def enum_rules(options: validate.EnumRules, enum: EnumDescriptor, where: str) -> tuple[Rule, ...]:
    """The rules of an enum field; messages spell values by name."""
    found = set_options(options, where, {"const", "defined_only", "in", "not_in"})
    names = {number: value.name for number, value in enum.values_by_number.items()}

    def say(number: int) -> str:
        return names.get(number, str(number))

    rules = [membership("enum", option, found[option], say) for option in ("in", "not_in") if option in found]
    if "const" in found:
        rules.append(Rule("enum.const", "{v} != {g}", f"be {say(found['const'])}", found["const"]))
    if found.get("defined_only"):
        known = ", ".join(names.values())
        rules.append(Rule("enum.defined_only", "{v} not in {g}", f"be one of {known}", frozenset(names)))
    return tuple(rules)


def _ranges(kind: str, found: dict[str, FieldValue], say: Callable[[FieldValue], str], value: str) -> Iterator[Rule]:
    """One rule for whichever bounds are set. Negated comparisons, so that NaN breaks every range."""
    low = next((option for option in ("gt", "gte") if option in found), None)
    high = next((option for option in ("lt", "lte") if option in found), None)
    if low is None and high is None:
        return
    if low is None or high is None:
        option = str(low or high)
        holds = f"{value} {_SIGNS[option]} {{g}}"
        yield Rule(f"{kind}.{option}", f"not {holds}", f"be {_WORDS[option]} {say(found[option])}", found[option])
        return
    outside = found[high] < found[low]
    word = "or" if outside else "and"
    holds = f"{value} {_SIGNS[low]} {{g}}[0] {word} {value} {_SIGNS[high]} {{g}}[1]"
    demand = f"be {_WORDS[low]} {say(found[low])} {word} {_WORDS[high]} {say(found[high])}"
    suffix = "_exclusive" if outside else ""
    yield Rule(f"{kind}.{low}_{high}{suffix}", f"not ({holds})", demand, (found[low], found[high]))
