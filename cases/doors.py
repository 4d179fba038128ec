"""Opens doors to a real server: a process of its own, in a folder of its own, started when the first case asks."""

from contextlib import AsyncExitStack

from tests.support.server import RunningServer, running_server


class RealDoors:
    """The doors of one run."""

    def __init__(self, stack: AsyncExitStack) -> None:
        """What is opened is closed with the stack."""
        self._stack = stack
        self._server: RunningServer | None = None

    async def grpc(self) -> str:
        """The address of a real server's gRPC, started at the first call."""
        return (await self._running()).grpc

    async def http(self) -> str:
        """The base URL of the same server."""
        return (await self._running()).http

    async def _running(self) -> RunningServer:
        if self._server is None:
            self._server = await self._stack.enter_async_context(running_server())
        return self._server
