"""/docs: the OpenAPI document as one page for people, made by the server and without anything from elsewhere.

The page is whole without its script, which adds a filter and a form that tries an operation out.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib import resources
from typing import Any

from llm_incident_manager.transport.rest.jsoncodec import text
from llm_incident_manager.transport.rest.openapi import document_json
from llm_incident_manager.transport.rest.page import operations, schemas
from llm_incident_manager.transport.rest.page.words import identifier, prose

Json = Mapping[str, Any]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing from elsewhere, no inline script, no frame around it."""
ASSETS: Mapping[str, str] = {"docs.css": "text/css", "docs.js": "text/javascript"}
"""What the page loads from beside it, with media types."""


@functools.cache
def whole() -> bytes:
    """The page of this server."""
    return page(text.loads(document_json())).encode()


@functools.cache
def asset(name: str) -> bytes:
    """A file that the page loads."""
    return resources.files(__package__).joinpath(name).read_bytes()


def page(document: Any) -> str:
    """The page of an OpenAPI document. Everything in it is escaped."""
    return "".join(_page(document))


def _page(document: Json) -> Iterator[str]:
    info = document["info"]
    groups = operations.groups(document)
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(info['title'])} · API</title>"
    yield '<link rel="stylesheet" href="docs/docs.css"><script src="docs/docs.js" defer></script></head><body>'
    yield f"<header><h1>{escape(info['title'])}</h1><p>API {escape(info['version'])} · "
    yield '<a href="openapi.json">openapi.json</a></p></header>'
    yield from _menu(groups, document["components"]["schemas"])
    yield f"<main><section>{prose(info['description'])}</section>"
    for tag in document["tags"]:
        name = tag["name"]
        yield f'<section id="{identifier("tag", name)}"><h2>{escape(name)}</h2>{prose(tag["description"])}'
        for group in groups[name]:
            yield from operations.article(group, document["components"])
        yield "</section>"
    yield '<section id="schemas"><h2>Schemas</h2>'
    for title, schema in document["components"]["schemas"].items():
        yield from schemas.article(title, schema)
    yield "</section></main></body></html>"


def _menu(groups: Mapping[str, Iterable[operations.Group]], named: Json) -> Iterator[str]:
    yield '<nav><input id="filter" type="search" placeholder="Filter" aria-label="Filter">'
    for tag, found in groups.items():
        yield f'<h2><a href="#{identifier("tag", tag)}">{escape(tag)}</a></h2><ul>'
        for group in found:
            verb, path = group[0].verb, group[0].path
            yield f'<li><a href="#{escape(group[0].id)}"><b class="{verb}">{verb}</b> {escape(path)}</a></li>'
        yield "</ul>"
    yield '<h2><a href="#schemas">Schemas</a></h2><ul>'
    for name in named:
        yield f'<li><a href="#{identifier("schema", name)}">{escape(name)}</a></li>'
    yield "</ul></nav>"
