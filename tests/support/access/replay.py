"""Fault 40: a request that comes again under its id is answered alike and does nothing; another one is refused."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import Message

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.access import filling, realm
from tests.support.access.doors import Doors, routes
from tests.support.access.realm import OF_THE_INSTALLATION, Realm, an_incident, ask
from tests.support.access.who import Who

REUSED = 6

BEFORE: Mapping[str, Sequence[str]] = {
    "StartWork": ["Acknowledge"],
    "DeEscalate": ["Acknowledge", "Escalate"],
    "Close": ["Resolve"],
    "Reopen": ["Resolve"],
}
"""What an incident has been through before a verb makes sense."""

NOT_REPEATED = frozenset({"StreamEvents"})
"""Writes without a request id: a stream has sequence numbers instead."""


@dataclass
class Found:
    """How many methods were tried, how often, and what is wrong."""

    methods: int = 0
    calls: int = 0
    wrong: list[str] = field(default_factory=list)


def writing() -> list[Method]:
    """Every method that changes something."""
    found = [m for m in methods.all_methods() if m.permission.endswith("_WRITE") and not m.response_streaming]
    return [method for method in found if method.name not in NOT_REPEATED]


async def matrix(doors: Doors, one: Realm, elsewhere: Realm) -> Found:
    """Every writing method."""
    found = Found()
    for method in writing():
        if "request_id" not in method.request.DESCRIPTOR.fields_by_name:
            found.wrong.append(f"{method.name} writes and takes no request_id")
            continue
        found.methods += 1
        await _repeated(doors, method, one, found)
        await _of_others(doors, method, one, elsewhere, found)
    return found


async def _repeated(doors: Doors, method: Method, one: Realm, found: Found) -> None:
    request, who = await sensible(doors, method, one), _caller(method, one)
    first = await doors.rpc(method, request, who)
    if first.code:
        found.wrong.append(f"{method.name}: {first} on {request}")
        return
    before = await _settled(doors, one)
    again = await doors.rpc(method, request, who)
    over_http = [await doors.http(route, request, who) for route in routes(method)]
    if again.code or _told(method, again.data) != _told(method, first.data):
        found.wrong.append(f"{method.name}: a repeat is answered otherwise: {again}")
    found.wrong += [f"{method.name}: a repeat by HTTP: {each}" for each in over_http if each.code]
    other = type(request)()
    other.CopyFrom(request)
    _change(other)
    refused = await doors.rpc(method, other, who)
    if (refused.code, refused.reason) != (REUSED, "REQUEST_ID_REUSED"):
        found.wrong.append(f"{method.name}: another request under the id: {refused}")
    if await _effects(doors, one) != before:
        found.wrong.append(f"{method.name}: a repeat has done something")
    found.calls += 3 + len(over_http)


async def _of_others(doors: Doors, method: Method, one: Realm, elsewhere: Realm, found: Found) -> None:
    """The id of another principal, of the tenant or of another one, is no repeat: each has its own."""
    request, owner = await sensible(doors, method, one), _caller(method, one)
    await doors.rpc(method, request, owner)
    for who in (owner.named("somebody else"), _caller(method, elsewhere)):
        other = type(request)()
        other.CopyFrom(request)
        _change(other)
        answer = await doors.rpc(method, other, who)
        found.calls += 1
        if answer.code == REUSED and answer.reason == "REQUEST_ID_REUSED":
            found.wrong.append(f"{method.name}: {who.subject} of {who.tenant} is refused a request id of another's")


def _caller(method: Method, one: Realm) -> Who:
    """Who may call it in the owner's tenant."""
    return replace(one.owner, roles=("platform_admin",)) if method.permission in OF_THE_INSTALLATION else one.owner


def _told(method: Method, data: bytes) -> Message:
    """What an answer tells each time: a secret is told once."""
    reply: Any = method.response.FromString(data)
    if "secret" in method.response.DESCRIPTOR.fields_by_name:
        reply.ClearField("secret")
    told: Message = reply
    return told


async def sensible(doors: Doors, method: Method, one: Realm) -> Message:
    """A request that has an effect, about things of its own."""
    ids: dict[Any, Any] = {}
    fields: dict[str, Any] = {}
    wanted = set(filling.ids_in(method.request.DESCRIPTOR))
    for path in sorted(wanted, reverse=True):
        if filling.NAMES_OF[path] == "incident" and path[0] != "selection":
            ids[path] = (await an_incident(doors, one)).id
    for verb in BEFORE.get(method.name, ()):
        forced = {"force": True} if verb == "Resolve" else {}
        await ask(doors, one.owner, verb, incident_id=ids["incident_id",], **forced)
    special = _SPECIAL.get(method.name)
    if special is not None:
        await special(doors, one, ids, fields)
    return filling.request(method, ids, **fields)


async def _split(doors: Doors, one: Realm, ids: dict[Any, Any], _: dict[str, Any]) -> None:
    key = f"split-{next(filling.numbers)}"
    sent = [await ask(doors, one.owner, "SubmitEvent", event=one.event(dedup_key=key)) for _ in range(2)]
    ids["incident_id",], ids["event_ids",] = sent[0].incident_id, [sent[1].event_id]


async def _unmerge(doors: Doors, one: Realm, ids: dict[Any, Any], _: dict[str, Any]) -> None:
    into = await an_incident(doors, one)
    await ask(doors, one.owner, "Merge", incident_id=into.id, source_incident_ids=[ids["incident_id",]])


async def _unlink(doors: Doors, one: Realm, ids: dict[Any, Any], _: dict[str, Any]) -> None:
    pair = {path[0]: ref for path, ref in ids.items()}
    await ask(doors, one.owner, "LinkIncidents", **pair)


async def _detach(doors: Doors, one: Realm, ids: dict[Any, Any], _: dict[str, Any]) -> None:
    url = "https://example.com/x.log"
    added = await ask(doors, one.owner, "AddAttachment", incident_id=ids["incident_id",], url=url)
    ids["attachment_id",] = added.attachment.id


async def _letters(doors: Doors, one: Realm, ids: dict[Any, Any], fields: dict[str, Any]) -> None:
    incident = await an_incident(doors, one)
    ids["selection", "named", "ids"] = await realm.dead_letters(doors, one, incident.id)
    ids.pop(("selection", "matching", "incident_id"), None)


async def _apply(doors: Doors, one: Realm, _: dict[Any, Any], fields: dict[str, Any]) -> None:
    incident = await an_incident(doors, one)
    fields["filter"] = f'id = "{incident.id}"'


async def _make(_: Doors, one: Realm, __: dict[Any, Any], fields: dict[str, Any]) -> None:
    fields["dedup_key"] = f"made-{next(filling.numbers)}"


async def _key(doors: Doors, one: Realm, ids: dict[Any, Any], _: dict[str, Any]) -> None:
    made = await ask(doors, realm.overseer(one), "CreateApiKey", display_name="short-lived", roles=["viewer"])
    ids["api_key_id",] = made.api_key.id


async def _role(doors: Doors, one: Realm, ids: dict[Any, Any], _: dict[str, Any]) -> None:
    ids["name",] = f"role-{next(filling.numbers)}"
    await ask(doors, realm.overseer(one), "CreateRole", name=ids["name",], permissions=[3])


async def _new_role(_: Doors, __: Realm, ___: dict[Any, Any], fields: dict[str, Any]) -> None:
    fields["name"] = f"role-{next(filling.numbers)}"


async def _new_tenant(_: Doors, __: Realm, ___: dict[Any, Any], fields: dict[str, Any]) -> None:
    fields["tenant_id"] = f"tenant-{next(filling.numbers)}"


async def _tenant(doors: Doors, _: Realm, ids: dict[Any, Any], __: dict[str, Any]) -> None:
    ids["tenant_id",] = f"tenant-{next(filling.numbers)}"
    await ask(doors, realm.OPERATOR, "CreateTenant", tenant_id=ids["tenant_id",])


async def _erased(doors: Doors, one: Realm, ids: dict[Any, Any], fields: dict[str, Any]) -> None:
    await _tenant(doors, one, ids, fields)
    fields["confirm"] = ids["tenant_id",]


async def _denied(doors: Doors, _: Realm, __: dict[Any, Any], fields: dict[str, Any]) -> None:
    fields["fingerprint"] = f"{next(filling.numbers):064x}"
    await ask(doors, realm.OPERATOR, "DenyCertificate", fingerprint=fields["fingerprint"])


async def _order(_: Doors, one: Realm, ids: dict[Any, Any], fields: dict[str, Any]) -> None:
    ids["target", "agent_ids"] = one.ids["edge agent"]
    fields["action"] = 1


async def _directive(doors: Doors, one: Realm, ids: dict[Any, Any], _: dict[str, Any]) -> None:
    target = {"agent_ids": one.ids["edge agent"], "model": "gpt-4o"}
    made = await ask(doors, one.owner, "CreateDirective", action=1, target=target, **realm.HOW)
    ids["directive_id",] = made.directive.id


_SPECIAL = {
    "CreateDirective": _order,
    "ApproveDirective": _directive,
    "CancelDirective": _directive,
    "RotateApiKey": _key,
    "RevokeApiKey": _key,
    "UpdateRole": _role,
    "DeleteRole": _role,
    "CreateRole": _new_role,
    "CreateTenant": _new_tenant,
    "UpdateTenant": _tenant,
    "EraseTenant": _erased,
    "AllowCertificate": _denied,
    "Split": _split,
    "Unmerge": _unmerge,
    "UnlinkIncidents": _unlink,
    "RemoveAttachment": _detach,
    "ReplayDeadLetters": _letters,
    "DropDeadLetters": _letters,
    "ApplyToIncidents": _apply,
    "CreateIncident": _make,
}
"""Methods that need something to be there beside incidents."""


def _change(request: Any) -> None:  # noqa: ANN401  # any message
    """Makes it another request: its first plain text says something else, however deep that is."""
    for field_ in request.DESCRIPTOR.fields:
        if field_.name in ("actor", "resolved_by", "title", "text", "reason", "description", "display_name"):
            setattr(request, field_.name, f"{getattr(request, field_.name)} otherwise")
            return
    for field_ in request.DESCRIPTOR.fields:
        value = getattr(request, field_.name)
        if field_.message_type is not None and field_.is_repeated and len(value):
            _change(value[0])
            return
        if field_.message_type is not None and not field_.is_repeated and request.HasField(field_.name):
            _change(value)
            return
    for name in _OTHERWISE.keys() & request.DESCRIPTOR.fields_by_name.keys():
        filling.put(request, (name,), _OTHERWISE[name])
        return
    raise LookupError(f"{request.DESCRIPTOR.full_name}: nothing in it can be said otherwise")


_OTHERWISE = {"overlap": {"seconds": 7}, "name": "another", "fingerprint": "cd" * 32, "tenant_id": "another"}
"""What else makes a request another one."""


async def _settled(doors: Doors, one: Realm) -> tuple[Any, ...]:
    """The effects once nothing changes any more: routing and notifying go on after the answer."""
    seen: tuple[Any, ...] = ()
    async with asyncio.timeout(20):
        while seen != (seen := await _effects(doors, one)):  # noqa: ASYNC110  # a server of another process
            await asyncio.sleep(0.1)
    return seen


async def _effects(doors: Doors, one: Realm) -> tuple[Any, ...]:
    """What a write would change: how many incidents there are, and the newest ones with their timelines."""
    who: Who = realm.overseer(one)
    page = await ask(doors, who, "ListIncidents", page_size=3, order_by="update_time desc")
    lines = [(await realm.asked(doors, who, "ListTimeline", incident_id=each.id)).data for each in page.incidents]
    counts = page.pagination.total_count, (await realm.asked(doors, who, "ListDeadLetters", page_size=1_000)).data
    lines += [(await realm.asked(doors, who, name)).data for name in ("ListApiKeys", "ListRoles", "ListDirectives")]
    of_all = ("ListTenants", "ListDeniedCertificates")
    lines += [(await realm.asked(doors, realm.OPERATOR, name)).data for name in of_all]
    return (*counts, [each.etag for each in page.incidents], lines)
