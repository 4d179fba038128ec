"""Nobody is told of an incident for a while: people know of it and will look at it later."""

from llm_incident_manager.domain import lifecycle, time
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import IllegalTransition, InvalidFields, Merged
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports import snoozing
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.incidents import Target, guard


class Snoozing:
    """Snoozes incidents. They wake by a timer, or by what makes waiting wrong."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """Needs the time and new ids; the store comes with each transaction."""
        self._clock = clock
        self._ids = ids

    async def snooze(
        self, tx: Transaction, changes: Changes, caller: Caller, target: Target, actor: str, until: Instant
    ) -> Incident:
        """Snoozes an open incident until then, instead of until when it was snoozed before.

        Raises NotFound, StaleEtag, Merged, IllegalTransition, and InvalidFields for a moment that has passed.
        """
        incident = await tx.incident(caller.tenant, target.ref)
        guard(incident, target.etag)
        if not would_snooze(incident, until):
            return incident
        now = self._clock.now()
        if until <= now:
            text = f"{time.rfc3339(until)} has passed: give a moment after {time.rfc3339(now)}"
            raise InvalidFields([Violation("until", text, "future")])
        return snoozing.begin(changes, self._ids, incident, until, actor, now)


def would_snooze(incident: Incident, until: Instant) -> bool:
    """Whether it is not snoozed until then already. Raises Merged and IllegalTransition."""
    if incident.merged_into is not None:
        raise Merged(incident.number, incident.merged_into, "use that one, or unmerge this one first")
    if not incident.is_open:
        raise IllegalTransition(incident.state, "snooze", lifecycle.allowed(incident.state), incident=incident.number)
    return incident.snoozed_until != until
