"""How long records are kept: each key reaches the part of the server that deletes by it."""

import pytest

from llm_incident_manager import parts
from llm_incident_manager.config import ConfigError, load
from llm_incident_manager.domain.time import DAY
from llm_incident_manager.engines.retention import Policy


def test_the_defaults_keep_the_audit_for_ever_and_events_as_long_as_incidents() -> None:
    assert parts.policy(load({})) == Policy(90 * DAY, 90 * DAY, 0, 20 * 1024**3)


@pytest.mark.parametrize(
    ("key", "policy"),
    [
        ("events_days", Policy(events=3 * DAY)),
        ("incidents_days", Policy(incidents=3 * DAY)),
        ("audit_days", Policy(audit=3 * DAY)),
        ("max_bytes", Policy(most_bytes=3)),
    ],
)
def test_each_key_decides_about_its_own_records(key: str, policy: Policy) -> None:
    nothing = {
        f"LLM_IM__RETENTION__{name}": "0" for name in ("EVENTS_DAYS", "INCIDENTS_DAYS", "AUDIT_DAYS", "MAX_BYTES")
    }
    assert parts.policy(load(nothing)) == Policy()
    assert parts.policy(load({**nothing, f"LLM_IM__RETENTION__{key.upper()}": "3"})) == policy


@pytest.mark.parametrize("value", ["-1", "a month", "36501"])
def test_a_number_of_days_is_needed(value: str) -> None:
    with pytest.raises(ConfigError, match=r"retention\.events_days"):
        load({"LLM_IM__RETENTION__EVENTS_DAYS": value})
