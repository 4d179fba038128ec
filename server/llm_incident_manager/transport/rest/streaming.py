"""Server streams over HTTP: NDJSON lines of {"result": …} or {"error": …}, or server-sent events when asked for."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from google.protobuf.message import Message
from incidentmanager.v1 import incident_pb2

from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher, Request
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.rest import answers, jsoncodec

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
FIRST_REPLY_SECONDS = 1.0


async def serve(dispatcher: Dispatcher, call: Call, request: Request, receive: Receive, send: Send) -> None:
    """Streams until the method ends, fails, or the client goes away. A refusal before the first reply is an
    ordinary error answer."""
    answer = _Answer(call, send)
    sending = asyncio.create_task(_send_all(dispatcher, call, request, answer), name="http-stream")
    gone = asyncio.create_task(_gone(receive), name="http-gone")
    try:
        await asyncio.wait({sending, gone}, timeout=FIRST_REPLY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done() and not gone.done():
            await answer.start()
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, gone):
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)
        call.left()


class _Answer:
    """A streamed answer: its headers go out with the first reply, or when the stream has been quiet for a moment."""

    def __init__(self, call: Call, send: Send) -> None:
        self.started = False
        self._call = call
        self._send = send
        self._events = "text/event-stream" in call.metadata.get("accept", "")
        self._show = jsoncodec.codec(call.method.descriptor.output_type)

    async def start(self) -> None:
        """Sends the headers, once."""
        if not self.started:
            self.started = True
            await _start(self._send, "text/event-stream" if self._events else "application/x-ndjson", self._call)

    async def reply(self, reply: Message) -> None:
        """Sends one reply."""
        await self.start()
        text = self._text(reply)
        body = _event(reply, text) if self._events else b'{"result":' + text + b"}\n"
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    def _text(self, reply: Message) -> bytes:
        """Its JSON. A change is told to all who watch; a heartbeat is only ours."""
        shared = isinstance(reply, incident_pb2.IncidentChange) and reply.HasField("incident")
        return self._show.dumps_shared(reply) if shared else self._show.dumps(reply)

    async def fail(self, error: StatusError) -> None:
        """Ends with an error: an ordinary answer when nothing was sent yet."""
        if not self.started:
            await answers.refuse(self._send, error, self._call)
            return
        status = answers.status_json(error.status)
        line = b"event: error\ndata: " + orjson.dumps(status) + b"\n\n" if self._events else _line({"error": status})
        await self._send({"type": "http.response.body", "body": line, "more_body": False})

    async def end(self) -> None:
        """Ends well."""
        await self.start()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_all(dispatcher: Dispatcher, call: Call, request: Request, answer: _Answer) -> None:
    try:
        await dispatcher.server_stream(call, request, answer.reply)
    except StatusError as error:
        await answer.fail(error)
    else:
        await answer.end()


def _event(reply: Message, data: bytes) -> bytes:
    token = getattr(reply, "resume_token", "")
    return (b"id: " + token.encode() + b"\n" if token else b"") + b"data: " + data + b"\n\n"


def _line(value: object) -> bytes:
    return orjson.dumps(value) + b"\n"


async def _start(send: Send, content_type: str, call: Call) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"cache-control", b"no-store"),
        *answers.of_call(call),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
