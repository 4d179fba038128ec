"""The page to try GraphQL on is whole, needs nothing from elsewhere, and can be switched off."""

import asyncio
import re
import shutil
import subprocess
from typing import Any

import aiohttp
import pytest

from llm_incident_manager.config import Settings
from llm_incident_manager.transport.graphql import door, page
from tests.support.html import Reader
from tests.support.http import whole
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def test_a_browser_gets_a_page_that_loads_nothing_from_elsewhere(server: RunningServer) -> None:
    async with aiohttp.ClientSession(server.http) as http:
        async with http.get("/graphql", headers=BROWSER) as answer:
            text, headers = await answer.text(), answer.headers
        assert (answer.status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert headers["Content-Security-Policy"] == page.POLICY
        assert "unsafe" not in page.POLICY
        reader = Reader(text)
        assert reader.loads == {"/graphql/ide.css", "/graphql/ide.js"}
        assert (reader.inline, reader.links) == ([], {"/docs"})
        for path in reader.loads:
            async with http.get(path) as asset:
                loaded = await asset.text()
            assert (asset.status, asset.headers["X-Content-Type-Options"]) == (200, "nosniff")
            assert not re.search(r"https?://|//cdn|innerHTML|eval\(", loaded)
            wanted = set(re.findall(r'\bat\("([a-z]+)"\)', loaded))
            assert wanted <= set(reader.ids), path
        async with http.head("/graphql", headers=BROWSER) as head:
            assert (head.status, await head.read()) == (200, b"")


async def test_whoever_wants_no_page_is_told_to_post(server: RunningServer) -> None:
    answer = await whole(aiohttp.request("GET", f"{server.http}/graphql"))
    assert answer.status == 405
    assert "POST an operation to /graphql" in answer.text


async def test_its_script_is_a_script() -> None:
    node = shutil.which("node")
    checked = [node, "--check", "-"] if node else None
    script = page.asset("ide.js")
    assert script.count(b"{") == script.count(b"}")
    if checked:
        done = await asyncio.to_thread(subprocess.run, checked, input=script, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


async def test_page_and_door_can_be_switched_off_and_moved() -> None:
    env = {"LLM_IM__GRAPHQL__IDE": "false", "LLM_IM__GRAPHQL__PATH": "/api/graphql"}
    async with running_server(env=env) as server:
        moved = await whole(aiohttp.request("POST", f"{server.http}/api/graphql", json={"query": "{ version }"}))
        assert (moved.status, list(moved.json)) == (200, ["data"])
        assert (await whole(aiohttp.request("GET", f"{server.http}/api/graphql", headers=BROWSER))).status == 405
        assert (await whole(aiohttp.request("GET", f"{server.http}/api/graphql/ide.js"))).status == 404
        assert (
            await whole(aiohttp.request("POST", f"{server.http}/graphql", json={"query": "{ version }"}))
        ).status == 404
        await server.terminate()


async def test_switched_off_nothing_answers() -> None:
    nothing: Any = None
    off = door.applications(Settings.model_validate({"graphql": {"enabled": False}}), nothing, nothing)
    assert (off.requests, off.sockets) == ({}, {})


async def test_a_path_that_is_none_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match=r"graphql\.path"):
        async with running_server(env={"LLM_IM__GRAPHQL__PATH": "graphql/"}):
            pass
