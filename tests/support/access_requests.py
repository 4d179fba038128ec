"""Requests of the methods that are about who is let in, good ones and bad ones, for whoever is asked both ways."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Fields: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[str, Fields], Awaitable[Fields]]
"""Calls a method by its name and gives the fields of its reply."""
Requests: TypeAlias = list[tuple[Fields, bool]]
"""Fields of requests, and whether they should succeed."""

_numbers = itertools.count(1)
FAR = {"seconds": 4_000_000_000}
READ = 3
"""The number of PERMISSION_INCIDENT_READ."""


async def _key(ask: Ask) -> str:
    made = await ask("CreateApiKey", {"display_name": "given", "roles": ["viewer"]})
    return str(made["api_key"]["id"])


async def _role(ask: Ask) -> str:
    name = f"role-{next(_numbers)}"
    await ask("CreateRole", {"name": name, "permissions": [READ]})
    return name


async def _tenant(ask: Ask) -> str:
    name = f"tenant-{next(_numbers)}"
    await ask("CreateTenant", {"tenant_id": name})
    return name


async def _denied(ask: Ask) -> str:
    fingerprint = f"{next(_numbers):064x}"
    await ask("DenyCertificate", {"fingerprint": fingerprint})
    return fingerprint


async def who_am_i(_: Ask) -> Requests:
    return [({}, True)]


async def create_api_key(_: Ask) -> Requests:
    good: Fields = {"display_name": "a", "roles": ["producer"], "expire_time": FAR, "condition": {"services": ["chat"]}}
    bad: list[Fields] = [{"display_name": "a"}, {"roles": ["viewer"]}, {**good, "roles": ["nobody"]}]
    bad += [{**good, "expire_time": {"seconds": 1}}, {**good, "tenant_id": "nobody"}]
    return [(good, True), *((each, False) for each in bad)]


async def get_api_key(ask: Ask) -> Requests:
    return [({"api_key_id": await _key(ask)}, True), ({"api_key_id": "nobody"}, False)]


async def list_api_keys(ask: Ask) -> Requests:
    await _key(ask)
    await _key(ask)
    return [({"page_size": 1}, True), ({"show_revoked": True}, True), ({"page_token": "x"}, False)]


async def rotate_api_key(ask: Ask) -> Requests:
    key = await _key(ask)
    bad: list[Fields] = [{"api_key_id": "nobody"}, {"api_key_id": key, "overlap": {"seconds": 9_000_000}}]
    return [({"api_key_id": key, "overlap": {"seconds": 60}}, True), *((each, False) for each in bad)]


async def revoke_api_key(ask: Ask) -> Requests:
    return [({"api_key_id": await _key(ask), "reason": "leaked"}, True), ({"api_key_id": "nobody"}, False)]


async def list_roles(ask: Ask) -> Requests:
    await _role(ask)
    return [({}, True)]


async def get_role(ask: Ask) -> Requests:
    return [({"name": await _role(ask)}, True), ({"name": "viewer"}, True), ({"name": "nobody"}, False)]


async def create_role(ask: Ask) -> Requests:
    good: Fields = {"name": f"role-{next(_numbers)}", "permissions": [READ], "description": "for reading"}
    bad: list[Fields] = [{**good, "name": "Bad Name"}, {**good, "permissions": []}, {**good, "name": "viewer"}]
    bad += [{**good, "name": await _role(ask)}, {**good, "permissions": [0]}]
    return [(good, True), *((each, False) for each in bad)]


async def update_role(ask: Ask) -> Requests:
    name = await _role(ask)
    good: Fields = {"name": name, "permissions": [READ, 1]}
    bad: list[Fields] = [{**good, "etag": "1"}, {**good, "name": "viewer"}, {**good, "name": "nobody"}, {"name": name}]
    return [(good, True), *((each, False) for each in bad)]


async def delete_role(ask: Ask) -> Requests:
    used = await _role(ask)
    await ask("CreateApiKey", {"display_name": "has it", "roles": [used]})
    bad: list[Fields] = [{"name": used}, {"name": "viewer"}, {"name": "nobody"}]
    return [({"name": await _role(ask)}, True), *((each, False) for each in bad)]


async def create_tenant(_: Ask) -> Requests:
    good: Fields = {"tenant_id": f"tenant-{next(_numbers)}", "limits": {"burst": 7}}
    bad: list[Fields] = [{"tenant_id": "default"}, {"tenant_id": "Bad Name"}, {**good, "limits": {"burst": -1}}]
    return [(good, True), *((each, False) for each in bad)]


async def get_tenant(ask: Ask) -> Requests:
    return [({"tenant_id": await _tenant(ask)}, True), ({"tenant_id": "nobody"}, False)]


async def list_tenants(ask: Ask) -> Requests:
    await _tenant(ask)
    return [({"page_size": 1}, True), ({"page_size": -1}, False)]


async def update_tenant(ask: Ask) -> Requests:
    name = await _tenant(ask)
    good: Fields = {"tenant_id": name, "state": 2, "limits": {"events_per_second": 5}}
    bad: list[Fields] = [{"tenant_id": name, "state": 4}, {"tenant_id": "nobody"}, {"tenant_id": "default", "state": 2}]
    return [(good, True), ({**good, "etag": "1"}, False), *((each, False) for each in bad)]


async def deny_certificate(_: Ask) -> Requests:
    colons = ":".join(["AB"] * 32)
    return [({"fingerprint": colons, "reason": "stolen"}, True), ({"fingerprint": "12"}, False), ({}, False)]


async def allow_certificate(ask: Ask) -> Requests:
    return [({"fingerprint": await _denied(ask)}, True), ({"fingerprint": "f" * 64}, False)]


async def list_denied_certificates(ask: Ask) -> Requests:
    await _denied(ask)
    return [({"page_size": 1}, True), ({"page_token": "x"}, False)]


def _camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


async def erase_tenant(ask: Ask) -> Requests:
    name = await _tenant(ask)
    bad = [{"tenant_id": name, "confirm": "another"}, {"tenant_id": name}, {"tenant_id": "nobody", "confirm": "nobody"}]
    bad.append({"tenant_id": "default", "confirm": "default"})
    return [*((each, False) for each in bad), ({"tenant_id": name, "confirm": name, "reason": "it ended"}, True)]


REQUESTS: dict[str, Callable[[Ask], Awaitable[Requests]]] = {
    _camel(make.__name__): make
    for make in (
        who_am_i,
        create_api_key,
        get_api_key,
        list_api_keys,
        rotate_api_key,
        revoke_api_key,
        list_roles,
        get_role,
        create_role,
        update_role,
        delete_role,
        create_tenant,
        get_tenant,
        list_tenants,
        update_tenant,
        erase_tenant,
        deny_certificate,
        allow_certificate,
        list_denied_certificates,
    )
}
"""By the name of the method."""

TOLD_ONCE = frozenset({"CreateApiKey", "RotateApiKey"})
"""Methods whose reply has a secret, which a repeat of the request does not show again."""
