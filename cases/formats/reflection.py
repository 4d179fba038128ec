"""The reflection service. Cases name services and extensions that our server does not have, so each gets a gRPC server
of its own with the reflection that ours has, and is put to it over a socket.
"""

import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from cases.case import Case, Doors, Unreadable, difference, needed
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.rpc import reflection
from llm_incident_manager.transport.rpc.strangers import Strangers

NAME = "reflection"
Request = reflection_pb2.ServerReflectionRequest
Response = reflection_pb2.ServerReflectionResponse

ANSWER_SECONDS = 5.0

_STUB: Any = reflection_pb2_grpc.ServerReflectionStub  # whose stubs know no asynchronous channel
_EXTENDED = "grpc.testing.proto2.EmptyWithExtensions"
_EXTENSIONS = range(124, 129)

# What requests leave to whoever runs the case, by a word of theirs.
_STAND_INS = {
    "message": "incidentmanager.v1.Event",
    "service": "incidentmanager.v1.IngestService",
    "method": "incidentmanager.v1.IngestService.SubmitEvent",
    "file": "incidentmanager/v1/event.proto",
}


def recognises(case: Case) -> bool:
    """A request of the reflection service."""
    request = case.get("request")
    return isinstance(request, dict) and not request.keys().isdisjoint(Request.DESCRIPTOR.fields_by_name)


async def run(case: Case, doors: Doors) -> str:
    """Asks, and compares the answer."""
    async with _served(case.get("setup") or [service.full_name for service in methods.services()]) as ask:
        if "statement" in case:
            return await _statement(ask, case["statement"])
        request = _request(needed(case, "request", dict))
        (answer,) = await ask([request])
    if "expect_error" in case:
        got = {"error_code": answer.error_response.error_code, "error_message": answer.error_response.error_message}
        return difference({key: got[key] for key in case["expect_error"]}, case["expect_error"])
    return _differs(answer, request, needed(case, "expect", (str, list, dict)))


Ask = Callable[[Sequence[Request]], Any]


@asynccontextmanager
async def _served(services: Sequence[str]) -> AsyncIterator[Ask]:
    _extended_file()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((reflection.handler(services, Strangers()),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = _STUB(channel)
            yield functools.partial(_ask, stub)
    finally:
        await server.stop(grace=1)


async def _ask(stub: Any, requests: Sequence[Request]) -> list[Response]:  # noqa: ANN401 - an untyped stub
    return [answer async for answer in stub.ServerReflectionInfo(iter(requests), timeout=ANSWER_SECONDS)]


def _request(stated: dict[str, Any]) -> Request:
    ((kind, value),) = stated.items()
    if kind not in Request.DESCRIPTOR.fields_by_name:
        raise Unreadable(f"the service knows no request {kind}")
    if kind == "file_containing_extension":
        extension = reflection_pb2.ExtensionRequest(containing_type=value[0], extension_number=value[1])
        return Request(file_containing_extension=extension)
    if " " in value:
        value = next((own for word, own in _STAND_INS.items() if word in value.split()), None)
    if value is None:
        raise Unreadable(f"it asks for {stated[kind]!r}: nobody has said what that is here")
    return Request(**{kind: value})


def _differs(answer: Response, request: Request, expected: Any) -> str:  # noqa: ANN401 - JSON is anything
    kind = answer.WhichOneof("message_response")
    if kind == "error_response":
        return f"got the error {answer.error_response.error_message}"
    if kind == "list_services_response":
        return difference([each.name for each in answer.list_services_response.service], expected)
    if kind == "all_extension_numbers_response":
        numbers = answer.all_extension_numbers_response
        got = {"base_type_name": numbers.base_type_name, "extension_number": list(numbers.extension_number)}
        return difference(got, expected)
    return _files_differ(answer, request)


def _files_differ(answer: Response, request: Request) -> str:
    """Where the expectation is words: the file that declares it, and every file that one needs, must be there."""
    files = [FileDescriptorProto.FromString(raw) for raw in answer.file_descriptor_response.file_descriptor_proto]
    names = {file.name for file in files}
    missing = {needed_file for file in files for needed_file in file.dependency} - names
    if missing:
        return f"{', '.join(sorted(missing))} is missing"
    declaring = _declaring(request)
    return "" if declaring in names else f"{declaring} is not among {', '.join(sorted(names))}"


def _declaring(request: Request) -> str:
    pool: Any = descriptor_pool.Default()
    match request.WhichOneof("message_request"):
        case "file_by_filename":
            return request.file_by_filename
        case "file_containing_symbol":
            return str(pool.FindFileContainingSymbol(request.file_containing_symbol).name)
    asked = request.file_containing_extension
    extended = pool.FindMessageTypeByName(asked.containing_type)
    return str(pool.FindExtensionByNumber(extended, asked.extension_number).file.name)


async def _statement(ask: Ask, text: str) -> str:
    words = text.lower()
    if "answers come in order" not in words:
        raise Unreadable(f"a statement that nobody has made a program of: {text}")
    requests = [
        Request(file_containing_symbol="incidentmanager.v1.Nothing"),
        Request(list_services=""),
        Request(file_containing_symbol="incidentmanager.v1.Event"),
    ]
    answers = await ask(requests)
    kinds = [answer.WhichOneof("message_response") for answer in answers]
    return difference(kinds, ["error_response", "list_services_response", "file_descriptor_response"])


@functools.cache
def _extended_file() -> None:
    """Two files as the cases know them: a message that can be extended, and its extensions."""
    package = _EXTENDED.rpartition(".")[0]
    base = FileDescriptorProto(name="cases/extended.proto", package=package, syntax="proto2")
    message = base.message_type.add(name=_EXTENDED.rpartition(".")[2])
    message.extension_range.add(start=_EXTENSIONS.start, end=_EXTENSIONS.stop)
    more = FileDescriptorProto(name="cases/extensions.proto", package=package, syntax="proto2")
    more.dependency.append(base.name)
    for number in _EXTENSIONS:
        more.extension.add(
            name=f"extension_{number}",
            number=number,
            extendee=f".{_EXTENDED}",
            type=FieldDescriptorProto.TYPE_INT32,
            label=FieldDescriptorProto.LABEL_OPTIONAL,
        )
    pool = descriptor_pool.Default()
    for file in (base, more):
        pool.AddSerializedFile(file.SerializeToString())
