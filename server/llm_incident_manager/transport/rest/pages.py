"""The pages beside the contract: health, metrics, and the server's description of itself."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request as Page
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as PageRoute
from starlette.routing import Router as Pages

from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.front import Front
from llm_incident_manager.transport.readiness import Probes
from llm_incident_manager.transport.scrape import Scrape

Answer = Callable[[Page], Awaitable[Response]]
_DESCRIPTION = ("/openapi.json", "/docs", "/docs/docs.css", "/docs/docs.js")
STATE_PATHS = frozenset({"/health/live", "/health/ready", "/health", "/metrics"})
"""The pages of every server."""
PATHS = frozenset({*STATE_PATHS, *_DESCRIPTION})
"""The pages of a server that has methods to describe."""


CALL = "call"
"""Where a request for a page has what is known of its caller."""


class Told(NamedTuple):
    """What the pages tell of the server, and to whom."""

    probes: Probes
    scrape: Scrape
    front: Front


def pages(told: Told) -> Pages:
    """All pages."""

    async def live(_: Page) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(page: Page) -> Response:
        call: Call = page.scope[CALL]
        answer = await told.probes.ask()
        checks = answer.checks if await told.front.tells_all(call) else answer.brief
        status = "ready" if answer.ready else "not ready"
        return JSONResponse({"status": status, "checks": dict(checks)}, 200 if answer.ready else 503)

    async def scrape(page: Page) -> Response:
        found = await told.scrape.page(page.headers.get("accept", ""))
        return Response(found.body, media_type=found.content_type)

    return Pages(
        [
            PageRoute("/health/live", live),
            PageRoute("/health/ready", ready),
            PageRoute("/health", ready),
            PageRoute("/metrics", scrape),
            *(PageRoute(path, _describe) for path in _DESCRIPTION),
        ]
    )


async def _describe(asked: Page) -> Response:
    from llm_incident_manager.transport.rest import openapi, page  # made on first use: most servers are never asked

    name = asked.url.path.rpartition("/")[2]
    if name == "openapi.json":
        return Response(openapi.document_json(), media_type="application/json")
    headers = {"content-security-policy": page.POLICY, "x-content-type-options": "nosniff"}
    if name == "docs":
        return Response(page.whole(), media_type="text/html", headers={**headers, "referrer-policy": "no-referrer"})
    return Response(page.asset(name), media_type=page.ASSETS[name], headers=headers)
