"""The page at /docs is whole, escapes what it shows, and needs nothing from elsewhere."""

import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from llm_incident_manager.transport.rest import openapi, page
from tests.support.html import Reader
from tests.support.server import RunningServer, running_server

DOCUMENT = json.loads(openapi.document_json())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    async with running_server() as started:
        yield started


def test_every_operation_and_every_schema_has_its_place() -> None:
    read = Reader(page.whole().decode())
    operations = {said["operationId"] for verbs in DOCUMENT["paths"].values() for said in verbs.values()}
    assert operations <= set(read.ids)
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    assert [path for path in DOCUMENT["paths"] if path not in read.shown] == []


def test_no_link_of_the_page_is_dead_and_nothing_comes_from_elsewhere() -> None:
    read = Reader(page.whole().decode())
    assert {link for link in read.links if not link.startswith("#")} == {"openapi.json"}
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    assert read.loads == {"docs/docs.css", "docs/docs.js"}
    assert read.inline == []
    assert [name for name in page.ASSETS if re.search(rb"https?://|//[a-z]+\.[a-z]|@import", page.asset(name))] == []


def test_examples_are_on_the_page() -> None:
    read = Reader(page.whole().decode())
    samples = [
        s["source"] for v in DOCUMENT["paths"].values() for said in v.values() for s in said.get("x-codeSamples", ())
    ]
    assert samples
    assert [sample for sample in samples if sample not in read.shown] == []


def test_texts_are_escaped() -> None:
    evil = "<script>alert(1)</script> `<b>`\n- not a list\n\n- <i>a list</i>\n- \"x\" 'y'"
    operation = {"operationId": "A_b", "tags": [evil], "summary": evil, "description": evil, "parameters": []}
    sample = {"label": evil, "source": evil}
    document = {
        "info": {"title": evil, "version": evil, "description": evil},
        "tags": [{"name": evil, "description": evil}],
        "paths": {f"/{evil}": {"get": operation | {"responses": {}, "x-codeSamples": [sample]}}},
        "components": {"schemas": {evil: {"type": evil, "description": evil}}, "responses": {}},
    }
    read = Reader(page.page(document))
    assert "alert(1)" in read.shown
    assert read.inline == []


@pytest.mark.asyncio(loop_scope="module")
async def test_the_page_is_served_with_a_strict_policy(server: RunningServer) -> None:
    async with aiohttp.ClientSession(server.http) as http:
        async with http.get("/docs") as reply:
            assert (reply.status, reply.content_type) == (200, "text/html")
            policy = dict(
                part.strip().partition(" ")[::2] for part in reply.headers["content-security-policy"].split(";")
            )
            assert await reply.read() == page.whole()
        assert policy["default-src"] == "'none'"
        assert {policy[kind] for kind in ("script-src", "style-src", "connect-src")} == {"'self'"}
        assert {policy[kind] for kind in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
        for name, kind in page.ASSETS.items():
            async with http.get(f"/docs/{name}") as reply:
                assert (reply.status, reply.content_type) == (200, kind)
                assert reply.headers["x-content-type-options"] == "nosniff"
                assert await reply.read() == page.asset(name)
        async with http.get("/docs/secret.txt") as reply:
            assert reply.status == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_path_that_takes_another_verb_says_which(server: RunningServer) -> None:
    async with aiohttp.request("DELETE", f"{server.http}/api/v1/incidents") as reply:
        assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")
    async with aiohttp.request("POST", f"{server.http}/docs") as reply:
        assert reply.status == 405
