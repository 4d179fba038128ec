"""Frameworks as data: what comes with the server is whole, and what cannot be meant is refused by its place."""

from copy import deepcopy
from typing import Any

import pytest

from llm_incident_manager.adapters import compliance_packs
from llm_incident_manager.adapters.compliance_packs import PackError
from llm_incident_manager.config import Settings, evidence
from llm_incident_manager.domain.compliance import Setting

WHOLE: dict[str, Any] = {
    "id": "own",
    "name": "Own",
    "edition": "1",
    "version": "2026-11-22",
    "effective_date": "2026-01-01",
    "aliases": ["OWN"],
    "notice": "no legal advice",
    "scopes": {"grave": "severity >= P1"},
    "controls": [
        {
            "id": "C1",
            "title": "t",
            "source": "s",
            "text": "x",
            "gravity": "high",
            "requirements": [
                {
                    "id": "r",
                    "applies_to": "{grave} AND state = CLOSED",
                    "evidence": "e",
                    "remedy": "m",
                    "any_of": [{"notified": True, "within": "2h"}],
                }
            ],
        }
    ],
}


def requirement(pack: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pack["controls"][0]["requirements"][0]
    return found


def test_a_whole_pack_is_taken() -> None:
    (control,) = compliance_packs.parse(WHOLE).controls
    wanted = control.requirements[0].applies_to
    assert wanted is not None
    assert wanted.text == "severity >= P1 AND state = CLOSED"


def test_settings_that_the_frameworks_ask_for_are_told_by_the_server() -> None:
    told = evidence.values(Settings(), signing=False)
    asked = {
        test.key
        for framework in compliance_packs.load()
        for control in framework.controls
        for each in control.requirements
        for test in each.any_of
        if isinstance(test, Setting)
    }
    assert asked <= told.keys()


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("no source", {"source": " "}, "C1.source: is missing"),
    ("an unknown gravity", {"gravity": "huge"}, "'HUGE' is none of LOW"),
    ("an unknown key", {"color": 1}, "unknown key 'color'"),
    ("no requirement", {"requirements": []}, "C1.requirements: give a list"),
]
BAD_REQUIREMENTS: list[tuple[str, dict[str, Any], str]] = [
    ("a filter that cannot be read", {"applies_to": "severity >>"}, "C1/r.applies_to"),
    ("a test nobody knows", {"any_of": [{"trusted": True}]}, "give one of timeline"),
    ("two tests in one", {"any_of": [{"notified": True, "root_cause": True}]}, "give one of timeline"),
    ("a duration without unit", {"any_of": [{"notified": True, "within": "2"}]}, "does not look like"),
    ("a state nobody knows", {"any_of": [{"timeline": ["DONE"]}]}, "give states, and kinds"),
    ("a promise nobody makes", {"any_of": [{"timeline": ["RESOLVED"], "promise": "soon"}]}, "soon"),
    ("a test of the system for incidents", {"any_of": [{"audited": True}]}, "applies_to is for tests of incidents"),
    ("words and numbers", {"any_of": [{"setting": "k", "is": ["a"], "at_least": 1}]}, "give either is"),
    ("no number", {"any_of": [{"setting": "k", "at_least": "many"}]}, "no whole number above 0"),
]


@pytest.mark.parametrize(("change", "says"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_control_that_cannot_be_meant_is_refused(change: dict[str, Any], says: str) -> None:
    pack = deepcopy(WHOLE)
    pack["controls"][0].update(change)
    with pytest.raises(PackError, match=says):
        compliance_packs.parse(pack, "own.yaml")


@pytest.mark.parametrize(
    ("change", "says"), [row[1:] for row in BAD_REQUIREMENTS], ids=[row[0] for row in BAD_REQUIREMENTS]
)
def test_a_requirement_that_cannot_be_meant_is_refused(change: dict[str, Any], says: str) -> None:
    pack = deepcopy(WHOLE)
    requirement(pack).update(change)
    with pytest.raises(PackError, match=says) as refused:
        compliance_packs.parse(pack, "own.yaml")
    assert str(refused.value).startswith("own.yaml: ")


def test_names_that_are_there_twice_are_refused() -> None:
    pack = deepcopy(WHOLE)
    pack["controls"] *= 2
    with pytest.raises(PackError, match="'C1' is there twice"):
        compliance_packs.parse(pack)
