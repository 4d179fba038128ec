"""The TypeScript definitions are what the contract says, and what the server prints has these types."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from incidentmanager.v1 import event_pb2, incident_pb2, ingest_service_pb2

import llm_incident_manager
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport import errors, methods
from llm_incident_manager.transport.rest.jsoncodec import codec
from llm_incident_manager.transport.ws import messages as socket
from tests.support import markdown
from tools import shell
from tools.typescript import compiler, messages

HERE = shell.ROOT / "clients" / "typescript"
DEPTH = 2
"""How deep messages are filled in."""


def every() -> list[Descriptor]:
    """All messages that methods answer with, or that are part of such."""
    roots = [side for method in methods.all_methods() for side in (method.descriptor.output_type,)]
    found: dict[str, Descriptor] = {}
    while roots:
        message = roots.pop()
        if message.full_name.startswith(messages.PACKAGE) and message.full_name not in found:
            found[message.full_name] = message
            roots += [field.message_type for field in message.fields if field.message_type is not None]
    return [message for message in found.values() if not message.GetOptions().map_entry]


def test_they_are_what_the_contract_says() -> None:
    assert shell.run(sys.executable, "-m", "tools.typescript", "--check") == 0


def test_the_package_has_our_version() -> None:
    for name in ("package.json", "package-lock.json"):
        assert json.loads((HERE / name).read_text("utf-8"))["version"] == llm_incident_manager.__version__


def filled(descriptor: Descriptor, variant: int, depth: int = DEPTH) -> Message:
    """A message that says something in every field; of alternatives the `variant`-th is chosen."""
    message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        others = field.containing_oneof.fields if field.containing_oneof is not None else [field]
        if field is not others[variant % len(others)] and len(others) > 1:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(message, field, variant, depth)
        elif field.message_type is not None:
            if depth:
                _fill_message(message, field, variant, depth)
        elif field.is_repeated:
            getattr(message, field.name).append(value(field, variant))
        else:
            setattr(message, field.name, value(field, variant))
    return message


def _fill_message(message: Message, field: FieldDescriptor, variant: int, depth: int) -> None:
    assert field.message_type is not None
    ours = field.message_type.full_name.startswith(messages.PACKAGE)
    target = getattr(message, field.name)
    if field.is_repeated:
        target.append(filled(field.message_type, variant, depth - 1))
    elif ours:
        target.CopyFrom(filled(field.message_type, variant, depth - 1))
    else:
        target.SetInParent()  # a moment, a stretch of time: it is printed as text, whichever it is


def _fill_map(message: Message, field: FieldDescriptor, variant: int, depth: int) -> None:
    assert field.message_type is not None
    key, one = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    target = getattr(message, field.name)
    if one.message_type is None:
        target[value(key, variant)] = value(one, variant)
    elif depth:
        target[value(key, variant)].CopyFrom(filled(one.message_type, variant, depth - 1))


def value(field: FieldDescriptor, variant: int) -> Any:  # noqa: ANN401 - of the field's type
    if field.enum_type is not None:
        return field.enum_type.values[(variant + 1) % len(field.enum_type.values)].number
    if field.type == FieldDescriptor.TYPE_STRING:
        return f"{field.name} {variant}"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"bytes"
    return True if field.type == FieldDescriptor.TYPE_BOOL else variant + 1


@pytest.fixture(scope="module")
def printed() -> list[tuple[str, Any]]:
    """Messages of every type as the server prints them: an empty one, and one for each alternative that there is."""
    found: list[tuple[str, Any]] = []
    for one in every():
        variants = max((len(oneof.fields) for oneof in one.oneofs), default=2)
        made = [message_factory.GetMessageClass(one)(), *(filled(one, variant) for variant in range(variants))]
        found += [(one.name, codec(one).encode(message)) for message in made]
    return found


def program(values: list[tuple[str, Any]]) -> str:
    names = ", ".join(sorted({name for name, _ in values}))
    lines = [f'import type {{ {names} }} from "{HERE / "index.js"}";']
    lines += [f"export const v{at}: {name} = {json.dumps(value)};" for at, (name, value) in enumerate(values)]
    return "\n".join(lines)


def test_what_the_server_prints_has_these_types(printed: list[tuple[str, Any]], tmp_path: Path) -> None:
    assert len(printed) > 2 * len(every())
    (tmp_path / "printed.mts").write_text(program(printed), "utf-8")
    assert compiler.compiled(tmp_path / "printed.mts") == []


def said() -> list[tuple[str, Any]]:
    """A message of every type that the server sends by WebSocket, by the code that writes them."""
    refused = errors.status_error(InvalidFields([Violation("title", "is empty", "string.min_len")]))
    result = event_pb2.EventResult(event_id="e", incident_id="i", disposition=event_pb2.DISPOSITION_NEW)
    ignored = event_pb2.EventResult(event_id="e", disposition=event_pb2.DISPOSITION_IGNORED, reason="why")
    batch = ingest_service_pb2.SubmitEventsResponse(results=[result], accepted=1)
    change = filled(incident_pb2.IncidentChange.DESCRIPTOR, 1)
    assert isinstance(change, incident_pb2.IncidentChange)
    change.heartbeat = change.drain = False
    texts = [
        socket.connection_ack("s", dict.fromkeys(LIMITS, 1)), socket.ack(7, result), socket.ack(None, ignored),
        socket.batch_ack("b", batch), socket.subscribed("1", "p", "t"), socket.unsubscribed(None, "p", "t"),
        socket.change("p", change), socket.heartbeat({"p": "t"}), socket.pong(None), socket.error(refused, 1, "p"),
        socket.closing(refused, {}),
    ]  # fmt: skip
    found = [json.loads(text) for text in texts]
    assert {one["type"] for one in found} == socket.TYPES
    return [("SocketServerMessage", one) for one in found]


LIMITS = ("heartbeat_secs", "timeout_secs", "max_frame_bytes", "max_batch_events", "max_subscriptions")
ASKED: list[dict[str, Any]] = [
    {"type": "event", "id": "7", "source": "llm-edge-agent", "title": "t", "severity": "high"},
    {"type": "event", "event": {"source": "s", "title": "t", "metrics": {"error_rate": 0.5}}},
    {"type": "batch", "id": 8, "events": [{"source": "s", "title": "t"}]},
    {"type": "subscribe", "subscription_id": "p1", "filter": "severity >= P1", "snapshot": True},
    {"type": "subscribe", "subscription_id": "p2", "filters": {"severities": ["P0"], "labels": {"a": "b"}}},
    {"type": "unsubscribe", "subscription_id": "p1"},
    {"type": "heartbeat"},
    {"type": "ping", "id": 9},
]
"""What docs/websocket.md has clients send."""


def test_what_goes_over_a_websocket_has_these_types(tmp_path: Path) -> None:
    values = [*said(), *(("SocketClientMessage", one) for one in ASKED)]
    (tmp_path / "socket.mts").write_text(program(values), "utf-8")
    assert compiler.compiled(tmp_path / "socket.mts") == []


WRONG = """
import type {{ Event, Incident, Input, Methods }} from "{index}";

declare const incident: Incident;
export const severity: "P0" | "P9" = incident.severity;
export const event: Input<Event> = {{ source: "s", titel: "t" }};
export const action: Input<Event> = {{ action: "ACTION_TRIGGER" }};
export const missing: Event = {{ source: "s" }};
export const until: string = incident.snoozed_until;
export const path: Methods["IngestService.SubmitEvent"]["path"] = "/api/v1/event";
export const name: keyof Methods = "IngestService.SubmitNothing";
"""


def test_what_it_does_not_print_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.mts").write_text(WRONG.format(index=HERE / "index.js"), "utf-8")
    told = compiler.compiled(tmp_path / "wrong.mts")
    lines = [int(line.partition("(")[2].partition(",")[0]) for line in told if "): error TS" in line]
    assert lines == [5, 6, 7, 8, 9, 10, 11], told


def test_the_page_shows_a_program_that_compiles(tmp_path: Path) -> None:
    [block] = markdown.blocks(shell.ROOT / "docs" / "clients.md", "typescript")
    text = block.text.replace('"./clients/typescript/index.js"', f'"{HERE / "index.js"}"')
    (tmp_path / "page.mts").write_text(text, "utf-8")
    assert compiler.compiled(tmp_path / "page.mts") == []
