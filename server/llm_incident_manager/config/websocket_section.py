"""The WebSocket door."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from llm_incident_manager.config.problems import Problem, shown
from llm_incident_manager.config.values import MIB, Count, Section

KIB = 1024


class WebSocket(Section):
    """WebSocket on the HTTP port, at `/ws`: events in, changes out."""

    enabled: bool = True
    """Whether there is one."""
    max_connections: Count = 2_000
    """Most of them at once, in each process."""
    max_subscriptions: Annotated[int, Field(ge=1, le=1_000)] = 16
    """Most subscriptions of one connection; each also counts towards `watch.max_subscribers`."""
    max_frame_bytes: Annotated[int, Field(ge=KIB, le=16 * MIB)] = 256 * KIB
    """Largest message of a client; a larger one is refused, and one of more than twice that ends its connection."""
    buffer_bytes: Annotated[int, Field(ge=4 * KIB, le=16 * MIB)] = 64 * KIB
    """What waits for a client that takes nothing, beside what the system holds for it; then its subscriptions wait."""
    heartbeat_secs: Annotated[float, Field(ge=0.1, le=3_600)] = 30.0
    """Time between two heartbeats to the client, as it should send them, too."""
    timeout_secs: Annotated[float, Field(ge=0.2, le=7_200)] = 60.0
    """A client of which nothing is heard for so long, not even the answer to a ping, is cut off."""
    allowed_origins: tuple[str, ...] = ()
    """Web sites whose pages may connect beside those of this server: `["https://console.example.com"]`."""


def conflicts(websocket: WebSocket) -> Iterator[Problem]:
    """A timeout that comes before the heartbeat, and origins that are none."""
    if websocket.timeout_secs <= websocket.heartbeat_secs:
        remedy = f"give more than websocket.heartbeat_secs ({websocket.heartbeat_secs:g}), better twice as much"
        yield Problem("websocket.timeout_secs", shown(websocket.timeout_secs), "", remedy)
    for origin in websocket.allowed_origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
            remedy = "give scheme, host and port only: https://console.example.com or http://localhost:8080"
            yield Problem("websocket.allowed_origins", shown(origin), "", remedy)
