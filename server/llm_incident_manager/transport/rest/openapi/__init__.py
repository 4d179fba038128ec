"""The OpenAPI 3.1 document of the REST interface, derived from the same annotations and codecs that serve it."""

import functools
from collections.abc import Iterable
from importlib import metadata

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import annotations_of
from llm_incident_manager.transport.rest.jsoncodec import text
from llm_incident_manager.transport.rest.jsoncodec.schema import Schemas
from llm_incident_manager.transport.rest.openapi import operations, paths, refusals, texts
from llm_incident_manager.transport.rest.openapi.paths import Json
from llm_incident_manager.transport.rest.openapi.words import ContractWords

_ABOUT = """\
The incident manager for systems built on language models.

Every method of the gRPC contract that is not a client stream, transcoded. JSON has the contract's field names and \
prints defaults; enums are printed without their prefix and read in any case; unknown fields are refused.

Every error is a google.rpc.Status with one reason. A write with a `request_id` is safe to repeat for 24 hours.

`/ws` takes WebSockets: JSON messages with the same fields, events in (`{"type": "event", …}`, acknowledged after \
their commit) and changes out (`{"type": "subscribe", …}`), with the same credentials."""


@functools.cache
def document_json() -> bytes:
    """The document of this server's contract, as JSON text."""
    return text.dumps(document(methods.all_methods(), metadata.version("llm-incident-manager")))


def document(contract: Iterable[Method], version: str) -> Json:
    """The document of some methods; those without an HTTP annotation do not appear."""
    contract = tuple(contract)
    schemas, refused = Schemas(ContractWords(contract)), refusals.Answers()
    found: dict[str, Json] = {}
    for method in contract:
        for annotation in annotations_of(method.descriptor):
            operation = operations.operation(method, annotation, schemas, refused)
            found.setdefault(paths.path(annotation.template), {})[annotation.http_method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "LLM Incident Manager", "version": version, "description": _ABOUT},
        "servers": [{"url": "/", "description": "This server."}],
        "tags": _tags(contract),
        "paths": dict(sorted(found.items())),
        "components": {
            "schemas": dict(sorted({**schemas.components, **refusals.schemas()}.items())),
            "responses": dict(sorted(refused.components.items())),
            "headers": refusals.HEADERS,
        },
    }


def _tags(contract: Iterable[Method]) -> list[Json]:
    """One for each service, in the contract's order."""
    services = {method.descriptor.containing_service for method in contract}
    return [{"name": s.name, "description": texts.about(s)} for s in sorted(services, key=lambda s: s.full_name)]
