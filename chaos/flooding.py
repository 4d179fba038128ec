"""`python -m chaos.flooding PORT ATTACK SECONDS`: one connection that floods the gRPC port, in a process of its own,
so that it costs nobody else's time. Prints what it said and what came of it, as JSON."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from hyperframe.frame import SettingsFrame

from chaos import http2

LIST = "IncidentService/ListIncidents"
RAPID = 10_000


@dataclass(frozen=True, slots=True)
class Attack:
    """What is said again and again, as fast as it goes unless so many times a second."""

    make: Callable[[int], bytes]
    reads: bool = True
    a_second: float = float("inf")


def _stream(number: int) -> int:
    return 2 * number + 1


MANY = http2.call_headers(LIST, [(f"x-{number}", "y" * 8) for number in range(1_000)])
LARGE = http2.call_headers(LIST, [("x-large", "y" * 20_000)])


def _cut(stream: int, block: bytes) -> bytes:
    """A header block in frames of the size that everybody takes."""
    first, *rest = [block[start : start + 16_000] for start in range(0, len(block), 16_000)]
    if not rest:
        return http2.headers(stream, first, "END_HEADERS")
    *middle, last = rest
    frames = [http2.headers(stream, first), *(http2.continuation(stream, part) for part in middle)]
    return b"".join([*frames, http2.continuation(stream, last, "END_HEADERS")])


def _endless(number: int) -> bytes:
    """One call whose headers never end."""
    if number == 0:
        return http2.headers(1, http2.call_headers(LIST))
    return http2.continuation(1, b"\0\x05x-end\x40" + b"y" * 64)


BLOCK = http2.call_headers(LIST)


def _taken_back(number: int, block: bytes = BLOCK) -> bytes:
    return _cut(_stream(number), block) + http2.reset(_stream(number))


ATTACKS = {
    "1,000 headers": Attack(lambda number: _taken_back(number, MANY)),
    "headers of 20 KB": Attack(lambda number: _taken_back(number, LARGE)),
    "CONTINUATION without end": Attack(_endless),
    "PING": Attack(http2.ping),
    "SETTINGS": Attack(lambda _: http2.settings({SettingsFrame.INITIAL_WINDOW_SIZE: 65_535})),
    "SETTINGS, and nothing is read": Attack(lambda _: http2.settings(), reads=False),
    "rapid reset": Attack(_taken_back, a_second=RAPID),
}


async def _flood(port: int, attack: Attack, seconds: float) -> None:
    async with http2.connected(port, reads=attack.reads) as connection:
        started = time.monotonic()
        said = await connection.flood(attack.make, seconds, attack.a_second)
        while attack.reads and time.monotonic() - started < seconds and not connection.ended:
            await asyncio.sleep(0.01)  # what it was ended with may still be on its way
        print(json.dumps({"said": said, "goaway": connection.goaway, "ended": connection.ended}))


if __name__ == "__main__":
    asyncio.run(_flood(int(sys.argv[1]), ATTACKS[sys.argv[2]], float(sys.argv[3])))
