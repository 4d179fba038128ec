"""The workers of one server tell each other their metrics, so that whichever is asked can answer for all.

Each has a Unix socket in a folder that only this user can enter. Whoever connects gets its metrics, and the end.
"""

import asyncio
import re
from collections.abc import Mapping

from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.listening import Place

ANSWER_SECONDS = 1.0
_SOCKET = re.compile(r"worker-(\d+)\.sock")


class Siblings:
    """The other workers."""

    def __init__(self, place: Place, metrics: Metrics) -> None:
        """Answers for `metrics`."""
        self.place = place
        self._metrics = metrics

    async def start(self) -> asyncio.Server:
        """Answers the others from now on; whoever asks for it closes it."""
        self.place.socket.unlink(missing_ok=True)
        return await asyncio.start_unix_server(self._answer, self.place.socket)

    async def ask(self) -> Mapping[int, bytes | None]:
        """What each of the others says, by its number; None of one that does not answer."""
        others = [number for number in self._numbers() if number != self.place.number]
        said = await asyncio.gather(*(self._ask(number) for number in others))
        return dict(zip(others, said, strict=True))

    def _numbers(self) -> list[int]:
        found = (_SOCKET.fullmatch(path.name) for path in self.place.folder.iterdir())
        return sorted(int(match.group(1)) for match in found if match is not None)

    async def _ask(self, number: int) -> bytes | None:
        path = Place(number, self.place.folder).socket
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(path)
                try:
                    return await reader.read() or None
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self._metrics.told())
            await writer.drain()
        except ConnectionError:
            return  # the other one has gone
        finally:
            writer.close()
