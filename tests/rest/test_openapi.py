"""The OpenAPI document is valid, complete, and describes what the codec prints and the checker allows."""

import functools
import json
import re
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from incidentmanager.v1 import event_pb2, incident_pb2, incident_service_pb2
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from llm_incident_manager.domain import controls
from llm_incident_manager.domain.errors import ErrorReason
from llm_incident_manager.transport import checker, inspect, methods, reasons
from llm_incident_manager.transport.rest import openapi
from llm_incident_manager.transport.rest.annotation import annotations_of
from llm_incident_manager.transport.rest.jsoncodec import codec
from llm_incident_manager.transport.rest.openapi import refusals, texts
from llm_incident_manager.transport.translate import events as translate
from llm_incident_manager.transport.translate.incidents import EDITABLE
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
    paths = {(a.http_method.lower(), a.template.text.replace("incident.id", "incident_id")) for a in annotations}
    assert paths == OPERATIONS.keys()
    names = [item[verb]["operationId"] for (verb, _), item in OPERATIONS.items()]
    assert len(names) == len(set(names)) == len(annotations)


def test_paths_that_differ_in_names_only_are_one_path() -> None:
    hierarchies = [re.sub(r"{[^}]*}", "{}", path) for path in DOCUMENT["paths"]]
    assert len(hierarchies) == len(set(hierarchies))


def test_every_path_has_its_alias_without_api() -> None:
    main = {(verb, path.removeprefix("/api")) for verb, path in OPERATIONS if path.startswith("/api/v1/")}
    assert main == {(verb, path) for verb, path in OPERATIONS if path.startswith("/v1/")}
    assert 2 * len(main) == len(OPERATIONS)


def test_success_statuses_are_those_of_the_contract_and_every_error_is_listed() -> None:
    refused = {"400", "401", "403", "408", "409", "413", "429", "500", "503", "504"}
    assert operation("post", "/api/v1/events")["responses"].keys() == {"202"} | refused
    assert operation("post", "/api/v1/incidents")["responses"].keys() == {"201"} | refused
    assert operation("get", "/v1/incidents")["responses"].keys() == {"200"} | refused - {"409", "413"}
    later = operation("get", "/v1/incidents/{incident_id}/correlations")["responses"]
    assert "501" in later
    assert "200" not in later
    assert schema("Status")["required"] == ["code", "message"]


def test_an_error_names_its_reasons_and_what_they_mean() -> None:
    moved = operation("post", "/api/v1/incidents/{incident_id}/acknowledge")["responses"]["409"]["$ref"]
    conflict = DOCUMENT["components"]["responses"][moved.rpartition("/")[2]]
    told = conflict["description"]
    assert "- `ILLEGAL_TRANSITION`: The verb is not allowed in the incident's state." in told
    assert [name for name in ("STALE_ETAG", "REQUEST_ID_REUSED") if f"- `{name}`" not in told] == []
    assert conflict["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Status"}
    assert set(schema("ErrorReason")["enum"]) == set(ErrorReason)


def test_methods_told_apart_by_name_exist_and_the_unavailable_ones_say_so() -> None:
    contract = {method.name: method for method in methods.all_methods()}
    assert reasons.named() <= contract.keys()
    later = {name for name, method in contract.items() if ErrorReason.NOT_AVAILABLE in reasons.of(method)}
    assert later == {name for name, method in contract.items() if not texts.is_available(method)}


def test_everything_is_described() -> None:
    operations = [DOCUMENT["paths"][path][verb] for verb, path in OPERATIONS]
    assert [o["operationId"] for o in operations if not o["summary"] or not o["description"]] == []
    assert [tag["name"] for tag in DOCUMENT["tags"] if not tag["description"]] == []
    assert [p["name"] for o in operations for p in o["parameters"] if not p.get("description")] == []
    schemas = DOCUMENT["components"]["schemas"]
    assert [name for name, found in schemas.items() if not found.get("description")] == []
    told_elsewhere = refusals.schemas().keys()
    ours = {name: found.get("properties", {}) for name, found in schemas.items() if name not in told_elsewhere}
    silent = [
        f"{name}.{f}" for name, fields in ours.items() for f, told in fields.items() if not told.get("description")
    ]
    assert silent == []
    assert "- `P0`: System down, data breach, security incident." in schema("Severity")["description"]


def test_a_body_takes_what_the_server_takes_and_no_more() -> None:
    edit = schema("IncidentBody")
    assert edit["properties"].keys() == {*EDITABLE, "etag"}
    assert edit["additionalProperties"] is False
    whole = schema("Incident")["properties"]
    assert {name for name, told in whole.items() if not told.get("readOnly")} == edit["properties"].keys()
    assert "additionalProperties" not in schema("ListIncidentsResponse")


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


def without_words(found: dict[str, Any]) -> dict[str, Any]:
    told = {name: {k: v for k, v in field.items() if k != "description"} for name, field in found["properties"].items()}
    return {**found, "properties": told}


PLAIN = {"not": {"pattern": controls.PATTERN}}


def test_rules_enums_and_requirements_are_in_the_schemas() -> None:
    event = without_words(schema("Event"))
    assert event["required"] == ["source"]
    assert event["properties"]["title"] == {"type": "string", "maxLength": 500} | PLAIN
    assert event["properties"]["input_tokens"] == {"type": "integer", "format": "int32", "minimum": 0}
    assert event["properties"]["cost_usd"] == {"type": "number", "format": "double", "minimum": 0}
    assert event["properties"]["labels"] == {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 1024} | PLAIN,
        "propertyNames": {"minLength": 1, "maxLength": 128} | PLAIN,
        "maxProperties": 64,
    }
    assert schema("Severity")["enum"] == ["UNSPECIFIED", "P0", "P1", "P2", "P3", "P4"]
    path = operation("get", "/api/v1/events/{event_id}")["parameters"][0]
    assert path["schema"] == {"type": "string", "format": "uuid", "minLength": 1} | PLAIN


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
    assume(not any(inspect.violations(message)))
    printed = json.loads(codec(descriptor).dumps(message))
    errors = [error.message for error in validator.iter_errors(printed)]
    # Python's "$" also matches before a final newline, JSON Schema's does not: patterns are judged one way only.
    found = (*check(message), *(translate.missing(message) if isinstance(message, event_pb2.Event) else ()))
    broken = {violation.rule for violation in found} - {"string.pattern"}
    assert bool(errors) >= bool(broken)
    assert found or not errors
    assert printed.keys() <= schema(descriptor.name)["properties"].keys()


def test_an_empty_reply_fits_its_schema() -> None:
    _, _, validator = compiled(LISTED)
    validator.validate(codec(LISTED).encode(incident_service_pb2.ListIncidentsResponse()))
