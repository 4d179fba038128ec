"""What the gRPC core says. It speaks on standard error and nowhere else: while somebody listens here, its lines become
lines of our log, and handshakes that fail are counted with their cause. What others write there goes on as it was.

The core names no peer, and from a connection that says nothing until its time is up only that.
"""

import os
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from llm_incident_manager.telemetry import logs

_LINE = re.compile(r"([IWEF])\d{4} [\d:.]+ +\d+ ([\w./-]+:\d+)\] (.*)")
_LONGEST = 64 * 1024
_SELF_EVIDENT = "not suitable for production"
"""What the core remarks when it is asked to tell of handshakes."""


class Said(NamedTuple):
    """A line of the core: its level (I, W, E or F), the place in its source, and the words."""

    level: str
    place: str
    words: str


def parsed(line: str) -> Said | None:
    """A line as the core writes them; None when it is somebody else's."""
    found = _LINE.match(line)
    return None if found is None else Said(found[1], found[2], found[3].strip())


class CoreLog:
    """Stands between standard error and whoever writes there without Python."""

    def __init__(self) -> None:
        """Not yet. `handshake` is given the words of each line, and says whether they told of a handshake."""
        self.handshake: Callable[[str], bool] = lambda _: False
        self._kept: int | None = None
        self._reading: threading.Thread | None = None

    def open(self) -> None:
        """From now on. `sys.stderr` is a new one, which goes where standard error went before."""
        sys.stderr.flush()
        self._kept = os.dup(2)
        reading, writing = os.pipe()
        os.set_blocking(writing, False)  # the core must never wait for us, not even for a full pipe
        os.dup2(writing, 2)
        os.close(writing)
        sys.stderr = os.fdopen(os.dup(self._kept), "w", buffering=1, errors="backslashreplace")
        self._reading = threading.Thread(target=self._read, args=(reading,), name="grpc-core-log", daemon=True)
        self._reading.start()

    def close(self) -> None:
        """Standard error is as it was; what was said by then has been read."""
        if self._kept is None or self._reading is None:
            return
        os.dup2(self._kept, 2)
        self._reading.join(timeout=1.0)
        os.close(self._kept)
        self._kept = None

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as lines:
            while line := lines.readline(_LONGEST):
                self._take(line)

    def _take(self, line: bytes) -> None:
        said = parsed(line.decode("utf-8", "replace"))
        if said is None:
            with suppress(OSError):  # nobody reads standard error: as everywhere, that stops nothing
                os.write(2 if self._kept is None else self._kept, line)
        elif not self.handshake(said.words) and said.level != "I" and _SELF_EVIDENT not in said.words:
            write = _LOG.warning if said.level == "W" else _LOG.error
            write("grpc.core_said", words=said.words, place=said.place)


_LOG = logs.get("grpc")
