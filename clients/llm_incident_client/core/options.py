"""What an event stream may hold and how patient it is, and what it tells about itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from llm_incident_client.core import errors, retry
from llm_incident_client.core.window import Opening


class Phase(StrEnum):
    """What a stream is doing."""

    CONNECTING = "connecting"
    OPEN = "open"
    DRAINING = "draining"
    WAITING = "waiting"
    CLOSED = "closed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StreamState:
    """A change of phase. `error` and `retry_in` (seconds) tell why it waits; `opening` tells how it resumed."""

    phase: Phase
    epoch: int = 0
    failures: int = 0
    error: errors.IncidentManagerError | None = None
    retry_in: float = 0.0
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Bounds and patience of a stream.

    `patience` is how long the server may owe an answer before the connection counts as dead; `give_up_after` how long
    the stream tries without any success before it fails (None: for ever; `on_state` tells what is going on).
    """

    linger: timedelta = timedelta(milliseconds=5)
    frame_events: int = 500
    frame_bytes: int = 1024 * 1024
    max_unacknowledged: int = 10_000
    max_unacknowledged_bytes: int = 64 * 1024 * 1024
    patience: timedelta = timedelta(seconds=30)
    backoff: retry.Backoff = field(default_factory=retry.Backoff)
    give_up_after: timedelta | None = None
    on_state: Callable[[StreamState], None] | None = None
