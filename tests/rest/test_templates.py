"""Path templates: what they mean, which one wins, what they bind, and what a bad one is told.

What other implementations expect of them is run by `make cases`.
"""

from urllib.parse import quote

import pytest

from llm_incident_manager.transport.rest import template
from llm_incident_manager.transport.rest.router import Route, Router
from llm_incident_manager.transport.rest.template import Unescape


def found(routes: Router[str], path: str) -> tuple[str, dict[str, str]] | None:
    """The target of a GET and what it binds."""
    match = routes.match("GET", path)
    return (match.route.target, match.variables) if match else None


def router(*templates: str, unescape: Unescape = Unescape.EXCEPT_SLASH, foreign_verbs: bool = False) -> Router[str]:
    """Routes that lead to their templates."""
    routes = [Route("GET", template.parse(text), text) for text in templates]
    return Router(routes, unescape=unescape, foreign_verbs=foreign_verbs)


@pytest.mark.parametrize(
    ("text", "segments", "verb"),
    [
        ("/v1/a=b&c=d;e=f:g/end.rdf", ("v1", "a=b&c=d;e=f:g", "end.rdf"), ""),
        ("/v1/a:b/c:LOCK", ("v1", "a:b", "c"), "LOCK"),
        ("/v1/{a}:b:c", ("v1", "*"), "b:c"),
        ("/v1/{a}:b", ("v1", "*"), "b"),
        ("/v1/x=1", ("v1", "x=1"), ""),
    ],
)
def test_a_colon_begins_a_verb_in_the_last_segment_only(text: str, segments: tuple[str, ...], verb: str) -> None:
    parsed = template.parse(text)
    assert (parsed.segments, parsed.verb) == (segments, verb)


def test_a_verb_is_found_at_whichever_colon_it_begins() -> None:
    routes = router("/{a}:b:c", "/{a}:c", "/{a}")
    assert found(routes, "/x:y:c") == ("/{a}:c", {"a": "x:y"})
    assert found(routes, "/x:b:c") == ("/{a}:b:c", {"a": "x"})
    assert found(routes, "/x:y") == ("/{a}", {"a": "x:y"})


def test_a_foreign_verb_belongs_to_the_segment_unless_the_router_is_told_otherwise() -> None:
    assert found(router("/p/{id}"), "/p/jason:other") == ("/p/{id}", {"id": "jason:other"})
    strict = router("/p/{id}", foreign_verbs=True)
    assert found(strict, "/p/jason:other") is None
    assert found(strict, "/p/jason") == ("/p/{id}", {"id": "jason"})


@pytest.mark.parametrize(
    ("unescape", "bound"),
    [
        (Unescape.EXCEPT_SLASH, "a b/%2F%2f!:"),
        (Unescape.EXCEPT_RESERVED, "a b/%2F%2f%21%3a"),
        (Unescape.ALL, "a b///!:"),
    ],
)
def test_some_escapes_stay_in_a_variable_of_several_segments(unescape: Unescape, bound: str) -> None:
    assert found(router("/{x=**}", unescape=unescape), "/a%20b/%2F%2f%21%3a") == ("/{x=**}", {"x": bound})


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


def test_a_route_for_every_method_yields_to_a_closer_one_and_to_one_that_names_the_method() -> None:
    known = [("*", "/a/{x}"), ("GET", "/a/{x}"), ("GET", "/a/**"), ("*", "/a/b/{x}"), ("*", "/{x}:verb")]
    routes = Router([Route(method, template.parse(text), f"{method} {text}") for method, text in known])
    asked = [("GET", "/a/1"), ("POST", "/a/1"), ("GET", "/a/b/1"), ("GET", "/a/c/1"), ("PUT", "/z:verb")]
    found_ = [routes.match(method, path) for method, path in asked]
    assert [match and match.route.target for match in found_] == [
        "GET /a/{x}", "* /a/{x}", "* /a/b/{x}", "GET /a/**", "* /{x}:verb",
    ]  # fmt: skip


def test_a_path_known_under_other_methods_lists_them() -> None:
    routes = Router([Route(method, template.parse("/a/{x}"), "a") for method in ("PATCH", "GET")])
    assert routes.match("POST", "/a/1") is None
    assert routes.allowed("/a/1") == ["GET", "PATCH"]
    assert routes.allowed("/b") == []


def test_an_empty_segment_is_no_id() -> None:
    routes = Router([Route("GET", template.parse("/a/{x}"), "one"), Route("GET", template.parse("/a"), "all")])
    assert routes.match("GET", "/a/") is None
