"""The work of a replay: reads lines, keeps the pace, hands events to the stream, counts what comes back."""

import asyncio
import hashlib
import itertools
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from llm_incident_client import EventStream, IncidentClient, Phase, StreamOptions, StreamState, pb
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.cli import connection
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.mapping import Reader, Unreadable
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.tally import Tally
from llm_incident_manager.cli.terminal import safe
from llm_incident_manager.domain.errors import DomainError

if TYPE_CHECKING:
    import rich.progress

_CHUNK = 500
_SLICE = 0.02  # seconds of events handed over at once when the pace is given
_PATIENCE = 60.0  # seconds without any success after which a replay gives up: longer than a restart takes

Lines = Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay: `rate` in events a second (0: as fast as answers come), `limit` in lines (0: all).

    `ends_now` moves the times of all events so that the last is now.
    """

    file: str
    reader: Reader
    producer_id: str
    ends_now: bool = False
    rate: float = 0.0
    limit: int = 0


def producer_of(file: str) -> str:
    """A producer id for a file: the same each time, so that a replay leaves one producer behind, not one a run."""
    where = str(Path(file).resolve()) if file != "-" else file
    return f"replay/{hashlib.sha256(where.encode()).hexdigest()[:16]}"


async def run(how: Invocation, plan: Plan, progress: "Progress") -> tuple[Tally, float]:
    """Replays the file; what it adds up to and how many seconds it took. Raises IncidentManagerError, OSError."""
    loop, tally = asyncio.get_running_loop(), Tally()
    stream_options = StreamOptions(
        give_up_after=timedelta(seconds=how.patience or _PATIENCE), on_state=progress.stream_state
    )
    with _opened(plan.file) as file:
        progress.expect(file)
        if plan.ends_now:
            plan.reader.shift = _shift(file, plan)
        started = loop.time()
        async with (
            IncidentClient(connection.channel(how)) as client,
            client.event_stream(plan.producer_id, stream_options) as stream,
        ):
            async for chunk in _paced(file, plan):
                await _send(stream, plan.reader, chunk, tally, progress)
        return tally, loop.time() - started


async def _send(stream: EventStream, reader: Reader, chunk: Lines, tally: Tally, progress: "Progress") -> None:
    numbers: list[int] = []
    events: list[pb.Event] = []
    for number, raw in chunk:
        try:
            events.append(reader.event(raw))
            numbers.append(number)
        except (Unreadable, DomainError) as wrong:
            tally.refuse(number, str(wrong))

    def take(batch: "asyncio.Future[list[pb.EventResult]]") -> None:
        if not batch.cancelled() and batch.exception() is None:  # the stream raises the error itself
            tally.take(numbers, batch.result())
            progress.advance(sum(len(raw) for _, raw in chunk), tally.sent)

    (await stream.send_many(events)).add_done_callback(take)


async def _paced(file: BinaryIO, plan: Plan) -> AsyncIterator[Lines]:
    """Chunks of numbered lines, each no earlier than its time; blank lines are passed over."""
    loop = asyncio.get_running_loop()
    size = max(1, min(_CHUNK, int(plan.rate * _SLICE))) if plan.rate else _CHUNK
    lines = itertools.islice(((n, raw) for n, raw in enumerate(file, 1) if raw.strip()), plan.limit or None)
    started, handed = loop.time(), 0
    while chunk := await asyncio.to_thread(lambda: list(itertools.islice(lines, size))):
        if plan.rate and (early := started + handed / plan.rate - loop.time()) > 0:
            await asyncio.sleep(early)
        handed += len(chunk)
        yield chunk


def _shift(file: BinaryIO, plan: Plan) -> int:
    if not file.seekable():
        raise BadUsage("--now reads the file twice, which standard input does not allow: give a file")
    latest = plan.reader.latest(itertools.islice(file, plan.limit or None))
    file.seek(0)
    return SystemClock().now() - latest if latest is not None else 0


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
    else:
        with Path(file).open("rb") as opened:
            yield opened


class Progress:
    """A bar on a terminal; without one only the news that the connection was lost and found."""

    def __init__(self, bar: "rich.progress.Progress | None") -> None:
        """`bar` is None where nobody looks."""
        self._bar = bar
        self._task = bar.add_task("replay", total=None, sent="0") if bar is not None else None
        self._lost = False

    @classmethod
    def on_stderr(cls) -> Self:
        """A bar if stderr is a terminal."""
        if not sys.stderr.isatty():
            return cls(None)
        import rich.console
        import rich.progress as parts

        columns = (parts.BarColumn(), parts.TaskProgressColumn(), parts.TextColumn("{task.fields[sent]} events"))
        console = rich.console.Console(stderr=True)
        return cls(parts.Progress(*columns, parts.TimeElapsedColumn(), console=console, transient=True))

    def __enter__(self) -> Self:
        """Shows the bar."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Takes it away."""
        if self._bar is not None:
            self._bar.stop()

    def expect(self, file: BinaryIO) -> None:
        """How much there is, if the file can tell."""
        if self._bar is not None and self._task is not None and file.seekable():
            size = Path(file.name).stat().st_size if isinstance(file.name, str) else None
            self._bar.update(self._task, total=size)

    def advance(self, size: int, sent: int) -> None:
        """So many more bytes of the file have their results."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=size, sent=f"{sent:,}")

    def stream_state(self, state: StreamState) -> None:
        """Says once that the connection is lost, and once that it is back."""
        if state.phase is Phase.WAITING and not self._lost:
            self._lost = True
            self._say(f"no connection ({state.error}); trying again")
        elif state.phase is Phase.OPEN and self._lost:
            self._lost = False
            self._say("connected")

    def _say(self, text: str) -> None:
        text = safe(text)
        if self._bar is not None:
            self._bar.console.print(text, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)
