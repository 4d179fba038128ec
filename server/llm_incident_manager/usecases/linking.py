"""Links between incidents, and from incidents to material elsewhere. Both leave the incidents' revisions alone."""

from collections.abc import Mapping, Sequence

from llm_incident_manager.domain import changed_fields
from llm_incident_manager.domain.changed_fields import Difference
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields, NotFound
from llm_incident_manager.domain.event import NOTHING
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import INVERSE, Attachment, LinkRow, Related, Relation
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports import told
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.usecases.caller import Caller

MOST_LINKS = 200
MOST_ATTACHMENTS = 200


class Linking:
    """Links incidents with each other and with material elsewhere."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """Needs the time and new ids; the store comes with each transaction."""
        self._clock = clock
        self._ids = ids

    async def link(
        self, tx: Transaction, changes: Changes, caller: Caller, refs: tuple[str, str], actor: str, why: str
    ) -> Related:
        """Links two incidents for both, unless they are linked; returns the second as it stands to the first.

        Raises NotFound, and InvalidFields for an incident with itself and for too many links.
        """
        one, other = await _pair(tx, caller, refs)
        links = {each.id: await _links(tx, each) for each in (one, other)}
        for link in links[one.id]:
            if link.incident.id == other.id:
                return link
        for incident in (one, other):
            if len(links[incident.id]) >= MOST_LINKS:
                text = f"{incident.number} has {MOST_LINKS} links already: unlink others first"
                raise InvalidFields([Violation("linked_incident_id", text, "links")])
        now = self._clock.now()
        changes.links.extend(both_ways(one, other, Relation.LINKED, now, actor, why))
        text = f"Linked by {actor}: {why}" if why else f"Linked by {actor}"
        self._tell_link(changes, (one, other), "link", actor, text, now)
        return Related(Relation.LINKED, other, now, actor, why)

    async def unlink(
        self, tx: Transaction, changes: Changes, caller: Caller, refs: tuple[str, str], actor: str
    ) -> Incident:
        """Takes a link away for both; returns the first incident. Raises NotFound."""
        one, other = await _pair(tx, caller, refs)
        if not any(link.incident.id == other.id for link in await _links(tx, one)):
            raise NotFound("link", f"{one.number}/{other.number}")
        now = self._clock.now()
        changes.links_removed.extend(both_ways(one, other, Relation.LINKED, now, actor, ""))
        self._tell_link(changes, (one, other), "unlink", actor, f"Unlinked by {actor}", now)
        return one

    async def attach(
        self, tx: Transaction, changes: Changes, caller: Caller, ref: str, draft: Attachment
    ) -> Attachment:
        """Attaches a link; `draft` has everything but id, incident and time.

        Raises NotFound, and InvalidFields for too many attachments.
        """
        incident = await tx.incident(caller.tenant, ref)
        if len(await tx.attachments(caller.tenant, incident.id, "", MOST_ATTACHMENTS)) >= MOST_ATTACHMENTS:
            text = f"{incident.number} has {MOST_ATTACHMENTS} attachments already: remove others first"
            raise InvalidFields([Violation("url", text, "attachments")])
        now = self._clock.now()
        added = draft._replace(id=self._ids.new(now), tenant=caller.tenant, incident_id=incident.id, at=now)
        changes.attachments.append(added)
        self._tell_attachment(changes, incident, added, "attach", added.actor, now)
        return added

    async def detach(
        self, tx: Transaction, changes: Changes, caller: Caller, ref: str, attachment: str, actor: str
    ) -> Attachment:
        """Removes an attachment; returns it as it was. Raises NotFound."""
        incident = await tx.incident(caller.tenant, ref)
        for found in await tx.attachments(caller.tenant, incident.id, "", MOST_ATTACHMENTS):
            if found.id == attachment:
                changes.attachments_removed.append(found)
                self._tell_attachment(changes, incident, found, "detach", actor, self._clock.now())
                return found
        raise NotFound("attachment", attachment)

    def _tell_link(
        self, changes: Changes, pair: tuple[Incident, Incident], verb: str, actor: str, text: str, now: Instant
    ) -> None:
        for here, there in (pair, pair[::-1]):
            details = {"verb": verb, "other": there.id, "number": there.number}
            change = _came_or_went({"linked": there.id}, came=verb == "link")
            told.tell(changes, self._ids, here, Happening(TimelineKind.LINKED, actor, text, details, *change), now)

    def _tell_attachment(
        self, changes: Changes, incident: Incident, attachment: Attachment, verb: str, actor: str, now: Instant
    ) -> None:
        done = "attached" if verb == "attach" else "removed"
        details = {"verb": verb, "attachment": attachment.id, "url": attachment.url}
        text = f"{actor} {done} {attachment.title}"
        facts = {"url": changed_fields.short(attachment.url), "title": changed_fields.short(attachment.title)}
        change = _came_or_went(facts, came=verb == "attach")
        happening = Happening(TimelineKind.ATTACHMENT, actor, text, details, *change)
        told.tell(changes, self._ids, incident, happening, now)


def _came_or_went(facts: Mapping[str, str], *, came: bool) -> Difference:
    return Difference(NOTHING, facts) if came else Difference(facts, NOTHING)


def both_ways(
    one: Incident, other: Incident, relation: Relation, at: Instant, actor: str, reason: str
) -> tuple[LinkRow, LinkRow]:
    """The two rows of one link: how `one` stands to `other`, and the other way round."""
    return (
        LinkRow(one.tenant, one.id, relation, other.id, at, actor, reason),
        LinkRow(one.tenant, other.id, INVERSE[relation], one.id, at, actor, reason),
    )


async def _pair(tx: Transaction, caller: Caller, refs: tuple[str, str]) -> tuple[Incident, Incident]:
    """Both incidents, locked in one order."""
    first, second = [(await tx.peek(caller.tenant, ref)).id for ref in refs]
    if first == second:
        text = f"{refs[1]!r} is the same incident: name another one"
        raise InvalidFields([Violation("linked_incident_id", text, "self")])
    found = {each.id: each for each in await tx.incidents(caller.tenant, sorted((first, second)))}
    return found[first], found[second]


async def _links(tx: Transaction, incident: Incident) -> Sequence[Related]:
    return await tx.related(incident.tenant, incident.id, (Relation.LINKED, ""), MOST_LINKS)
