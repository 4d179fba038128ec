"""Server streams over HTTP: NDJSON lines of {"result": …} or {"error": …}, or server-sent events when asked for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any

import orjson
from google.protobuf.message import Message

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
    events = "text/event-stream" in call.metadata.get("accept", "")
    async with aclosing(dispatcher.server_stream(call, request)) as replies:
        try:
            first = await _first(replies)
        except StatusError as error:
            await answers.refuse(send, error, call.request_id)
            return
        await _start(send, "text/event-stream" if events else "application/x-ndjson", call.request_id)
        sending = asyncio.create_task(_send_all(first, replies, call, events, send), name="http-stream")
        gone = asyncio.create_task(_gone(receive), name="http-gone")
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)


async def _first(replies: AsyncIterator[Message]) -> asyncio.Task[Message]:
    """Starts reading. Gives a refusal the time to come as an ordinary error answer, and a quiet stream its headers."""
    reading = asyncio.ensure_future(anext(replies))
    await asyncio.wait({reading}, timeout=FIRST_REPLY_SECONDS)
    if reading.done() and (error := reading.exception()) is not None and not isinstance(error, StopAsyncIteration):
        raise error
    return reading


async def _send_all(
    first: asyncio.Task[Message], replies: AsyncIterator[Message], call: Call, events: bool, send: Send
) -> None:
    show = jsoncodec.codec(call.method.descriptor.output_type)
    try:
        try:
            await _send_one(send, show, await first, events)
        except StopAsyncIteration:
            return await _end(send)
        async for reply in replies:
            await _send_one(send, show, reply, events)
    except StatusError as error:
        status = answers.status_json(error.status)
        line = b"event: error\ndata: " + orjson.dumps(status) + b"\n\n" if events else _line({"error": status})
        await send({"type": "http.response.body", "body": line, "more_body": True})
    return await _end(send)


async def _send_one(send: Send, show: jsoncodec.Codec, reply: Message, events: bool) -> None:
    body = _event(reply, show.dumps(reply)) if events else _line({"result": show.encode(reply)})
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _event(reply: Message, data: bytes) -> bytes:
    token = getattr(reply, "resume_token", "")
    return (b"id: " + token.encode() + b"\n" if token else b"") + b"data: " + data + b"\n\n"


def _line(value: object) -> bytes:
    return orjson.dumps(value) + b"\n"


async def _start(send: Send, content_type: str, request_id: str) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", request_id.encode("latin-1")),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
