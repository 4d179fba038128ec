"""Which of several templates takes a path, and what it binds. No running server takes routes from outside, so the doors
are the transcoder's `Router` and its `query.parse`, with the switches of the library that the cases come from.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cases.case import Case, Doors, Unreadable, needed
from llm_incident_manager.transport.rest import query, template
from llm_incident_manager.transport.rest.router import Route, Router
from llm_incident_manager.transport.rest.template import Unescape

NAME = "path_matcher"

# What the library does unless told otherwise, and what its switches are called.
_UNESCAPES = {
    None: Unescape.EXCEPT_RESERVED,
    "kAllCharactersExceptReserved": Unescape.EXCEPT_RESERVED,
    "kAllCharactersExceptSlash": Unescape.EXCEPT_SLASH,
    "kAllCharacters": Unescape.ALL,
}
_SWITCHES = frozenset(
    {
        "url_unescape",
        "match_unregistered_custom_verb",
        "query_param_unescape_plus",
        "system_params",
        "fail_registration_on_duplicate",
    }
)
_EVERY_BYTE = re.compile(r"for every byte 0x([0-9a-f]+)-0x([0-9a-f]+), .*binds (\w+) to that character")
_MANY_SLASHES = re.compile(
    r"GET (\S+) \+ (\d+) slashes \+ (\S+) matches (\w+); the same ending in (\S+) matches nothing"
)


def recognises(case: Case) -> bool:
    """Templates by name with lookups or a rule, or templates that are invalid."""
    return "invalid_templates" in case or ("templates" in case and ("lookups" in case or "rule" in case))


async def run(case: Case, doors: Doors) -> str:
    """Looks everything up; all that differs, in a sentence each."""
    if "invalid_templates" not in case and "templates" not in case:
        raise Unreadable("it has neither templates nor invalid ones")
    wrong = [f"{text!r} was taken" for text in case.get("invalid_templates", ()) if not _is_invalid(text)]
    if "templates" in case:
        routes = _router(case)
        for lookup in case.get("lookups", ()):
            wrong.extend(_differs(routes, lookup, case.get("options", {})))
        if "rule" in case:
            wrong.extend(_breaks(routes, case["rule"]))
    return "; ".join(wrong)


def _is_invalid(text: str) -> bool:
    try:
        template.parse(text)
    except template.TemplateError:
        return True
    return False


def _router(case: Case) -> Router[str] | None:
    """The routes; None when they are refused because two of them are alike, so that every lookup fails."""
    options = case.get("options", {})
    if unknown := set(options) - _SWITCHES:
        raise Unreadable(f"it sets {', '.join(sorted(unknown))}, and its file does not say what that does")
    templates: Mapping[str, Mapping[str, str]] = needed(case, "templates", dict)
    routes = [Route(each["method"], template.parse(each["path"]), name) for name, each in templates.items()]
    try:
        return Router(
            routes,
            unescape=_UNESCAPES[options.get("url_unescape")],
            foreign_verbs=bool(options.get("match_unregistered_custom_verb")),
        )
    except template.TemplateError:
        return None


def _differs(routes: Router[str] | None, lookup: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[str]:
    path, _, parameters = lookup["path"].partition("?")
    found = routes.match(lookup["method"], path) if routes else None
    asked = f"{lookup['method']} {lookup['path'][:80]}"
    target = found.route.target if found else None
    if target != lookup["expect"]:
        yield f"{asked} led to {target}, expected {lookup['expect']}"
    elif found:
        tree = query.parse(lookup.get("query", parameters), ignored=options.get("system_params", ()))
        given = {name: texts[0] if len(texts) == 1 else texts for name, texts in _leaves(tree)}
        bound: dict[str, Any] = {**found.variables, **given}
        if "bindings" in lookup and bound != lookup["bindings"]:
            yield f"{asked} bound {bound}, expected {lookup['bindings']}"
        if "binding_values" in lookup and list(bound.values()) != lookup["binding_values"]:
            yield f"{asked} bound {list(bound.values())}, expected {lookup['binding_values']}"


def _leaves(tree: query.Tree, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            assert isinstance(value, list)
            yield prefix + name, value


def _breaks(routes: Router[str] | None, rule: str) -> Iterator[str]:
    """What contradicts a rule stated in words."""
    if every := _EVERY_BYTE.fullmatch(rule):
        for byte in range(int(every[1], 16), int(every[2], 16) + 1):
            for escape in (f"%{byte:02X}", f"%{byte:02x}"):
                found = routes.match("GET", f"/{escape}") if routes else None
                if not found or found.variables != {every[3]: chr(byte)}:
                    yield f"/{escape} bound {found and found.variables}"
    elif many := _MANY_SLASHES.fullmatch(rule):
        start = many[1] + "/" * int(many[2])
        found = routes.match("GET", start + many[3]) if routes else None
        if not found or found.route.target != many[4] or (routes and routes.match("GET", start + many[5])):
            yield rule
    else:
        raise Unreadable(f"a rule in words that nobody has made a program of: {rule}")
