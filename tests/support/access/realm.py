"""What one owner has: incidents, events, notes, attachments, links, dead letters, each with its canary in it."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.domain.access import NARROWABLE
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.access import filling
from tests.support.access.doors import Answer, Doors
from tests.support.access.filling import Path
from tests.support.access.who import Who
from tests.support.foreign import IN_VAIN
from tests.support.receiver import LOOPBACK

BY_NAME: Mapping[str, Method] = {method.name: method for method in methods.all_methods()}
OF_THE_INSTALLATION = frozenset({"TENANT_READ", "TENANT_WRITE"})
OPERATOR = Who("default", "operator", ("platform_admin",))
ALL_RIGHTS = ("admin", "producer", "responder", "auditor")

GIVES_UP_AT_ONCE = json.dumps(
    {
        "identity": {"required": True, "api_keys": {"pepper": "nothing that tests have is secret"}},
        "notifications": {
            "channels": [{"type": "webhook", "webhook_url": "http://127.0.0.1:9/nobody"}],
            "max_attempts": 1,
            "base_delay_secs": 0.01,
        },
        "log": {"level": "info"},
        "limits": {"usual_tier": ""},
        "graphql": {"max_complexity": 1_000_000},
        **LOOPBACK,
        **IN_VAIN,
    }
)
"""A configuration with which every notification soon is a dead letter."""


@dataclass
class Realm:
    """An owner and what it has, by what names it."""

    owner: Who
    canary: str
    service: str = ""
    team: str = ""
    ids: dict[str, list[str]] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    page_tokens: dict[str, str] = field(default_factory=dict)
    resume_token: str = ""

    @property
    def labels(self) -> dict[str, str]:
        return {"canary": self.canary, **({"team": self.team} if self.team else {})}

    def own(self, method: Method) -> dict[Path, Any]:
        """Every id that the method's request takes, from what the owner has; different ones where it takes several."""
        found: dict[Path, Any] = {}
        taken: dict[str, int] = {}
        for path in filling.ids_in(method.request.DESCRIPTOR):
            kind = filling.NAMES_OF[path]
            if path[0] == "selection" and path[1] == "matching":
                continue  # one of a oneof: the other is taken
            found[path] = self.ids[kind][taken.get(kind, 0)]
            taken[kind] = taken.get(kind, 0) + 1
        return found

    def event(self, **fields: Any) -> event_pb2.Event:  # noqa: ANN401  # the contract's fields
        """An event of the owner's."""
        given = {"source": "shield", "title": f"{self.canary} reported", "service": self.service, "labels": self.labels}
        return event_pb2.Event(**{**given, **fields})


async def ask(doors: Doors, who: Who, name: str, /, **fields: Any) -> Any:  # noqa: ANN401  # the reply of any method
    """The reply of a call that must succeed."""
    method = BY_NAME[name]
    answer = await doors.rpc(method, method.request(**fields), who)
    assert answer.code == 0, (name, answer)
    return method.response.FromString(answer.data)


async def an_incident(doors: Doors, realm: Realm, **fields: Any) -> Any:  # noqa: ANN401
    """A new incident of the owner's."""
    number = next(filling.numbers)
    given = {"source": "by-hand", "title": f"{realm.canary} {number}", "dedup_key": f"{realm.canary}-{number}"}
    more = {"service": realm.service, "labels": realm.labels, "severity": "SEVERITY_P2"}
    return (await ask(doors, realm.owner, "CreateIncident", **{**given, **more, **fields})).incident


async def populate(doors: Doors, realm: Realm) -> None:
    """Gives the owner something of every kind, and waits for a dead letter."""
    made = [await an_incident(doors, realm) for _ in range(6)]
    first = made[0].id
    sent = [realm.event(dedup_key=f"{realm.canary}-storm", idempotency_key=f"{realm.canary}-{n}") for n in range(4)]
    results = [await ask(doors, realm.owner, "SubmitEvent", event=event) for event in sent]
    note = {"incident_id": first, "text": f"{realm.canary} noted"}
    await ask(doors, realm.owner, "AddNote", **note)
    url = f"https://example.com/{realm.canary}"
    attached = await ask(doors, realm.owner, "AddAttachment", incident_id=first, url=url, title=realm.canary)
    await ask(doors, realm.owner, "LinkIncidents", incident_id=first, linked_incident_id=made[1].id)
    await ask(doors, realm.owner, "Merge", incident_id=made[2].id, source_incident_ids=[made[3].id])
    who = overseer(realm)
    keys = [await ask(doors, who, "CreateApiKey", display_name=realm.canary, roles=["viewer"]) for _ in range(2)]
    role = f"role-of-{realm.canary}"
    await ask(doors, who, "CreateRole", name=role, description=realm.canary, permissions=[3])
    agent = f"agent-of-{realm.canary}"
    await an_agent(doors, who, agent)
    given = {"action": 1, "target": {"agent_ids": [agent], "model": realm.canary}, "reason": realm.canary}
    orders = [await ask(doors, who, "CreateDirective", **given, **HOW) for _ in range(2)]
    realm.ids = {
        "edge agent": [agent],
        "directive": [each.directive.id for each in orders],
        "incident": [results[0].incident_id, *(each.id for each in made if each.id != made[3].id)],
        "event": [each.event_id for each in results],
        "attachment": [attached.attachment.id],
        "dead letter": await dead_letters(doors, realm, first),
        "api key": [each.api_key.id for each in keys],
        "role": [role],
        "tenant": [realm.owner.tenant],
        "evidence": [f"attachment.{first}.{attached.attachment.id}", f"incident.{first}"],
    }
    realm.numbers = [each.number for each in made]
    realm.resume_token = await _resume_token(doors, realm)
    realm.page_tokens = await _page_tokens(doors, realm, first)


HOW: Mapping[str, Any] = {"parameters": {"texts": {"to": "another"}}, "ttl": {"seconds": 60}}
"""What directives of tests do, and for how long."""


async def an_agent(doors: Doors, who: Who, agent_id: str) -> None:
    """An agent that had a session."""
    method = BY_NAME["Session"]
    register = {"agent_id": agent_id, "protocol_version": 1, "display_name": agent_id}
    answer = await doors.stream(method, [method.request(register=register).SerializeToString()], who, first=5.0, most=1)
    assert answer.code == 0, answer


async def dead_letters(doors: Doors, realm: Realm, incident: str) -> list[str]:
    """The dead letters of an incident of the owner's, once there are any."""
    async with asyncio.timeout(20):
        while True:
            found = await ask(doors, overseer(realm), "ListDeadLetters", incident_id=incident)
            if found.dead_letters:
                return [each.id for each in found.dead_letters]


async def _resume_token(doors: Doors, realm: Realm) -> str:
    """Of before anything was done."""
    return str((await watched(doors, realm.owner, snapshot=False))[0].resume_token)


async def watched(doors: Doors, who: Who, **fields: Any) -> Sequence[Any]:  # noqa: ANN401
    """What a watch tells until it is quiet."""
    method = BY_NAME["WatchIncidents"]
    answer = await doors.stream(method, [method.request(**fields).SerializeToString()], who, first=5.0, most=1)
    assert answer.code == 0, answer
    return [method.response.FromString(part) for part in answer.parts]


async def _page_tokens(doors: Doors, realm: Realm, incident: str) -> dict[str, str]:
    """The token of every list that has a second page."""
    found: dict[str, str] = {}
    for name, method in BY_NAME.items():
        if "page_token" not in method.request.DESCRIPTOR.fields_by_name or method.permission in OF_THE_INSTALLATION:
            continue
        fields: dict[str, Any] = {"page_size": 1}
        if "incident_id" in method.request.DESCRIPTOR.fields_by_name and name != "ListDeadLetters":
            fields["incident_id"] = incident
        who = realm.owner if method.permission in NARROWABLE else overseer(realm)
        reply = await ask(doors, who, name, **fields)
        token = reply.pagination.next_page_token if name == "ListIncidents" else reply.next_page_token
        if token:
            found[name] = token
    return found


async def found_tenants(doors: Doors) -> None:
    """Makes the tenants that tests' callers are of."""
    for tenant in ("alpha", "beta"):
        await ask(doors, OPERATOR, "CreateTenant", tenant_id=tenant)


def overseer(realm: Realm) -> Who:
    """Who looks after the whole tenant of the owner, and is narrowed by nothing."""
    return Who(realm.owner.tenant, "overseer", ("admin",))


async def state(doors: Doors, realm: Realm) -> Mapping[str, bytes]:
    """Everything the owner has, as it is now: to be compared with later."""
    who, found = overseer(realm), dict[str, bytes]()
    for ref in realm.ids["incident"]:
        for name in ("GetIncident", "ListTimeline", "ListAttachments", "ListRelatedIncidents"):
            found[f"{name} {ref}"] = (await asked(doors, who, name, incident_id=ref)).data
    for ref in realm.ids["api key"]:
        found[f"key {ref}"] = (await asked(doors, who, "GetApiKey", api_key_id=ref)).data
    for ref in realm.ids["role"]:
        found[f"role {ref}"] = (await asked(doors, who, "GetRole", name=ref)).data
    for ref in realm.ids["directive"]:
        found[f"directive {ref}"] = (await asked(doors, who, "GetDirective", directive_id=ref)).data
    for ref in realm.ids["dead letter"]:
        found[f"letter {ref}"] = (await asked(doors, who, "GetDeadLetter", dead_letter_id=ref)).data
    return found


async def asked(doors: Doors, who: Who, name: str, /, **fields: Any) -> Answer:  # noqa: ANN401
    """The answer of any call."""
    method = BY_NAME[name]
    return await doors.rpc(method, method.request(**fields), who)


def opening(producer: str, *events: event_pb2.Event, first: int = 1) -> list[bytes]:
    """The messages of a stream that opens and sends one frame."""
    pb = ingest_service_pb2
    messages: list[Message] = [pb.StreamEventsRequest(open=pb.StreamOpen(producer_id=producer))]
    if events:
        messages.append(pb.StreamEventsRequest(frame=pb.EventFrame(first_sequence=first, events=events)))
    return [message.SerializeToString() for message in messages]
