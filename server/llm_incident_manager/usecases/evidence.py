"""Shows the record that a report names as evidence: the very one, as it lies in the database. Changes nothing."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from llm_incident_manager.domain import evidence
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.compliance import Control, Framework
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.evidence import Value
from llm_incident_manager.domain.ids import IncidentId, is_uuid
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.timeline import TimelineEntry
from llm_incident_manager.ports.changes import DeliveryRow
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.usecases import sight
from llm_incident_manager.usecases.caller import Caller


@dataclass(frozen=True, slots=True)
class NamedSetting:
    """A setting and what it is."""

    key: str
    value: Value


Record: TypeAlias = (
    Incident | TimelineEntry | DeliveryRow | Attachment | AuditRow | Checkpoint | ApiKey | NamedSetting | Control
)

Way: TypeAlias = Callable[[Caller, str], Awaitable[Record | None]]
"""Finds a record by what follows its kind; None when there is none."""

_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class Records:
    """The records of a tenant by their names as evidence."""

    def __init__(self, store: Store, frameworks: Mapping[str, Framework], settings: Mapping[str, Value]) -> None:
        """`frameworks` by id."""
        self._store = store
        self._frameworks = frameworks
        self._settings = settings
        self._ways: Mapping[str, Way] = {
            evidence.INCIDENT: self._incident,
            evidence.TIMELINE: self._entry,
            evidence.DELIVERY: self._delivery,
            evidence.ATTACHMENT: self._attachment,
            evidence.AUDIT: self._audited,
            evidence.CHECKPOINT: self._checkpoint,
            evidence.API_KEY: self._key,
            evidence.SETTING: self._setting,
            evidence.REQUIREMENT: self._control,
        }

    async def get(self, caller: Caller, name: str) -> Record:
        """The record of that name. Raises NotFound."""
        kind, rest = evidence.unnamed(name)
        way = self._ways.get(kind)
        found = None if way is None else await way(caller, rest)
        if found is None:
            raise NotFound("evidence", name, "name it as a report does, for instance incident.<id>")
        return found

    async def _incident(self, caller: Caller, id_: str) -> Incident | None:
        if not is_uuid(id_):
            return None
        try:
            return await sight.incident(self._store, caller, id_)
        except NotFound:
            return None

    async def _entry(self, caller: Caller, rest: str) -> TimelineEntry | None:
        if (named := _of_incident(rest)) is None:
            return None
        found = await self._store.timeline(caller.tenant, named.incident, _before(named.id), 1)
        return next((each for each in found if each.id == named.id), None)

    async def _delivery(self, caller: Caller, rest: str) -> DeliveryRow | None:
        if (named := _of_incident(rest)) is None:
            return None
        found = await self._store.deliveries(caller.tenant, named.incident)
        return next((each for each in found if each.id == named.id), None)

    async def _attachment(self, caller: Caller, rest: str) -> Attachment | None:
        if (named := _of_incident(rest)) is None:
            return None
        found = await self._store.attachments(caller.tenant, named.incident, _before(named.id), 1)
        return next((each for each in found if each.id == named.id), None)

    async def _audited(self, caller: Caller, rest: str) -> AuditRow | None:
        writer, _, sequence = rest.rpartition(".")
        if _NUMBER.fullmatch(sequence) is None:
            return None
        found = await self._store.audit_rows(caller.tenant, writer, int(sequence) - 1, 1)
        return next((each for each in found if each.sequence == int(sequence)), None)

    async def _checkpoint(self, caller: Caller, number: str) -> Checkpoint | None:
        if _NUMBER.fullmatch(number) is None:
            return None
        found = await self._store.audit_checkpoints(caller.tenant, int(number) - 1, 1)
        return next((each for each in found if each.number == int(number)), None)

    async def _key(self, caller: Caller, id_: str) -> ApiKey | None:
        return await self._store.api_key(caller.tenant, id_)

    async def _setting(self, _: Caller, key: str) -> NamedSetting | None:
        return NamedSetting(key, self._settings[key]) if key in self._settings else None

    async def _control(self, _: Caller, rest: str) -> Control | None:
        framework, wanted = rest.rpartition(".")[0].partition(".")[::2]
        controls = self._frameworks[framework].controls if framework in self._frameworks else ()
        return next((each for each in controls if each.id == wanted), None)


class _Named(NamedTuple):
    incident: IncidentId
    id: str


def _of_incident(rest: str) -> _Named | None:
    """What belongs to an incident, by both ids; None for what are none."""
    incident, _, id_ = rest.partition(".")
    return _Named(IncidentId(incident), id_) if is_uuid(incident) and is_uuid(id_) else None


def _before(id_: str) -> str:
    """The id that comes right before another one."""
    number = max(0, int(id_.replace("-", ""), 16) - 1)
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
