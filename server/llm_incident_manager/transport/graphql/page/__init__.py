"""The page to try GraphQL on: an editor, variables, answers, subscriptions and the schema; nothing of it is from
elsewhere, and it works without a network behind the server."""

import functools
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from html import escape
from importlib import resources
from typing import Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing from elsewhere, no inline script, no frame around it."""
ASSETS: Mapping[str, str] = {"ide.css": "text/css", "ide.js": "text/javascript"}
"""What the page loads from below it, with media types."""
_EXAMPLE = """query {
  incidents(first: 10, filter: {open: true}) {
    edges { node { number title severity state createTime } }
    pageInfo { hasNextPage endCursor }
  }
  metrics { total { count openCount } }
}
"""


async def serve(scope: Mapping[str, Any], send: Send, path: str) -> bool:
    """Answers a browser that asks for the page or one of its files; False for whatever else was asked."""
    asked: str = scope["path"]
    name = asked.removeprefix(f"{path}/")
    if asked == path and _wants_html(scope):
        body, kind = whole(path), "text/html; charset=utf-8"
    elif name in ASSETS:
        body, kind = asset(name), ASSETS[name]
    else:
        return False
    headers = {
        "content-type": kind,
        "content-length": str(len(body)),
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    listed = [(key.encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": listed})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
    return True


def _wants_html(scope: Mapping[str, Any]) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


@functools.cache
def whole(path: str) -> bytes:
    """The page, whose requests go to this path."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>LLM Incident Manager · GraphQL</title>
<link rel="stylesheet" href="{escape(path)}/ide.css"><script src="{escape(path)}/ide.js" defer></script></head>
<body data-path="{escape(path)}"><header><h1>GraphQL</h1>
<label>API key <input id="key" type="password" autocomplete="off"></label>
<label>or bearer token <input id="token" type="password" autocomplete="off"></label>
<button id="run" type="button" title="Ctrl+Enter">Run</button><button id="stop" type="button" hidden>Stop</button>
<a href="/docs">REST</a></header>
<main><section><h2><label for="query">Operation</label></h2>
<textarea id="query" spellcheck="false" rows="18">{escape(_EXAMPLE)}</textarea>
<h2><label for="variables">Variables</label></h2>
<textarea id="variables" spellcheck="false" rows="4">{{}}</textarea></section>
<section><h2>Answer</h2><pre id="answer" aria-live="polite"></pre></section></main>
<aside><h2>Schema</h2><input id="find" type="search" placeholder="Find a type or field" aria-label="Find">
<div id="schema"></div></aside></body></html>
""".encode()


@functools.cache
def asset(name: str) -> bytes:
    """A file that the page loads."""
    return resources.files(__package__).joinpath(name).read_bytes()
