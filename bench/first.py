"""Waits for a server that is just starting, with all on the client's side ready: how long until the first ack?"""

import asyncio
from time import perf_counter
from typing import Any

import grpc

from bench import calls
from bench.recorder import Spec

_PAUSE = 0.002


async def acknowledgement(spec: Spec) -> dict[str, Any]:
    """When the first event was acknowledged, by the clock that all processes share."""
    (request,) = calls.prepare(spec)
    host, port = spec.address.rsplit(":", 1)
    print('{"ready": true}', flush=True)
    while not await _listens(host, int(port)):  # noqa: ASYNC110  # nobody tells when another process listens
        await asyncio.sleep(_PAUSE)
    async with grpc.aio.insecure_channel(spec.address) as channel:
        await calls.opened(channel)(request)
        return {"at": perf_counter()}


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
