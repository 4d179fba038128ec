"""Calls between clients and servers: requests and replies take their time, get lost, or arrive twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from google.protobuf.message import Message

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.methods import Method
from simulation.loop import LANE
from simulation.server import Server
from simulation.world import World

PATIENCE = 5.0
"""Seconds that a client waits for an answer."""

RETRIED = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "CANCELLED"})
"""Codes after which a client may ask again. All others but these and a defect are answers."""

DEFECTS = frozenset({"INTERNAL", "UNKNOWN"})


class Unanswered(Exception):
    """Nobody knows what became of the call."""


class Refused(Exception):
    """The server has answered: no."""

    def __init__(self, error: StatusError) -> None:
        """The code's name, and whether asking again may help."""
        # When to come back is drawn by the product, and must not show in the trace.
        super().__init__(error.code if error.code in RETRIED else f"{error.code}: {error.status.message}")
        self.code = error.code


@cache
def _methods() -> Mapping[str, Method]:
    return {method.name: method for method in methods.all_methods()}


class Network:
    """Knows which servers are up."""

    def __init__(self, world: World) -> None:
        """Nobody is up yet."""
        self.world = world
        self.servers: list[Server] = []
        self._calls = 0

    def call(self, name: str) -> Call:
        """A call of a method, with a name of its own."""
        self._calls += 1
        return Call(_methods()[name], "simulation", {"x-request-id": f"call-{self._calls}"}, "client")

    def server(self) -> Server:
        """Whichever the load balancer gives. Raises Unanswered when nobody is up."""
        serving = [server for server in self.servers if server.serves]
        if not serving:
            raise Unanswered("nobody is up")
        return self.world.chance.choice(serving)

    async def unary(self, name: str, request: Message) -> Any:
        """The reply. Raises Unanswered, Refused."""
        world, chance = self.world, self.world.chance
        await asyncio.sleep(chance.latency("network.slow", 0.001))
        server = self.server()
        world.trace(f"asks {server.name} {name}")
        if chance.happens("network.request"):
            await asyncio.sleep(PATIENCE)
            raise Unanswered("network.request")
        reply: asyncio.Future[Any] = world.loop.create_future()
        tasks = [self._handle(server, name, request, reply) for _ in range(1 + chance.happens("network.twice"))]
        patience = chance.between(0, 0.02) if chance.happens("client.gone") else PATIENCE
        try:
            async with asyncio.timeout(patience):
                return await reply
        except TimeoutError:
            for task in tasks:
                world.loop.call_soon(task.cancel, context=server.lane.context)
            raise Unanswered("too late") from None

    def _handle(
        self, server: Server, name: str, request: Message, reply: "asyncio.Future[Any]"
    ) -> "asyncio.Task[None]":
        call = self.call(name)

        async def given() -> Message:
            return request

        async def work() -> None:
            try:
                answer: Any = await server.dispatcher.unary(call, given)
            except StatusError as error:
                answer = self._refused(error, name)
            if self.world.chance.happens("network.reply"):
                return
            await asyncio.sleep(self.world.chance.latency("network.slow", 0.001))
            _settle(reply, answer)

        task = server.lane.spawn(work(), name)
        task.add_done_callback(lambda ended: self._gone(server, reply, ended))
        return task

    def _gone(self, server: Server, reply: "asyncio.Future[Any]", ended: "asyncio.Task[None]") -> None:
        if ended.cancelled():
            if server.dead:
                _settle(reply, Unanswered("the server is gone"))
        elif (error := ended.exception()) is not None:
            self.world.found("no defects", f"{ended.get_name()} ended with {error!r}")
            _settle(reply, Unanswered("defect"))

    def _refused(self, error: StatusError, name: str) -> Refused:
        if error.code in DEFECTS:
            self.world.found("no defects", f"{name} answered {error.status.message}, because of {error.__cause__!r}")
        return Refused(error)

    def connect(self, name: str) -> "Connection":
        """A stream to some server. Raises Unanswered."""
        return Connection(self, self.server(), name)


class Connection:
    """A bidirectional stream. Messages arrive in order, each after a while."""

    def __init__(self, network: Network, server: Server, name: str) -> None:
        """Opens it at once."""
        self._network = network
        self._world = network.world
        self.server = server
        self._up: asyncio.Queue[Message | None] = asyncio.Queue()
        self._down: asyncio.Queue[Any] = asyncio.Queue()
        self._arrives = [0.0, 0.0]
        self._home = LANE.get()
        self._task = server.lane.spawn(self._serve(network.call(name)), name)
        self._task.add_done_callback(self._over)

    def send(self, message: Message | None) -> None:
        """Sends a message; None says that no more will follow."""
        self._carry(0, self.server.lane.context, self._up.put_nowait, message)

    async def receive(self, patience: float) -> Any:
        """The next reply. Raises Unanswered, Refused."""
        try:
            async with asyncio.timeout(patience):
                answer = await self._down.get()
        except TimeoutError:
            raise Unanswered("too late") from None
        if answer is None:
            raise Unanswered("the stream has ended")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def drop(self) -> None:
        """Goes away. The server learns of it some time later, and handles what has arrived until then."""
        later = self._world.chance.latency("network.slow", 0.01)
        self._world.loop.call_later(later, self._task.cancel, context=self.server.lane.context)

    def _carry(self, way: int, context: Any, put: Callable[[Any], None], message: Any) -> None:
        """Messages of one way do not overtake each other."""
        loop = self._world.loop
        at = loop.time() + self._world.chance.latency("network.slow", 0.001)
        self._arrives[way] = at = max(at, self._arrives[way])
        loop.call_at(at, put, message, context=context)

    async def _serve(self, call: Call) -> None:
        with suppress(asyncio.CancelledError):
            try:
                await self.server.dispatcher.bidi(call, self._requests(), self._reply)
                self._tell(None)
            except StatusError as error:
                self._tell(self._network._refused(error, call.method.name))

    async def _requests(self) -> AsyncIterator[Message]:
        while (message := await self._up.get()) is not None:
            yield message

    async def _reply(self, message: Message) -> None:
        self._tell(message)

    def _tell(self, what: Any) -> None:
        if not self._world.chance.happens("network.reply"):
            self._carry(1, self._home.context, self._down.put_nowait, what)
        else:  # a stream that loses a message is cut
            self._carry(1, self._home.context, self._down.put_nowait, Unanswered("network.reply"))

    def _over(self, ended: "asyncio.Task[None]") -> None:
        if not ended.cancelled() and (error := ended.exception()) is not None:
            self._world.found("no defects", f"{ended.get_name()} ended with {error!r}")
        self._carry(1, self._home.context, self._down.put_nowait, Unanswered("the stream is over"))


def _settle(reply: "asyncio.Future[Any]", answer: Any) -> None:
    if reply.done():
        return
    if isinstance(answer, Exception):
        reply.set_exception(answer)
        reply.exception()  # a client that went away leaves nobody to retrieve it
    else:
        reply.set_result(answer)
