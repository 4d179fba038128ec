"""Exit codes scripts rely on, messages without tracebacks, and the short options of `incident list` as a filter."""

import sys

import grpc
import pytest
import typer

from llm_incident_client import errors, pb
from llm_incident_manager.cli import event, failures, incident, printing
from llm_incident_manager.cli.failures import BadUsage, Exit
from llm_incident_manager.domain import filters
from llm_incident_manager.domain.lifecycle import State

Code = grpc.StatusCode


@pytest.mark.parametrize(("error", "code"), [
    (errors.NotFound(Code.NOT_FOUND, "m", "NOT_FOUND"), Exit.NOT_FOUND),
    (errors.IllegalTransition(Code.FAILED_PRECONDITION, "m", "ILLEGAL_TRANSITION"), Exit.REFUSED),
    (errors.StaleEtag(Code.ABORTED, "m", "STALE_ETAG"), Exit.REFUSED),
    (errors.FingerprintTaken(Code.ALREADY_EXISTS, "m", "FINGERPRINT_TAKEN"), Exit.REFUSED),
    (errors.Unavailable(Code.UNAVAILABLE, "m"), Exit.UNREACHABLE),
    (errors.Unavailable(Code.UNAVAILABLE, "m", "DRAINING"), Exit.UNREACHABLE),
    (errors.DeadlineExceeded(Code.DEADLINE_EXCEEDED, "m"), Exit.UNREACHABLE),
    (errors.Unavailable(Code.UNAVAILABLE, "m", "STORE_UNAVAILABLE"), Exit.FAILED),
    (errors.InvalidRequest(Code.INVALID_ARGUMENT, "m", "INVALID_FIELD"), Exit.FAILED),
    (errors.IncidentManagerError(Code.INTERNAL, "m", "INTERNAL"), Exit.FAILED),
], ids=lambda value: value.name if isinstance(value, Exit) else value.reason)  # fmt: skip
def test_an_error_ends_with_its_exit_code(error: errors.IncidentManagerError, code: Exit) -> None:
    with pytest.raises(typer.Exit) as ended, failures.reported("somewhere:1"):
        raise error
    assert ended.value.exit_code == code


def test_the_message_names_reason_fields_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    bad = errors.FieldViolation("event.title", "event.title is empty: give one line")
    for error in (
        errors.InvalidRequest(Code.INVALID_ARGUMENT, "one field is bad", "INVALID_FIELD", violations=[bad]),
        errors.StaleEtag(Code.ABORTED, "not the current one", "STALE_ETAG"),
        errors.Unavailable(Code.UNAVAILABLE, "connection refused"),
    ):
        with pytest.raises(typer.Exit), failures.reported("somewhere:1"):
            raise error
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: one field is bad [INVALID_FIELD]\n  event.title is empty: give one line\n" in err
    assert "hint: read it again with `incident show`" in err
    assert "error: no answer from somewhere:1: connection refused\nhint: is it running?" in err


def test_control_codes_of_a_server_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    bad = errors.FieldViolation("f", "field \x1b[2Jcleared\rover")
    forged = errors.InvalidRequest(
        Code.INVALID_ARGUMENT, "a\x1b]0;title\x07b\nhint: run this", "R\x9b31m", violations=[bad]
    )
    with pytest.raises(typer.Exit), failures.reported("somewhere:1"):
        raise forged
    error = capsys.readouterr().err
    assert [sign for sign in error if not sign.isprintable() and sign != "\n"] == []
    lines = error.replace("\N{REPLACEMENT CHARACTER}", "?").splitlines()
    assert lines == ["error: a?]0;title?b", "  hint: run this [R?31m]", "  field ?[2Jcleared", "  over"]


def test_an_interrupt_and_a_closed_pipe_end_quietly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(typer.Exit) as interrupted, failures.reported():
        raise KeyboardInterrupt
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # put back afterwards
    with pytest.raises(typer.Exit) as unread, failures.reported():
        raise BrokenPipeError
    assert (interrupted.value.exit_code, unread.value.exit_code) == (130, 0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("text", "states", "severity", "expected"), [
    ("", [], "", ""),
    ("", [State.NEW], "", '(state = "NEW")'),
    ("", [State.NEW, State.ESCALATED], "p1", '(state = "NEW" OR state = "ESCALATED") AND severity >= P1'),
    ('a = "b" OR c = "d"', [], "P2", '(a = "b" OR c = "d") AND severity >= P2'),
], ids=["nothing", "state", "states-and-severity", "own-filter-keeps-its-meaning"])  # fmt: skip
def test_short_options_and_an_own_filter_must_all_hold(
    text: str, states: list[State], severity: str, expected: str
) -> None:
    assert incident.filter_of(text, states, severity) == expected


def test_the_server_understands_what_the_short_options_say() -> None:
    text = incident.filter_of('labels.region = "eu"', [State.NEW, State.IN_PROGRESS], "P1")
    assert filters.parse(text).text


def test_a_severity_nobody_knows_is_bad_usage() -> None:
    with pytest.raises(BadUsage, match="none of P0, P1, P2, P3, P4"):
        incident.filter_of("", [], "urgent")


def test_text_of_others_cannot_steer_the_terminal() -> None:
    shown = printing.line(pb.Incident(number="INC-1", title="\x1b[2Jgone\nINC-2  \u202eP0"))
    assert shown.isprintable()
    assert "gone INC-2" in shown


@pytest.mark.parametrize(("given", "facts"), [
    (["tool_executed"], {"tool_executed": True}),
    (["a=false", "b=YES", "c=0"], {"a": False, "b": True, "c": False}),
])  # fmt: skip
def test_attributes_are_facts(given: list[str], facts: dict[str, bool]) -> None:
    assert event.maps(None, given, None) == {"attributes": facts}


@pytest.mark.parametrize(("labels", "attributes", "metrics"), [
    (["novalue"], None, None), (["=x"], None, None), (None, ["a=maybe"], None), (None, None, ["m=much"]),
])  # fmt: skip
def test_pairs_that_are_none_are_bad_usage(
    labels: list[str] | None, attributes: list[str] | None, metrics: list[str] | None
) -> None:
    with pytest.raises(BadUsage):
        event.maps(labels, attributes, metrics)
