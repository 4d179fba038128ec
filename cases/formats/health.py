"""The health service. A running server takes no statuses from outside, so each case gets a gRPC server of its own with
the health service that ours has, and is put to it over a socket.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cases.case import Case, Doors, Unreadable, difference, needed
from llm_incident_manager.transport.rpc.health import Health
from llm_incident_manager.transport.rpc.strangers import Strangers

NAME = "health"

QUIET_SECONDS = 0.15
"""How long nothing must come where nothing is expected."""

ANSWER_SECONDS = 5.0
_STATUS = health_pb2.HealthCheckResponse.ServingStatus
Stub = Any  # its stubs know no asynchronous channel
Watch = Any


def recognises(case: Case) -> bool:
    """A call of the health service."""
    return "call" in case and "service" in case


async def run(case: Case, doors: Doors) -> str:
    """Sets the server up as the case says, calls, and follows its script."""
    call = needed(case, "call", str)
    async with _served(case.get("setup", {})) as (servicer, callers, stub):
        if call == "Check":
            return await _check(stub, case)
        if found := re.fullmatch(r"Watch(?: x(\d+))?", call):
            return await _Watching(servicer, callers, stub, case["service"], int(found[1] or 1)).run(case)
    raise Unreadable(f"it calls {call}, which its file does not explain")


@asynccontextmanager
async def _served(setup: Mapping[str, str]) -> AsyncIterator[tuple[Health, Strangers, Stub]]:
    server, callers = grpc.aio.server(), Strangers()
    servicer = Health(callers)
    server.add_generic_rpc_handlers((servicer.handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    for service, status in setup.items():
        servicer.tell((service,), _STATUS.Value(status))
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield servicer, callers, health_pb2_grpc.HealthStub(channel)
    finally:
        await server.stop(grace=1)


async def _check(stub: Stub, case: Case) -> str:
    expected = case.get("expect_error") or case.get("expect") or case.get("expect_status")
    if not isinstance(expected, str):
        raise Unreadable("it expects neither a status nor an error")
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=case["service"]), timeout=ANSWER_SECONDS)
    except grpc.aio.AioRpcError as error:
        return difference(error.code().name, expected)
    return difference(_STATUS.Name(answer.status), expected)


class _Watching:
    """One or more watchers of a service, and what a script does with them."""

    def __init__(self, servicer: Health, callers: Strangers, stub: Stub, service: str, count: int) -> None:
        """Begins to watch."""
        self._servicer = servicer
        self._callers = callers
        self._service = service
        self._watches: list[Watch] = [stub.Watch(health_pb2.HealthCheckRequest(service=service)) for _ in range(count)]
        self._steps: tuple[tuple[str, Callable[..., Awaitable[str]]], ...] = (
            (r"expect(?: on both| on all)?", self._expect),
            (r"expect nothing", self._expect_nothing),
            (r"set", self._set),
            (r"set (?:other )?service (\S+)", self._set_other),
            (r"cancel", self._cancel),
            (r"(?:enter )?graceful shutdown", self._shut_down),
            (r"server keeps no watcher for the service", self._keeps_none),
        )

    async def run(self, case: Case) -> str:
        """Follows the script, or expects the statuses listed and then no more. The first thing that is wrong."""
        script = case.get("script") or [["expect", status] for status in needed(case, "expect_stream", list)]
        if "then" in case:
            if "client cancels" not in case["then"]:
                raise Unreadable(f"what comes then is not known: {case['then']}")
            script = [*script, ["cancel", ""], ["expect nothing", ""]]
        for verb, argument in script:
            if wrong := await self._step(verb.replace("_", " "), argument):
                return f"at {verb!r}: {wrong}"
        return ""

    async def _step(self, verb: str, argument: str) -> str:
        for pattern, do in self._steps:
            if found := re.fullmatch(pattern, verb):
                return await do(*found.groups(), argument)
        raise Unreadable(f"its file does not explain the step {verb!r}")

    async def _expect(self, status: str) -> str:
        for watch in self._watches:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await watch.read()
            if wrong := difference(_STATUS.Name(answer.status), status):
                return wrong
        return ""

    async def _expect_nothing(self, _: str) -> str:
        for watch in self._watches:
            if watch.cancelled():
                continue
            reading = asyncio.ensure_future(watch.read())
            done, _pending = await asyncio.wait([reading], timeout=QUIET_SECONDS)
            if done:
                return f"got {_STATUS.Name(reading.result().status)}, expected nothing"
            reading.cancel()
        return ""

    async def _set(self, status: str) -> str:
        self._servicer.tell((self._service,), _STATUS.Value(status))
        return ""

    async def _set_other(self, service: str, status: str) -> str:
        self._servicer.tell((service,), _STATUS.Value(status))
        return ""

    async def _cancel(self, _: str) -> str:
        for watch in self._watches:
            watch.cancel()
        return ""

    async def _shut_down(self, _: str) -> str:
        self._servicer.end()
        return ""

    async def _keeps_none(self, _: str) -> str:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while self._callers.count:  # noqa: ASYNC110 - nothing tells when it changes
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return "it keeps one"
        return ""
