"""Fault 42, mass assignment: what only the server sets is ignored or refused, wherever a request could carry it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.access import filling
from tests.support.access.doors import Doors, routes
from tests.support.access.realm import BY_NAME, Realm, an_incident, ask

FOREIGN = {
    "tenant": "beta",
    "tenant_id": "beta",
    "id": "00000000-0000-7000-8000-000000000000",
    "number": "INC-20200101-00001",
    "state": "CLOSED",
    "create_time": "2020-01-01T00:00:00Z",
    "etag_": "7",
    "create_actor": "root",
    "principal": "root",
    "roles": ["platform_admin"],
    "permissions": ["TENANT_WRITE"],
    "proven_by": "mtls",
    "revision": 9,
    "merged_into": "x",
    "event_count": 99,
    "__class__": "x",
}
"""What no request has as a field of its own: each is told so."""


@dataclass
class Found:
    """How many fields were tried, and what is wrong."""

    fields: int = 0
    wrong: list[str] = field(default_factory=list)


async def unknown(doors: Doors, one: Realm) -> Found:
    """Fields that a request does not have: JSON refuses them by name, and nothing happens."""
    found = Found()
    for method in methods.all_methods():
        for route in routes(method):
            if not route.body:
                continue
            for name, value in FOREIGN.items():
                target = method.request.DESCRIPTOR
                if route.body != "*":
                    target = target.fields_by_name[route.body].message_type or target
                if name in target.fields_by_name:
                    continue
                found.fields += 1
                who = replace(one.owner, roles=("platform_admin",))
                answer = await doors.http(route, method.request(), who, raw=_json(name, value))
                if (answer.code, answer.reason) != (3, "INVALID_FIELD") or name not in answer.message:
                    found.wrong.append(f"{route} with {name}: {answer.code} {answer.reason} {answer.message}")
    return found


def _json(name: str, value: object) -> bytes:
    return json.dumps({name: value}).encode()


def resources() -> Iterator[tuple[Method, FieldDescriptor]]:
    """Requests that carry a whole resource, which has fields that only the server sets."""
    for method in methods.all_methods():
        fields: Any = method.request.DESCRIPTOR.fields
        for each in fields:
            kind = each.message_type
            if kind is not None and {"create_time", "etag"} & set(kind.fields_by_name):
                yield method, each


async def set_by_server(doors: Doors, one: Realm) -> Found:
    """Every field of such a resource that a caller must not set, named in the mask or not."""
    found = Found()
    for method, resource in resources():
        assert method.name == "UpdateIncident", f"{method.name}: say here how its {resource.name} is looked at"
        kind = resource.message_type
        assert kind is not None
        for each in kind.fields:
            if each.name in filling.SERVER_SET:
                found.fields += 1
                found.wrong += await _update(doors, one, each)
    return found


async def _update(doors: Doors, one: Realm, each: FieldDescriptor) -> list[str]:
    method, wrong = BY_NAME["UpdateIncident"], list[str]()
    made = await an_incident(doors, one)
    for paths in (["title"], [each.name], ["title", each.name], []):
        request: Any = method.request()
        request.incident.id, request.incident.title = made.id, f"{one.canary} renamed"
        request.update_mask.paths.extend(paths)
        _fill(request.incident, each)
        answer = await doors.rpc(method, request, one.owner)
        now = await ask(doors, one.owner, "GetIncident", incident_id=made.id)
        if getattr(now, each.name) != getattr(made, each.name) and each.name not in _MOVES_BY_ITSELF:
            wrong.append(f"{each.name} with mask {paths} was set: {getattr(now, each.name)}")
        if (each.name in paths or not paths) and answer.code != 3:
            wrong.append(f"{each.name} with mask {paths}: {answer.code}, expected to be refused")
    return wrong


_MOVES_BY_ITSELF = frozenset({"update_time", "route", "sla"})
"""Fields that the server may set meanwhile."""


def _fill(incident: Any, each: FieldDescriptor) -> None:  # noqa: ANN401  # any message
    if each.message_type is not None:
        target = getattr(incident, each.name)
        target.SetInParent()
        for inner in each.message_type.fields:
            if inner.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_INT32) and not inner.is_repeated:
                setattr(target, inner.name, 7)
    elif each.type == FieldDescriptor.TYPE_STRING:
        setattr(incident, each.name, "planted")
    else:
        setattr(incident, each.name, 2)
