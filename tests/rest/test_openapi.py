"""The OpenAPI document is valid, complete, and describes what the codec prints and the checker allows."""

import functools
import json
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from incidentmanager.v1 import event_pb2, incident_pb2, incident_service_pb2
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from llm_incident_manager.transport import checker, methods
from llm_incident_manager.transport.rest import openapi
from llm_incident_manager.transport.rest.annotation import annotations_of
from llm_incident_manager.transport.rest.jsoncodec import codec
from tests.support import random_messages

DOCUMENT: dict[str, Any] = json.loads(openapi.document_json())
OPERATIONS = {(verb, path): item for path, item in DOCUMENT["paths"].items() for verb in item}
PRINTED = (event_pb2.Event.DESCRIPTOR, incident_pb2.Incident.DESCRIPTOR)
LISTED = incident_service_pb2.ListIncidentsResponse.DESCRIPTOR


def operation(verb: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][verb]
    return found


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


@functools.cache
def compiled(
    descriptor: Descriptor,
) -> tuple[checker.Checker, st.SearchStrategy[Message], OAS31Validator]:
    whole = {"$ref": f"#/components/schemas/{descriptor.name}", "components": DOCUMENT["components"]}
    messages = random_messages.messages(descriptor, depth=2, for_json=True)
    return checker.compile_checker(descriptor), messages, OAS31Validator(whole)


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_annotated_method_appears_under_every_path() -> None:
    annotations = [annotation for method in methods.all_methods() for annotation in annotations_of(method.descriptor)]
    paths = {(a.http_method.lower(), a.template.text) for a in annotations}
    assert paths == OPERATIONS.keys()
    names = [item[verb]["operationId"] for (verb, _), item in OPERATIONS.items()]
    assert len(names) == len(set(names)) == len(annotations)


def test_success_statuses_and_errors_are_those_of_the_contract() -> None:
    assert operation("post", "/api/v1/events")["responses"].keys() == {"202", "default"}
    assert operation("post", "/api/v1/incidents")["responses"].keys() == {"201", "default"}
    assert operation("get", "/v1/incidents")["responses"].keys() == {"200", "default"}
    assert schema("Status")["required"] == ["code", "message"]


def test_fields_come_from_path_query_or_body_and_never_from_two() -> None:
    get = operation("get", "/api/v1/incidents/{incident_id}")
    assert [(p["name"], p["in"], p["required"]) for p in get["parameters"]] == [("incident_id", "path", True)]
    assert "requestBody" not in get
    acknowledge = operation("post", "/api/v1/incidents/{incident_id}/acknowledge")
    assert [p["name"] for p in acknowledge["parameters"]] == ["incident_id"]
    assert schema("AcknowledgeRequestBody")["properties"].keys() == {"request_id", "etag", "actor"}
    submit = operation("post", "/api/v1/events")
    assert [(p["name"], p["in"], p["required"]) for p in submit["parameters"]] == [("request_id", "query", False)]
    assert submit["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Event"}
    listed = operation("get", "/api/v1/incidents")["parameters"]
    assert {"start", "end", "filter", "page_size", "page_token", "page"} <= {p["name"] for p in listed}


WITHOUT_NUL = {"not": {"pattern": r"\x00"}}


def test_rules_enums_and_requirements_are_in_the_schemas() -> None:
    event = schema("Event")
    assert event["required"] == ["source"]
    assert event["properties"]["title"] == {"type": "string", "maxLength": 500} | WITHOUT_NUL
    assert event["properties"]["input_tokens"] == {"type": "integer", "format": "int32", "minimum": 0}
    assert event["properties"]["cost_usd"] == {"type": "number", "format": "double", "minimum": 0}
    assert event["properties"]["labels"] == {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 1024} | WITHOUT_NUL,
        "propertyNames": {"minLength": 1, "maxLength": 128} | WITHOUT_NUL,
        "maxProperties": 64,
    }
    assert schema("Severity")["enum"] == ["UNSPECIFIED", "P0", "P1", "P2", "P3", "P4"]
    path = operation("get", "/api/v1/events/{event_id}")["parameters"][0]
    assert path["schema"] == {"type": "string", "format": "uuid"}


def test_streams_are_lines_or_events() -> None:
    content = operation("get", "/api/v1/incidents/watch")["responses"]["200"]["content"]
    assert content.keys() == {"application/x-ndjson", "text/event-stream"}


@pytest.mark.parametrize("descriptor", PRINTED, ids=lambda descriptor: descriptor.name)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_codec_prints_fits_the_schema_if_the_checker_allows_it(
    descriptor: Descriptor, data: st.DataObject
) -> None:
    check, messages, validator = compiled(descriptor)
    message = data.draw(messages)
    printed = json.loads(codec(descriptor).dumps(message))
    errors = [error.message for error in validator.iter_errors(printed)]
    # Python's "$" also matches before a final newline, JSON Schema's does not: patterns are judged one way only.
    broken = {violation.rule for violation in check(message)} - {"string.pattern"}
    assert bool(errors) >= bool(broken)
    assert check(message) or not errors
    assert printed.keys() <= schema(descriptor.name)["properties"].keys()


def test_an_empty_reply_fits_its_schema() -> None:
    _, _, validator = compiled(LISTED)
    validator.validate(codec(LISTED).encode(incident_service_pb2.ListIncidentsResponse()))
