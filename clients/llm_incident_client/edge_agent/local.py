"""The agent's own address, for programs and people on its machine: events in, directives and health out. HTTP/1.1.

POST /v1/events       one event or a list, as JSON; answered when they are on the disk
GET  /v1/directives   the directives that hold
GET  /status          everything
GET  /health/live     200 while the process can do its work
GET  /health/ready    200 while events are taken: also while the manager is away
GET  /metrics         for Prometheus
"""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Self

from google.protobuf import json_format

from llm_incident_client import pb
from llm_incident_client.edge_agent.agent import EdgeAgent
from llm_incident_client.edge_agent.spool import SpoolBroken, SpoolFull

_MOST_BODY = 8 * 1024 * 1024
_MOST_CONNECTIONS = 64
_PATIENCE = 30.0
_JSON = "application/json"


class _Refused(Exception):
    """The request is answered with a status and a sentence."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class LocalDoor:
    """Serves until its block ends. Has no authentication: its address should be a loopback one."""

    def __init__(self, agent: EdgeAgent, host: str, port: int) -> None:
        """`port` 0 takes a free one."""
        self._agent = agent
        self._host, self._asked_port = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Begins to listen. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accept, self._host, self._asked_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends what is not answered yet."""
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) <= _MOST_CONNECTIONS:
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                    while await self._one_request(reader, writer):
                        pass
        except asyncio.CancelledError:
            return  # the door closes; nobody awaits this task but the door
        finally:
            self._connections.discard(task)
            writer.close()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether another may follow on the connection."""
        async with asyncio.timeout(_PATIENCE):
            line = await reader.readline()
            if not line:
                return False
            method, path, _ = line.decode("latin-1").split(" ", 2)
            headers: dict[str, str] = {}
            try:
                await _read_headers(reader, headers)
                body = await _body(reader, headers)
                status, kind, text = await self._answer(method, path.partition("?")[0], body)
            except _Refused as refusal:
                status, kind, text = refusal.status, _JSON, json.dumps({"error": str(refusal)})
            # After these the rest of the request is still on its way.
            cut = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE}
            alive = headers.get("connection", "").lower() != "close" and status not in cut
            data = text.encode()
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
            end = "" if alive else "Connection: close\r\n"
            writer.write(f"{head}{end}\r\n".encode() + data)
            await writer.drain()
        return alive

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[HTTPStatus, str, str]:
        match method, path:
            case "POST", "/v1/events":
                return HTTPStatus.ACCEPTED, _JSON, json.dumps({"accepted": await self._take(body)})
            case "GET", "/v1/directives":
                return HTTPStatus.OK, _JSON, json.dumps({"directives": self._agent.status().directives})
            case "GET", "/status":
                return HTTPStatus.OK, _JSON, json.dumps(self._agent.status().as_json())
            case "GET", "/health/live" | "/health/ready":
                failed = self._agent.failed is None or self._agent.failed.done()
                status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
                return status, _JSON, json.dumps({"connected": self._agent.status().connected})
            case "GET", "/metrics":
                return HTTPStatus.OK, "text/plain; version=0.0.4", self._metrics()
        raise _Refused(HTTPStatus.NOT_FOUND, f"there is no {method} {path}")

    async def _take(self, body: bytes) -> int:
        events = _events(body)
        kept = await asyncio.gather(*(self._agent.report_nowait(event) for event in events), return_exceptions=True)
        for error in kept:
            if isinstance(error, SpoolFull):
                accepted = sum(one is None for one in kept)
                raise _Refused(HTTPStatus.INSUFFICIENT_STORAGE, f"{accepted} of {len(events)} were accepted: {error}")
            if isinstance(error, SpoolBroken):
                raise _Refused(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
            if error is not None:
                raise error
        return len(events)

    def _metrics(self) -> str:
        status = self._agent.status()
        lines = [f"llm_edge_agent_connected {int(status.connected)}"]
        lines += [f"llm_edge_agent_{name} {number}" for name, number in sorted(status.counters().items())]
        lines += [f"llm_edge_agent_directives {len(status.directives)}"]
        return "\n".join((*lines, ""))


async def _read_headers(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    while (line := await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
        if len(headers) > 100:
            raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "more than 100 headers")


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    size = headers.get("content-length", "0")
    if not size.isdecimal() or "transfer-encoding" in headers:
        raise _Refused(HTTPStatus.LENGTH_REQUIRED, "give Content-Length")
    if int(size) > _MOST_BODY:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has {size} bytes, the most is {_MOST_BODY}")
    return await reader.readexactly(int(size))


def _events(body: bytes) -> Sequence[pb.Event]:
    """All of them, or none. Raises _Refused."""
    try:
        given: Any = json.loads(body)
        items = given if isinstance(given, list) else [given]
        if not all(isinstance(item, dict) for item in items):
            raise ValueError("an event is an object")  # noqa: TRY301  # answered like all else that is wrong
        events = [json_format.ParseDict(item, pb.Event()) for item in items]
    except (ValueError, json_format.ParseError) as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, f"no event, or list of events, as JSON: {error}") from error
    for place, event in enumerate(events):
        if not event.source:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"event {place} has no source")
    return events
