"""What the libraries cost by themselves: bare servers that send back what they get, with nothing of ours in between."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import uvicorn
import uvloop
from incidentmanager.v1 import ingest_service_pb2 as pb
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_SERVICE = "incidentmanager.v1.IngestService"


async def _echo_stream(requests: AsyncIterator[bytes], _: object) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


async def _echo_call(request: pb.SubmitEventRequest, _: object) -> pb.SubmitEventRequest:
    return request


async def _echo_request(request: Request) -> Response:
    return Response(await request.body(), 202, media_type="application/json")


def _handlers() -> dict[str, Any]:
    call = grpc.unary_unary_rpc_method_handler(
        _echo_call,
        request_deserializer=pb.SubmitEventRequest.FromString,
        response_serializer=pb.SubmitEventRequest.SerializeToString,
    )
    return {"StreamEvents": grpc.stream_stream_rpc_method_handler(_echo_stream), "SubmitEvent": call}


async def _serve_grpc(port: int) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, _handlers()),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    """`grpc PORT` or `rest PORT`; serves until it is ended."""
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "grpc":
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve_grpc(port))
    else:
        app = Starlette(routes=[Route("/api/v1/events", _echo_request, methods=["POST"])])
        uvicorn.run(app, port=port, http="httptools", loop="uvloop", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
