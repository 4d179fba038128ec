"""Secrets leave a request before anything else sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from incidentmanager.v1 import event_pb2, incident_verbs_pb2, ingest_service_pb2

from llm_incident_manager.domain.redaction import Shapes
from llm_incident_manager.domain.secret_names import is_secret
from llm_incident_manager.transport.redact import Redactor
from tests.support.secrets import CANARY, NAMED, SHAPES

SECRET = f"s{'k'}-proj-{CANARY}"


def redactor(counted: list[int] | None = None) -> Redactor:
    return Redactor(Shapes(), (counted if counted is not None else []).append)


def test_every_text_of_a_message_is_looked_at() -> None:
    counted: list[int] = []
    event = event_pb2.Event(title=f"refused {SECRET}", description="fine", labels={"team": "a", "key": SECRET})
    event.attributes[f"password={CANARY}"] = True
    batch = ingest_service_pb2.SubmitEventsRequest(events=[event, event_pb2.Event(title="fine")])
    redactor(counted).redact(batch)
    assert CANARY not in str(batch)
    assert batch.events[0].title == "refused [hidden]"
    assert dict(batch.events[0].labels) == {"team": "a", "key": "[hidden]"}
    assert batch.events[1].title == "fine"
    assert counted == [3]


def test_a_secret_as_a_label_key_is_hidden() -> None:
    event = event_pb2.Event(labels={SECRET: "x"})
    redactor().redact(event)
    assert dict(event.labels) == {"[hidden]": "x"}


@pytest.mark.parametrize("name", NAMED)
def test_a_label_that_is_named_like_a_secret_is_hidden(name: str) -> None:
    event = event_pb2.Event(labels={name: NAMED[name], "team": "a"})
    redactor().redact(event)
    assert dict(event.labels) == {name: "[hidden]", "team": "a"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "4096"),
        ("tokens", "about four thousand"),
        ("max_tokens", "128,000 of them"),
        ("token_type", "completion"),
        ("token_limit", "exceeded"),
        ("secret_name", "prod/database"),
        ("authorization_policy", "strict-rbac"),
        ("cookie", "none"),
        ("idempotency_key", "deploy-2026-11-22"),
    ],
)
def test_a_label_that_only_tells_of_secrets_or_counts_tokens_is_kept(name: str, value: str) -> None:
    event = event_pb2.Event(labels={name: value, "key": SECRET})
    redactor().redact(event)
    assert dict(event.labels) == {name: value, "key": "[hidden]"}


@given(
    st.text(st.characters(exclude_categories=["C"]), max_size=20),
    st.sampled_from(sorted(NAMED)),
    st.text(st.characters(exclude_categories=["C"]), max_size=20),
)
def test_no_name_that_says_secret_is_missed_by_the_look_at_the_bytes(before: str, name: str, after: str) -> None:
    key = f"{before}{name}{after}"
    event = event_pb2.Event(title=after, labels={key: NAMED[name]})
    redactor().redact(event)
    assert not is_secret(key, NAMED[name]) or CANARY not in str(event)


def test_names_stay_apart_although_their_secrets_are_hidden() -> None:
    keys = set()
    for number in range(3):
        event = event_pb2.Event(idempotency_key=f"{SECRET}{number}", dedup_key=f"{SECRET}{number}")
        redactor().redact(event)
        assert CANARY not in str(event)
        assert event.idempotency_key == event.dedup_key
        keys.add(event.idempotency_key)
    assert len(keys) == 3


def test_the_same_name_stays_the_same() -> None:
    requests = [incident_verbs_pb2.AcknowledgeRequest(request_id=SECRET) for _ in range(2)]
    for request in requests:
        redactor().redact(request)
    assert requests[0] == requests[1]


def test_a_message_without_secrets_is_left_as_it_is() -> None:
    counted: list[int] = []
    event = event_pb2.Event(title="token: 4096 exceeded", labels={"model": "gpt-4o"})
    before = event.SerializeToString(deterministic=True)
    redactor(counted).redact(event)
    assert event.SerializeToString(deterministic=True) == before
    assert counted == []


@given(st.text(max_size=80), st.sampled_from(sorted(SHAPES)), st.text(max_size=80))
def test_it_is_found_whatever_length_or_tag_stands_beside_it(before: str, shape: str, after: str) -> None:
    event = event_pb2.Event(source=before, title=SHAPES[shape], description=after, labels={before: SHAPES[shape]})
    redactor().redact(event)
    assert CANARY not in str(event)


@pytest.mark.parametrize("length", range(1, 130))
@pytest.mark.parametrize("shape", ["pypi token", "aws access key", "jwt"])
def test_a_length_that_looks_like_a_letter_hides_nothing_from_us(shape: str, length: int) -> None:
    secret = {**SHAPES, "aws access key": f"AK{'IA'}0123456789ABCDEF"}[shape]
    event = event_pb2.Event(title=f"{secret} {'x' * length}", description=secret)
    redactor().redact(event)
    assert secret not in str(event)


def test_a_pattern_that_looks_at_the_ends_of_a_text_is_found() -> None:
    event = event_pb2.Event(title="E-123456")
    Redactor(Shapes(custom={"employee": "^E-[0-9]{6}$"})).redact(event)
    assert event.title == "[hidden]"
