"""Writes that are answered alike when their request id comes back."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport.call import Call
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.unit import Done, Once, Units

M = TypeVar("M", bound=Message)


async def write(
    units: Units,
    call: Call,
    request: Any,
    reply: type[M],
    work: Callable[[Transaction, Changes], Awaitable[M]],
) -> M:
    """Runs `work` in a unit of work under the request's `request_id`; its reply is what a repeat will get."""
    return (await done(units, call, request, reply, work)).answer


async def done(
    units: Units,
    call: Call,
    request: Any,
    reply: type[M],
    work: Callable[[Transaction, Changes], Awaitable[M]],
    *,
    keep: Callable[[M], bytes] | None = None,
    caller: Caller | None = None,
) -> Done[M]:
    """The same, and whether it was such a repeat. `keep` says what is kept of an answer, all of it when None; `caller`
    as whom it is done, if not as who calls."""
    once = Once(request.request_id, digest(call, request), keep or encode, reply.FromString)
    return await units.run(caller or call.caller, once, work)


def digest(call: Call, request: Any) -> bytes:
    """Of method and whole request, its id included: only digests under one id are ever compared."""
    if not request.request_id:
        return b""
    body = request.SerializeToString(deterministic=True)
    return hashlib.sha256(call.method.full_name.encode() + b"\0" + body).digest()


def encode(message: Message) -> bytes:
    """How an answer is kept."""
    return message.SerializeToString()
