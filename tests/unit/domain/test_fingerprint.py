"""What is one problem, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain import fingerprint
from tests.support.builders import make_event

SAME = [
    # Ids, numbers and times in a title do not make another problem.
    ({"title": "Request req_8f2kd93j failed"}, {"title": "Request req_aa01bcd9 failed"}),
    ({"title": "Latency 7.2 s on chat"}, {"title": "Latency 12 s on chat"}),
    ({"title": "Prompt of 3812 tokens refused"}, {"title": "Prompt of 14 tokens refused"}),
    ({"title": "Down since 2026-11-21T20:40:00Z"}, {"title": "Down since 2026-11-22 01:02:03"}),
    (
        {"title": "Trace 0af7651916cd43dd8448eb211c80319c lost"},
        {"title": "Trace b7ad6b7169203331ab00cd0099887766 lost"},
    ),
    (
        {"title": "Session 6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
        {"title": "Session 01a20004-3c78-7301-831d-dff56c43901a"},
    ),
    ({"title": "  Model   OVERLOADED "}, {"title": "model overloaded"}),
    # A dated version of a model is still that model.
    ({"model_resolved": "gpt-4o-2024-08-06"}, {"model_resolved": "gpt-4o-2024-11-20"}),
    ({"model_resolved": "claude-3-5-sonnet-20241022"}, {"model_resolved": "claude-3-5-sonnet-latest"}),
    # What people read and how bad it is do not identify.
    ({"description": "one", "severity": "high"}, {"description": "two", "severity": "low"}),
    ({"labels": {"pod": "a"}}, {"labels": {"pod": "b"}}),
]
OTHER = [
    ({"source": "sentinel"}, {"source": "shield"}),
    ({"kind": "jailbreak"}, {"kind": "prompt_injection.direct"}),
    ({"provider": "openai"}, {"provider": "anthropic"}),
    ({"model_resolved": "gpt-4o"}, {"model_resolved": "gpt-4o-mini"}),
    ({"service": "chat"}, {"service": "search"}),
    ({"deployment": "eu"}, {"deployment": "us"}),
    ({"policy": "pii"}, {"policy": "toxicity"}),
    ({"template": "t1"}, {"template": "t2"}),
    ({"title": "Model overloaded"}, {"title": "Model refused"}),
    # Values do not slide from one field into the next.
    ({"service": "a", "application": ""}, {"service": "", "application": "a"}),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_these_are_the_same_problem(one: dict[str, object], two: dict[str, object]) -> None:
    assert fingerprint.compute(make_event(**one)) == fingerprint.compute(make_event(**two))


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_these_are_different_problems(one: dict[str, object], two: dict[str, object]) -> None:
    assert fingerprint.compute(make_event(**one)).value != fingerprint.compute(make_event(**two)).value


def test_a_dedup_key_is_taken_verbatim() -> None:
    found = fingerprint.compute(make_event(dedup_key="Order 42 / EU"))
    assert (found.version, found.value) == (fingerprint.VERBATIM, "Order 42 / EU")


def test_the_components_name_what_was_used() -> None:
    found = fingerprint.compute(make_event(provider="OpenAI", model_requested="gpt-4o-2024-08-06"))
    assert dict(found.components)["model_family"] == "gpt-4o"
    assert dict(found.components)["provider"] == "openai"


@given(st.text(max_size=200))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = fingerprint.normalise_text(text)
    assert fingerprint.normalise_text(once) == once


@given(st.text(max_size=80), st.text(max_size=80))
def test_events_with_equal_keys_have_equal_fingerprints(title: str, description: str) -> None:
    one, two = make_event(title=title), make_event(title=title, description=description)
    assert fingerprint.key_of(one, title) == fingerprint.key_of(two, title)
    assert fingerprint.compute(one) == fingerprint.compute(two)


@given(
    st.lists(st.sampled_from(["7.2", "s", "ms", "2026-11-21", "20:40", "req_8f2kd93j", "eu-1", "<n>", "<time>", "("]))
)
def test_normalising_parts_in_any_order_is_stable_too(words: list[str]) -> None:
    once = fingerprint.normalise_text(" ".join(words))
    assert fingerprint.normalise_text(once) == once
