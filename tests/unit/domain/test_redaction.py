"""What is hidden in a text for ever, and what has to stay readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain.redaction import HIDDEN, BadPattern, Shapes
from tests.support.secrets import CANARY, SHAPES

SECRETS_ONLY = Shapes()
WITH_PERSONAL = Shapes(personal=True)

KEPT = {
    "a count": "max token: 4096, token=128000",
    "a word": "the token was refused, and so was the key",
    "a name": "key: value; signature of the model",
    "a count in quotes": '{"token": "4096"}',
    "an empty secret": '{"password": "", "client_secret": ""}',
    "a port before an @": "pulled https://registry.example.org:4873/@scope/package@1.0",
    "an address of IPv6 before an @": "GET http://[::1]:80/users/@me",
    "an @ in a query": "https://example.org/users?of=ann@example.org",
    "a plain URL": "see https://example.org/runbooks/token-limits?page=2",
    "a model": "claude-3-5-sonnet-20241022 and gpt-4o-2024-08-06 answered",
    "words with dashes": "task-queue and risk-score, disk-usage-at-ninety-percent",
    "an id": "018f6b7e-9d3c-7abc-8def-0123456789ab",
    "a mail address": "acknowledged by ann@example.org",
    "a telephone number": "call +1 415 555 2671",
}

PERSONAL = {
    "a mail address": ("write to ann.b+x@mail.example.org now", "write to [hidden] now"),
    "a telephone number": ("call +44 20 7946 0958 now", "call [hidden] now"),
    "a US telephone number": ("call (415) 555-2671 or 415-555-2671", "call [hidden] or [hidden]"),
    "a social security number": ("ssn 078-05-1120.", "ssn [hidden]."),
    "a payment card": ("card 4111 1111 1111 1111!", "card [hidden]!"),
}

NOT_PERSONAL = (
    "card 4111 1111 1111 1112",
    "took 1234567890123 ns",
    "2026-11-22T10:00:00Z",
    "10.12.0.4:5432",
    "v1.2.3+4",
)


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_a_secret_is_hidden_and_found_in_bytes(text: str) -> None:
    hidden = SECRETS_ONLY.hide(text)
    assert CANARY not in hidden
    assert HIDDEN in hidden
    assert SECRETS_ONLY.maybe_in(text.encode())
    assert SECRETS_ONLY.hide(hidden) == hidden


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_is_no_secret_is_kept(text: str) -> None:
    assert SECRETS_ONLY.hide(text) == text


@pytest.mark.parametrize(("text", "shown"), PERSONAL.values(), ids=PERSONAL)
def test_personal_data_is_hidden_on_demand(text: str, shown: str) -> None:
    assert WITH_PERSONAL.hide(text) == shown
    assert WITH_PERSONAL.maybe_in(text.encode())


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_numbers_that_only_look_personal_are_kept(text: str) -> None:
    assert WITH_PERSONAL.hide(text) == text


def test_what_stands_before_a_secret_is_kept() -> None:
    assert SECRETS_ONLY.hide(f"postgres://ann:{CANARY}@db/x failed") == "postgres://[hidden]@db/x failed"
    assert SECRETS_ONLY.hide(f"password={CANARY} host=db") == "password=[hidden] host=db"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f'{{"authorization": "Token {CANARY}", "model": "gpt-4o"}}',
            '{"authorization": "[hidden]", "model": "gpt-4o"}',
        ),
        (f"curl -H 'Authorization: Token {CANARY}' https://a", "curl -H 'Authorization: [hidden]' https://a"),
        (f"Authorization: Bearer {CANARY} of gpt-4o", "Authorization: [hidden] of gpt-4o"),
        (f"Authorization: Own {CANARY} of\ngpt-4o", "Authorization: [hidden]\ngpt-4o"),
        (f'{{"password": "a,b {CANARY}", "model": "gpt-4o"}}', '{"password": "[hidden]", "model": "gpt-4o"}'),
        (f"password='a b {CANARY}' host=db", "password='[hidden]' host=db"),
        (f"postgres://ann:a/b@{CANARY}@db/x", "postgres://[hidden]@db/x"),
    ],
)
def test_what_stands_after_a_secret_is_kept(text: str, shown: str) -> None:
    assert SECRETS_ONLY.hide(text) == shown


def test_patterns_of_operators_are_hidden_as_a_whole() -> None:
    shapes = Shapes(custom={"employee": "E-[0-9]{6}"})
    assert shapes.hide("by E-123456, not E-12") == "by [hidden], not E-12"


@pytest.mark.parametrize("pattern", ["(", "(?=x)y", "x*", "", "a" * 1_001], ids=lambda text: text[:8] or "empty")
def test_a_bad_pattern_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(BadPattern, match="employee"):
        Shapes(custom={"employee": pattern})


@given(st.text(max_size=40), st.sampled_from(sorted(SHAPES)), st.text(max_size=40))
def test_nothing_is_hidden_that_the_look_at_the_bytes_would_miss(before: str, shape: str, after: str) -> None:
    text = f"{before} {SHAPES[shape]} {after}"
    assert SECRETS_ONLY.hide(text) == text or SECRETS_ONLY.maybe_in(text.encode())


@given(st.text(max_size=200))
def test_any_text_that_changes_is_found_in_its_bytes(text: str) -> None:
    assert WITH_PERSONAL.hide(text) == text or WITH_PERSONAL.maybe_in(text.encode())
