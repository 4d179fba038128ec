"""No secret leaves by the log, whatever field or text it hides in; ordinary words stay readable."""

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain.redaction import HIDDEN
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.telemetry import redaction
from tests.support.secrets import CANARY, SHAPES

NAMES = [
    *("secret", "client_secret", "clientSecret", "token", "access_token", "X-Auth-Token", "page_token"),
    *("password", "DB_PASSWORD", "passwd", "pwd", "authorization", "Proxy-Authorization", "api_key", "apiKey"),
    *("X-API-Key", "apikey", "webhook_url", "webhookUrl", "dsn", "SENTRY_DSN", "connection_string", "database_url"),
    *("private_key", "integration_key", "cookie", "Set-Cookie", "credentials", "jwt"),
]

HARMLESS_NAMES = [
    *("input_tokens", "tokens", "key", "idempotency_key", "dedup_key", "url", "webhook", "secretary", "monkey"),
    *("description", "event", "method", "tokenizer", "keyboard", "runbook_url"),
]

HARMLESS = [
    "incident INC-20261121-00042 was acknowledged by ann@example.org",
    "gpt-4o answered 1200 tokens in 3.5 s",
    "the token was refused",
    "see https://example.org/runbooks/token-limits",
    "claude-3-5-sonnet-20241022: elevated error rate",
    "task-queue and risk-score are fine, disk-usage-at-ninety-percent",
    "018f6b7e-9d3c-7abc-8def-0123456789ab",
    "a@b",
]


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_a_text_shaped_like_a_secret_is_hidden(text: str) -> None:
    hidden = redaction.hide(text)
    assert CANARY not in hidden
    assert HIDDEN in hidden


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_it_is_hidden_wherever_it_stands(text: str) -> None:
    places: dict[str, object] = {
        "list": [text],
        "tuple": (1, text),
        "set": {text},
        "map": {"a": {"b": text}},
        "proxy": MappingProxyType({"a": text}),
        "error": ValueError(text),
        "object": Holder(text),
        text: "name",
    }
    assert CANARY not in str(redaction.redacted(places))


@dataclass
class Holder:
    text: str


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [CANARY, 123456, [CANARY], {"a": CANARY}, b"x"], ids=type)
def test_a_field_named_like_a_secret_is_hidden(name: str, value: object) -> None:
    assert redaction.redacted({name: value}) == {name: HIDDEN}


@pytest.mark.parametrize("value", [None, True, False])
def test_whether_there_is_a_secret_may_be_told(value: object) -> None:
    assert redaction.redacted({"token": value}) == {"token": value}


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_a_harmless_name_is_left_alone(name: str) -> None:
    assert redaction.redacted({name: "value"}) == {name: "value"}


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_text_is_left_alone(text: str) -> None:
    assert redaction.hide(text) == text
    assert redaction.hide(text) == text


class Word(StrEnum):
    ONE = "one"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Severity.P1, "P1"),
        (Word.ONE, "one"),
        (b"abc", "<3 bytes>"),
        (2**70, str(2**70)),
        (-5, -5),
        (1.5, 1.5),
        (ValueError("no"), "ValueError: no"),
        (Path("a/b"), "a/b"),
        ({1}, [1]),
        ({1: 2}, {"1": 2}),
    ],
    ids=repr,
)
def test_every_value_becomes_one_that_json_knows(value: object, shown: object) -> None:
    assert redaction.redacted({"x": value}) == {"x": shown}


def test_depth_length_and_number_are_bounded() -> None:
    deep: dict[str, object] = {}
    for _ in range(1_000):
        deep = {"a": deep}
    shown = redaction.redacted({"deep": deep, "long": "ab " * 100_000, "many": list(range(100_000))})
    assert len(str(shown)) < 20_000
    assert len(redaction.redacted({str(number): number for number in range(10_000)})) <= 256


@pytest.mark.parametrize(
    "hostile",
    [
        "a." * 4_000,
        "eyJ-" * 2_000,
        "sk-" * 2_700,
        "-----BEGIN A" * 700,
        "bearer " * 1_100,
        "x://" * 2_000,
        "token " * 1_300,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_text_costs_no_more_than_its_length(hostile: str) -> None:
    started = time.thread_time()
    redaction.hide(hostile + "@")
    assert time.thread_time() - started < 0.25


@given(st.text(max_size=40), st.sampled_from(sorted(SHAPES)), st.text(max_size=40))
def test_a_secret_between_other_lines_is_hidden(before: str, shape: str, after: str) -> None:
    assert CANARY not in redaction.hide(f"{before}\n{SHAPES[shape]}\n{after}")
