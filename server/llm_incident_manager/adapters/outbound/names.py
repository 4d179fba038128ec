"""Looks names up in threads of its own: a name server that does not answer holds up only those who ask for that very
host, and nobody at the end of the process.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

AT_ONCE = 16
"""Hosts that are looked up at the same time; each takes one thread, however many ask for it."""

Found: TypeAlias = Sequence[tuple[int, int, int, str, tuple[object, ...]]]
Lookup: TypeAlias = Callable[[str, int], Found]


def _by_system(host: str, port: int) -> Found:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


class Names(AbstractResolver):
    """Resolves names for aiohttp. Answers are not kept: whoever asks later asks the name server again."""

    def __init__(self, lookup: Lookup = _by_system) -> None:
        """`lookup` blocks until it knows, and raises OSError when it cannot know."""
        self._lookup = lookup
        self._places = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[tuple[str, int], asyncio.Task[Found]] = {}

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - the interface; both families are told
    ) -> list[ResolveResult]:
        """The addresses of a host, of either family. Raises OSError."""
        key = (host, port)
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.create_task(self._ask(host, port), name=f"address of {host}")
            asked.add_done_callback(lambda task: self._ended(key, task))
        found = await asyncio.shield(asked)
        return [
            ResolveResult(hostname=host, host=str(at[0]), port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, at in found
        ]

    async def close(self) -> None:
        """Waits for nobody: threads end when the name server answers, or with the process."""
        for asked in tuple(self._asked.values()):
            asked.cancel()

    def _ended(self, key: tuple[str, int], asked: asyncio.Task[Found]) -> None:
        self._asked.pop(key, None)
        if not asked.cancelled():
            asked.exception()  # it is no news when all who asked are gone meanwhile

    async def _ask(self, host: str, port: int) -> Found:
        async with self._places:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[Found] = loop.create_future()

            def told(found: Found | OSError) -> None:
                if answer.done():
                    return
                if isinstance(found, OSError):
                    answer.set_exception(found)
                else:
                    answer.set_result(found)

            def work() -> None:
                try:
                    found: Found | OSError = self._lookup(host, port)
                except (OSError, UnicodeError) as error:
                    found = error if isinstance(error, OSError) else OSError(str(error))
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(told, found)

            threading.Thread(target=work, name=f"address of {host}", daemon=True).start()
            return await answer
