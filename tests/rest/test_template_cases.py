"""Path templates against the expectations of google.api.http's other implementations.

Each file's cases are counted as agreeing, deviating (listed below with the reason) or not machine-readable; a listed
deviation that agrees after all, or an unlisted one, fails.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from llm_incident_manager.transport.rest import template
from llm_incident_manager.transport.rest.router import Route, Router
from tests.support import beside

CASES = beside.FOLDER / "cases" / "grpc_http"

DEVIATIONS = {
    "MatchUnregisteredCustomVerb GET /person/jason:other": "the case switches on an option that refuses unknown verbs; "
    "here an unknown verb belongs to the segment, as that implementation does by default",
}
NOT_MACHINE_READABLE = {
    "TestParseSegmentsWithErrors/11": "two literal tokens side by side: no template text yields them",
    "rule/1": "a statement about requests, shown in test_bindings.py",
    "rule/5": "held by annotations, not by templates as such: shown in test_bindings.py",
    "rule/6": "stated for clients; the server's half is shown by path_matcher.json",
    "rule/7": "stated for clients; the server's half is shown by path_matcher.json",
}


def cases(name: str) -> list[dict[str, Any]]:
    beside.needs(CASES)
    found: list[dict[str, Any]] = json.loads((CASES / name).read_text("utf-8"))["cases"]
    return found


def account(results: dict[str, bool]) -> None:
    """Every disagreement is declared, every declaration is needed, and at most one in twenty deviates."""
    deviating = {name for name, agrees in results.items() if not agrees}
    assert deviating == DEVIATIONS.keys() & results.keys()
    assert len(deviating) <= len(results) * 0.05


def refused(text: str) -> bool:
    try:
        template.parse(text)
    except template.TemplateError:
        return True
    return False


def variables(parsed: template.Template) -> list[dict[str, Any]]:
    count = len(parsed.segments)
    return [
        {"field": v.field, "start": v.start, "end": v.end - count - 1 if v.deep else v.end, "multi": v.deep}
        for v in parsed.variables
    ]


def agrees_on_template(case: dict[str, Any]) -> bool:
    if case.get("expect_invalid"):
        return refused(case["template"])
    parsed = template.parse(case["template"])
    return bool(
        list(parsed.segments) == case["segments"]
        and parsed.verb == case.get("verb", parsed.verb)
        and variables(parsed) == case.get("variables", variables(parsed))
    )


def test_templates_parse_as_the_transcoding_library_parses_them() -> None:
    account({case["id"]: agrees_on_template(case) for case in cases("path_templates.json")})


def tokens(parsed: template.Template) -> list[str]:
    """The tokens a template consists of, made from what was parsed."""
    pieces = list(parsed.segments)
    for variable in parsed.variables:
        covered = "/".join(pieces[variable.start : variable.end])
        pieces[variable.start : variable.end] = [f"{{ {variable.field} = {covered} }}"]
    return " / ".join(pieces).split()


def agrees_on_tokens(case: dict[str, Any]) -> bool:
    if "src" in case:
        return bool(tokens(template.parse("/" + case["src"])) == case["expect_tokens"])
    return refused("/" + "".join(case["tokens"][:-1]) if case["tokens"] else "")


def test_templates_consist_of_the_tokens_the_gateway_finds() -> None:
    readable = [case for case in cases("template_tokens_gateway.json") if case["id"] not in NOT_MACHINE_READABLE]
    account({case["id"]: agrees_on_tokens(case) for case in readable})


def router(case: dict[str, Any]) -> Router[str]:
    return Router(Route(t["method"], template.parse(t["path"]), name) for name, t in case["templates"].items())


def agrees_on_lookup(routes: Router[str], lookup: dict[str, Any]) -> bool:
    found = routes.match(lookup["method"], lookup["path"].split("?")[0])
    if found is None or lookup["expect"] is None:
        return found is None and lookup["expect"] is None
    bound = {**found.variables, **dict(parse_qsl(lookup.get("query", "")))}
    expected = lookup.get("bindings", {})
    values = lookup.get("binding_values", list(found.variables.values()))
    return bool(
        found.route.target == lookup["expect"]
        and expected.items() <= bound.items()
        and values == list(found.variables.values())
    )


def lookup_results() -> Iterator[tuple[str, bool]]:
    for case in cases("path_matcher.json"):
        yield from ((text, refused(text)) for text in case.get("invalid_templates", ()))
        routes = router(case) if "templates" in case else None
        for lookup in case.get("lookups", ()):
            assert routes is not None
            yield f"{case['id']} {lookup['method']} {lookup['path']}", agrees_on_lookup(routes, lookup)


def test_the_most_specific_template_wins_and_binds_as_expected() -> None:
    results = dict(lookup_results())
    assert len(results) > 80
    account(results)


def test_every_ascii_character_is_decoded_in_a_single_segment() -> None:
    routes = Router([Route("GET", template.parse("/{x}"), "a")])
    for byte in range(0x80):
        for escape in (f"%{byte:02X}", f"%{byte:02x}"):
            found = routes.match("GET", "/" + escape)
            assert found is not None
            assert found.variables == {"x": chr(byte)}


def test_thousands_of_slashes_match_without_recursion() -> None:
    routes = Router([Route("GET", template.parse("/a/**/x"), "a")])
    assert routes.match("GET", "/a/" + "/" * 64_000 + "/x") is not None
    assert routes.match("GET", "/a/" + "/" * 64_000 + "/y") is None


def same(left: str, right: str) -> bool:
    one, other = template.parse(left), template.parse(right)
    return (one.segments, one.variables) == (other.segments, other.variables)


RULES: dict[str, Callable[[], bool]] = {
    "rule/3": lambda: same("/v1/{var}", "/v1/{var=*}"),
    "rule/4": lambda: refused("/v1/{a={b}}"),
    "rule/9": lambda: template.parse("/{a=**}").bind(["x", "y"]) == {"a": "x/y"},
}


def agrees_on_path_of_example(case: dict[str, Any]) -> bool:
    method = next(iter(case["rule"].keys() - {"body"}))
    routes = Router([Route(method.upper(), template.parse(case["rule"][method]), "")])
    found = routes.match(case["http"]["method"], case["http"]["url"].split("?")[0])
    return found is not None and all(flat(case["expect_request"])[k] == v for k, v in found.variables.items())


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= flat(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {prefix + key: inner}
    return found


def test_the_rules_and_paths_of_the_annotation_s_own_text_hold() -> None:
    readable = [c for c in cases("http_rule_examples.json") if c["id"] not in NOT_MACHINE_READABLE]
    account({c["id"]: agrees_on_path_of_example(c) if "rule" in c else RULES[c["id"]]() for c in readable})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("v1", "expected '/' at position 0"),
        ("/v1/{a", "expected '}' at position 6"),
        ("/v1/{a}/{a}", "expected a field other than 'a', which is bound already"),
        ("/a/**/*", "expected only literals after '\\*\\*'"),
        ("/a:b:c", "expected '/', a verb or the end at position 4"),
    ],
)
def test_a_bad_template_is_quoted_with_what_was_expected_where(text: str, says: str) -> None:
    with pytest.raises(template.TemplateError, match=says):
        template.parse(text)


def test_two_routes_for_the_same_paths_are_refused() -> None:
    routes = [Route("GET", template.parse(text), text) for text in ("/a/{x}", "/a/{y=*}")]
    with pytest.raises(template.TemplateError, match=r"/a/{y=\*} and /a/{x} match the same paths"):
        Router(routes)


def test_an_escape_that_is_not_utf8_names_the_variable() -> None:
    routes = Router([Route("GET", template.parse("/a/{x}"), "a")])
    with pytest.raises(template.UndecodablePath, match="x in the path must be UTF-8"):
        routes.match("GET", "/a/%ff")


def test_an_escaped_slash_survives_in_several_segments_and_is_decoded_in_one() -> None:
    routes = Router([Route("GET", template.parse("/a/{x}/{y=b/*}"), "a")])
    found = routes.match("GET", f"/a/{quote('p/q', safe='')}/b/%2f%20")
    assert found is not None
    assert found.variables == {"x": "p/q", "y": "b/%2f "}


def test_a_path_known_under_other_methods_lists_them() -> None:
    routes = Router([Route(method, template.parse("/a/{x}"), "a") for method in ("PATCH", "GET")])
    assert routes.match("POST", "/a/1") is None
    assert routes.allowed("/a/1") == ["GET", "PATCH"]
    assert routes.allowed("/b") == []


def test_an_empty_segment_is_no_id() -> None:
    routes = Router([Route("GET", template.parse("/a/{x}"), "one"), Route("GET", template.parse("/a"), "all")])
    assert routes.match("GET", "/a/") is None
