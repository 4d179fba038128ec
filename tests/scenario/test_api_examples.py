"""Every example that docs/api.md and /docs show works as shown, through the door it is shown for."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.protobuf.message import Message

from llm_incident_client.core.errors import IncidentManagerError
from llm_incident_manager.domain.errors import ErrorReason
from llm_incident_manager.transport import errors, methods
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import annotations_of
from llm_incident_manager.transport.rest.jsoncodec import codec
from llm_incident_manager.transport.rest.openapi import texts
from tests.support import prepared, printed
from tests.support.foreign import IN_VAIN
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Its webhook leads nowhere and is tried once: every incident has a dead letter soon.
CHANNEL = {"type": "webhook", "webhook_url": "http://127.0.0.1:9/"}
CONFIG = {"notifications": {"max_attempts": 1, "channels": [CHANNEL]}, **LOOPBACK, **IN_VAIN}

EXAMPLES = [(method, example) for method in methods.all_methods() for example in texts.examples(method)]
OVER_HTTP = [(method, example) for method, example in EXAMPLES if "curl" in example]
Example = Mapping[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A started server whose database is empty at the beginning of the module."""
    async with running_server(config=json.dumps(CONFIG)) as started:
        yield started


def names(pair: object) -> str:
    return pair.name if isinstance(pair, Method) else str(pair["title"]) if isinstance(pair, Mapping) else str(pair)


def fits(value: object, expected: object) -> bool:
    """Whether a value holds what is expected: "*" is anything but nothing, a list may hold more."""
    if expected == "*":
        return bool(value)
    if isinstance(expected, dict):
        return isinstance(value, dict) and all(fits(value.get(name), each) for name, each in expected.items())
    if isinstance(expected, list):
        return isinstance(value, list) and all(any(fits(one, each) for one in value) for each in expected)
    return value == expected


class Filled:
    """An example with its names and addresses filled in."""

    def __init__(self, method: Method, example: Example, filled: Mapping[str, str], server: RunningServer) -> None:
        self.method, self._example, self._filled, self._server = method, example, filled, server

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - JSON is anything
        text = json.dumps(self._example[key])
        text = text.replace("localhost:50051", self._server.grpc).replace("localhost:3000", self._server.http[7:])
        return json.loads(re.sub(r"\b[A-Z_]{3,}\b", lambda name: self._filled.get(name[0], name[0]), text))

    def expects(self, replies: Sequence[object]) -> None:
        """Fails unless the last reply, or one of a stream's, is what the example expects."""
        found = replies if self.method.response_streaming else replies[-1:]
        assert any(fits(reply, self["expect"]) for reply in found), (replies, self["expect"])

    @property
    def refused(self) -> str:
        return str(self._example.get("refused", ""))


async def fill(method: Method, example: Example, server: RunningServer) -> Filled:
    return Filled(method, example, await prepared.prepare(example.get("given", ""), server), server)


def as_rest(method: Method, document: dict[str, Any]) -> object:
    """A reply as grpcurl prints it, in the spelling of REST."""
    reply = json_format.ParseDict(document, method.response())
    return codec(method.descriptor.output_type).encode(reply)


def as_reply(method: Method, value: object) -> object:
    """What the client returned, as the whole reply: it leaves messages with a single field away."""
    if not isinstance(value, Message):
        return value
    shown = codec(value.DESCRIPTOR).encode(value)
    if value.DESCRIPTOR.full_name == method.descriptor.output_type.full_name:
        return shown
    inside = [f.name for f in method.descriptor.output_type.fields if f.message_type == value.DESCRIPTOR]
    return {inside[0]: shown} if inside else shown


async def test_every_method_has_an_example_for_every_door_it_has() -> None:
    shown = {method.full_name: example for method, example in EXAMPLES}
    assert [method.full_name for method in methods.all_methods() if method.full_name not in shown] == []
    for method, example in EXAMPLES:
        bound = any(annotations_of(method.descriptor))
        assert {"grpcurl", "python", *(["curl"] if bound else [])} <= example.keys()
        assert ("expect" in example) is texts.is_available(method)
        assert ("refused" in example) is not texts.is_available(method)


@pytest.mark.parametrize(("method", "example"), EXAMPLES, ids=names)
async def test_grpcurl(server: RunningServer, method: Method, example: Example) -> None:
    filled = await fill(method, example, server)
    if method.response_streaming and not method.request_streaming:
        async for document in printed.stream(filled["grpcurl"]):
            filled.expects([as_rest(method, document)])
            return
    done = await printed.run(filled["grpcurl"])
    if filled.refused:
        code = errors.CODES[ErrorReason(filled.refused)]
        assert (done.code, f'"reason":"{filled.refused}"' in done.errors) == (64 + code, True), done.errors
        return
    assert done.code == 0, done.errors
    filled.expects([as_rest(method, document) for document in done.documents])


@pytest.mark.parametrize(("method", "example"), OVER_HTTP, ids=names)
@pytest.mark.parametrize(
    ("send", "prefix"), [(printed.curl, "/api/v1/"), (printed.without_curl, "/v1/")], ids=["printed", "alias"]
)
async def test_curl(
    server: RunningServer,
    method: Method,
    example: Example,
    send: Callable[[str], Awaitable[printed.Outcome]],
    prefix: str,
) -> None:
    filled = await fill(method, example, server)
    command = filled["curl"].replace("/api/v1/", prefix)
    if method.response_streaming:
        async for line in printed.stream(command):
            filled.expects([line["result"]])
            return
    done = await send(command)
    [document] = done.documents
    if filled.refused:
        reason = document["details"][0]["reason"]
        assert (done.status, reason) == (errors.http_of_reason(ErrorReason(filled.refused)), filled.refused)
        return
    assert done.status == method.success_status, document
    wrapped = next(annotations_of(method.descriptor)).response_body
    filled.expects([{wrapped: document} if wrapped else document])


@pytest.mark.parametrize(("method", "example"), EXAMPLES, ids=names)
async def test_python(server: RunningServer, method: Method, example: Example) -> None:
    filled = await fill(method, example, server)
    if filled.refused:
        with pytest.raises(IncidentManagerError) as refused:
            await printed.python(filled["python"])
        assert refused.value.reason == filled.refused
        return
    shown = await printed.python(filled["python"])
    if "printed" in example:
        assert fits(as_reply(method, shown[-1]), filled["printed"])
    else:
        filled.expects([as_reply(method, shown[-1])])
