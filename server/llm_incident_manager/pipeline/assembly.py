"""The product on one screen: every stage and effect, in order. Read this file first.

BEFORE_ACK runs on each micro-batch inside one transaction; only after its commit is anything acknowledged.
AFTER_COMMIT and EFFECTS take rows from the outbox, at least once, in order per incident.
"""

from llm_incident_manager.domain.roles import Role
from llm_incident_manager.pipeline.effects import consult, notify
from llm_incident_manager.pipeline.stages import create, dedup, route, triage

BEFORE_ACK = (dedup, triage, create)
AFTER_COMMIT = (route,)
EFFECTS = (notify, consult)

STEPS = {
    Role.API: BEFORE_ACK,
    Role.CLASSIFY: (),  # nothing yet: the rules judge before the acknowledgement
    Role.ROUTE: (route,),
    Role.NOTIFY: (notify, consult),
    Role.ACT: (),  # nothing yet: there are no playbooks
}
"""Which process does what: `serve --roles`. Beside its steps, ROUTE has the timers; whoever holds the lease `upkeep`
sweeps and indexes, whatever its roles."""
