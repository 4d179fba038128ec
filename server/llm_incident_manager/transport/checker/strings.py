"""Rules of strings and bytes, one line an option. Decides nothing about presence: that is plan.py's."""

import re
from collections.abc import Iterator, Mapping

from buf.validate import validate_pb2 as validate

from llm_incident_manager.transport.checker.pattern import compile_pattern
from llm_incident_manager.transport.checker.rules import FieldValue, Rule, membership, quote, set_options

_STRING: Mapping[str, tuple[str, str]] = {
    "const": ("{v} != {g}", "be {g}"),
    "len": ("len({v}) != {g}", "have exactly {g} characters"),
    "min_len": ("len({v}) < {g}", "have at least {g} characters"),
    "max_len": ("len({v}) > {g}", "have at most {g} characters"),
    "len_bytes": ("len({v}.encode()) != {g}", "have exactly {g} bytes in UTF-8"),
    "min_bytes": ("len({v}.encode()) < {g}", "have at least {g} bytes in UTF-8"),
    "max_bytes": ("len({v}.encode()) > {g}", "have at most {g} bytes in UTF-8"),
    "prefix": ("not {v}.startswith({g})", "begin with {g}"),
    "suffix": ("not {v}.endswith({g})", "end with {g}"),
    "contains": ("{g} not in {v}", "contain {g}"),
    "not_contains": ("{g} in {v}", "not contain {g}"),
}
_BYTES: Mapping[str, tuple[str, str]] = {
    "const": ("{v} != {g}", "be {g}"),
    "len": ("len({v}) != {g}", "have exactly {g} bytes"),
    "min_len": ("len({v}) < {g}", "have at least {g} bytes"),
    "max_len": ("len({v}) > {g}", "have at most {g} bytes"),
    "prefix": ("not {v}.startswith({g})", "begin with {g}"),
    "suffix": ("not {v}.endswith({g})", "end with {g}"),
    "contains": ("{g} not in {v}", "contain {g}"),
}
# The formats that are plain regular expressions: (expression, what people call it).
_FORMATS: Mapping[str, tuple[str, str]] = {
    "uuid": (r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", "a UUID"),
    "tuuid": (r"[0-9a-fA-F]{32}", "a UUID without hyphens"),
    "ulid": (r"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}", "a ULID"),
}
_MEMBERSHIP = ("in", "not_in")


def string_rules(options: validate.StringRules, where: str) -> tuple[Rule, ...]:
    """The rules of a string; `where` names the field in errors. Raises UncheckableRule."""
    found = set_options(options, where, _STRING.keys() | _FORMATS.keys() | {"pattern", *_MEMBERSHIP})
    rules: list[Rule] = []
    for option, given in found.items():
        if option == "pattern":
            search = compile_pattern(given, where).search
            rules.append(Rule("string.pattern", "not {g}({v})", f"match {given}", search))
        elif option in _FORMATS:
            rules.extend(_format_rules(option) if given else ())
        else:
            rules.append(_plain("string", _STRING, option, given))
    return tuple(rules)


def bytes_rules(options: validate.BytesRules, where: str) -> tuple[Rule, ...]:
    """The rules of a bytes field. Raises UncheckableRule."""
    found = set_options(options, where, _BYTES.keys() | set(_MEMBERSHIP))
    return tuple(_plain("bytes", _BYTES, option, given) for option, given in found.items())


def _plain(kind: str, table: Mapping[str, tuple[str, str]], option: str, given: FieldValue) -> Rule:
    if option in _MEMBERSHIP:
        return membership(kind, option, given)
    if option == "min_len" and given == 1:  # the commonest rule, in its cheapest form
        return Rule(f"{kind}.min_len", "not {v}", "not be empty", 1)
    broken, demand = table[option]
    return Rule(f"{kind}.{option}", broken, demand.format(g=quote(given)), given)


def _format_rules(option: str) -> Iterator[Rule]:
    expression, called = _FORMATS[option]
    match = re.compile(expression).fullmatch
    yield Rule(f"string.{option}", "{v} and not {g}({v})", f"be {called}", match)
    yield Rule(f"string.{option}_empty", "not {v}", f"be {called}", None)
