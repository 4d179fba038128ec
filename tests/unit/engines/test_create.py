"""What a fresh event does."""

from dataclasses import dataclass

import pytest

from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import MINUTE, Instant
from llm_incident_manager.engines import create
from tests.support.builders import NOW

WINDOW = 15 * MINUTE


@dataclass
class Open:
    state: State = State.NEW
    severity: Severity = Severity.P2
    last_seen: Instant = NOW


ROWS = [
    # Nothing open: a trigger opens.
    (Action.TRIGGER, 0, Severity.P2, None, False, "Open", "first_of_its_kind"),
    # Nothing open, but once there was: the new one is linked to the old.
    (Action.TRIGGER, 0, Severity.P2, None, True, "Open", "after_resolution"),
    # An open incident takes every trigger.
    (Action.TRIGGER, 0, Severity.P2, Open(), False, "Attach", "open_incident"),
    # At the very end of the window it is still the same bout.
    (Action.TRIGGER, WINDOW, Severity.P2, Open(), False, "Attach", "open_incident"),
    # Beyond it the problem came back.
    (Action.TRIGGER, WINDOW + 1, Severity.P2, Open(), False, "Attach", "recurred"),
    # Late news of earlier times is no recurrence.
    (Action.TRIGGER, -3 * WINDOW, Severity.P2, Open(), False, "Attach", "open_incident"),
    # More severe raises, and is the better reason when it also came back.
    (Action.TRIGGER, 0, Severity.P1, Open(), False, "Attach", "severity_raised"),
    (Action.TRIGGER, 2 * WINDOW, Severity.P0, Open(), False, "Attach", "severity_raised"),
    # Less severe changes nothing.
    (Action.TRIGGER, 0, Severity.P4, Open(), False, "Attach", "open_incident"),
    # A source may resolve from any open state.
    (Action.RESOLVE, 0, Severity.P2, Open(), False, "Move", "resolved"),
    (Action.RESOLVE, 0, Severity.P2, Open(State.ESCALATED), False, "Move", "resolved"),
    (Action.RESOLVE, 0, Severity.P2, None, True, "Ignore", "no_open_incident"),
    # It acknowledges only what nobody has taken.
    (Action.ACKNOWLEDGE, 0, Severity.P2, Open(), False, "Move", "acknowledged"),
    (Action.ACKNOWLEDGE, 0, Severity.P2, Open(State.IN_PROGRESS), False, "Ignore", "already_acknowledged"),
    (Action.ACKNOWLEDGE, 0, Severity.P2, None, False, "Ignore", "no_open_incident"),
    # A change opens nothing, whatever is open.
    (Action.CHANGE, 0, Severity.P2, Open(), False, "Record", "change_recorded"),
]


@pytest.mark.parametrize(("action", "after", "severity", "holder", "known", "kind", "reason"), ROWS)
def test_decisions(
    action: Action, after: int, severity: Severity, holder: Open | None, known: bool, kind: str, reason: str
) -> None:
    decision = create.decide(action, Instant(NOW + after), severity, holder, WINDOW, known=known)
    assert (type(decision).__name__, decision.reason) == (kind, reason)
