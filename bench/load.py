"""The load process: reads a load from standard input, makes everything it will send, runs it, and writes what it saw.

It writes a JSON object a line: `ready` when all is made, `window` when the window opens and again when it closes, and
the result. It is a process of its own, so that its work never mixes with that of the server or of the measuring.
"""

import asyncio
import contextlib
import gc
import json
import sys
from time import perf_counter, process_time
from typing import Any

import uvloop

from bench import calls, first, frames, recorder, requests, socket_watching, sockets, watching
from bench.recorder import Spec

_PATIENCE = 60.0
"""Seconds after the end of the load in which everything sent must have been answered."""
_KINDS: dict[str, Any] = {"frames": frames, "unary": calls, "rest": requests, "watch": watching}
_KINDS |= {"socket": sockets, "socket_watch": socket_watching}


def main() -> None:
    """Does what standard input says."""
    spec = Spec(**json.loads(sys.stdin.readline()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(first.acknowledgement(spec) if spec.kind == "start" else _load(spec))
    _say(result=result)


async def _load(spec: Spec) -> dict[str, Any]:
    kind = _KINDS[spec.kind]
    prepared = kind.prepare(spec)
    gc.collect()
    gc.freeze()
    gc.disable()
    _say(ready=True)
    record, closed = recorder.window(spec, perf_counter()), asyncio.Event()
    marks = asyncio.create_task(_mark(record, closed))
    async with asyncio.timeout(spec.lasts + _PATIENCE):
        await kind.run(spec, prepared, record)
    closed.set()
    await marks
    return record.result()


async def _mark(record: recorder.Recorder, closed: asyncio.Event) -> None:
    """Says when the window opens and when it closes, at the latest when the load is over."""
    await asyncio.sleep(record.starts - perf_counter())
    _say(window="opens", cpu=process_time())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(record.ends - perf_counter()):
            await closed.wait()
    _say(window="closes", cpu=process_time())


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
