"""What the checker says to people, what it refuses to compile, and how it bounds its own work."""

import functools
from typing import cast

import protovalidate
import pytest
from buf.validate import validate_pb2 as validate
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from hypothesis import example, given, settings
from hypothesis import strategies as st
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.transport import checker
from llm_incident_manager.transport.checker import explain, plan
from tests.support import compiled

CHECK_EVENT = checker.compile_checker(event_pb2.Event.DESCRIPTOR)


def check(message: Message) -> tuple[checker.Violation, ...]:
    return checker.compile_checker(cast("Descriptor", message.DESCRIPTOR))(message)


def messages_of(message: Message) -> dict[str, str]:
    return {v.field: v.message for v in check(message)}


def test_a_valid_message_has_no_violations() -> None:
    assert CHECK_EVENT(event_pb2.Event(source="llm-sentinel", title="Latency rises")) == ()


def test_every_bad_field_is_named_at_once_with_rule_value_and_remedy() -> None:
    event = event_pb2.Event(title="x" * 501, kind="a\n", labels={"": "v"}, affected_services=["ok", ""], cost_usd=-1)
    assert [(v.field, v.rule) for v in CHECK_EVENT(event)] == [
        ("source", "string.min_len"),
        ("title", "string.max_len"),
        ("kind", "string.pattern"),
        ('labels[""]', "string.min_len"),
        ("affected_services[1]", "string.min_len"),
        ("cost_usd", "double.gte"),
    ]
    said = messages_of(event)
    assert said["source"] == 'source must not be empty; got ""'
    assert said["title"] == f'title must have at most 500 characters; got "{"x" * 64}…" (501 characters)'
    assert said["kind"] == r'kind must match ^[A-Za-z0-9_.\-/ ]*$; got "a\n"'
    assert said['labels[""]'] == 'a key of labels must not be empty; got ""'
    assert said["cost_usd"] == "cost_usd must be at least 0.0; got -1.0"


def test_paths_lead_through_messages_lists_and_maps() -> None:
    request = ingest_service_pb2.SubmitEventRequest(event=event_pb2.Event(source="s", labels={"x": "v" * 1025}))
    assert list(messages_of(request)) == ['event.labels["x"]']


def test_a_missing_message_is_required_and_nothing_below_it_is_judged() -> None:
    assert messages_of(ingest_service_pb2.SubmitEventRequest()) == {"event": "event is required: give it a value"}


def test_a_long_map_key_is_cut_in_the_path() -> None:
    event = event_pb2.Event(source="s", labels={"k" * 129: "v"})
    assert [v.field for v in CHECK_EVENT(event)] == [f'labels["{"k" * 64}…"]']


def test_enum_violations_spell_the_allowed_names() -> None:
    event = event_pb2.Event(source="s", action=99)  # type: ignore[arg-type]
    assert messages_of(event)["action"].startswith("action must be one of ACTION_UNSPECIFIED, ACTION_TRIGGER, ")


def test_a_message_that_breaks_ever_more_rules_is_named_up_to_a_limit() -> None:
    event = event_pb2.Event(source="s", affected_services=["" for _ in range(explain.LIMIT + 50)])
    assert len(CHECK_EVENT(event)) == explain.LIMIT


def test_messages_with_nothing_to_check_are_not_visited() -> None:
    collections = compiled.file("checked.proto").message_types_by_name["Collections"]
    assert "checked.v1.Idle" not in plan.plan_all(collections)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        pytest.param(validate.FieldRules(string=validate.StringRules(email=True)), "StringRules.email", id="email"),
        pytest.param(validate.FieldRules(string=validate.StringRules(uri=True)), "StringRules.uri", id="uri"),
        pytest.param(validate.FieldRules(cel=[validate.Rule(id="x", expression="true")]), "FieldRules.cel", id="cel"),
        pytest.param(validate.FieldRules(cel_expression=["true"]), "cel_expression", id="cel expression"),
        pytest.param(validate.FieldRules(int32=validate.Int32Rules(gt=1)), "int32 rules on a field", id="wrong type"),
        pytest.param(validate.FieldRules(repeated=validate.RepeatedRules()), "repeated rules", id="not a list"),
    ],
)
def test_an_unsupported_option_fails_at_compile_time_naming_field_and_option(
    field: validate.FieldRules, names: str
) -> None:
    descriptor = compiled.message_with(compiled.field_with(field))
    with pytest.raises(checker.UncheckableRule, match=rf"{descriptor.full_name}\.f1: .*{names}"):
        checker.compile_checker(descriptor)


def test_an_option_number_nobody_knows_fails_at_compile_time() -> None:
    rules = validate.FieldRules(string=validate.StringRules.FromString(b"\x98\x75\x01"))
    descriptor = compiled.message_with(compiled.field_with(rules))
    with pytest.raises(checker.UncheckableRule, match="unknown number in StringRules"):
        checker.compile_checker(descriptor)


@pytest.mark.parametrize("element", [validate.FieldRules(required=True), validate.FieldRules(cel_expression=["true"])])
def test_unsupported_element_options_fail_at_compile_time(element: validate.FieldRules) -> None:
    rules = validate.FieldRules(repeated=validate.RepeatedRules(items=element))
    descriptor = compiled.message_with(compiled.field_with(rules, label="LABEL_REPEATED"))
    with pytest.raises(checker.UncheckableRule):
        checker.compile_checker(descriptor)


def test_unique_messages_fail_at_compile_time() -> None:
    field = compiled.field_with(
        validate.FieldRules(repeated=validate.RepeatedRules(unique=True)), "TYPE_MESSAGE", "LABEL_REPEATED"
    )
    field.type_name = ".buf.validate.Rule"
    with pytest.raises(checker.UncheckableRule, match=r"repeated\.unique on messages"):
        checker.compile_checker(compiled.message_with(field))


def pattern_field(pattern: str) -> validate.FieldRules:
    return validate.FieldRules(string=validate.StringRules(pattern=pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(?i)a", r"(?P<n>a)", r"(?=a)", r"\s", r"\bx", r"\pL", r"\x41", r"\Qa\E", "a\\"),
        *("a++", "a**", "a{,3}", "a{x", "[a&&b]", "[[:alpha:]]", "[a", "[]", "[b-a]", "(a"),
    ],
)
def test_a_pattern_that_languages_read_differently_is_refused(pattern: str) -> None:
    descriptor = compiled.message_with(compiled.field_with(pattern_field(pattern)))
    with pytest.raises(checker.UncheckableRule, match="f1: the validation option pattern"):
        checker.compile_checker(descriptor)


PATTERNS = (
    *("", "^$", "a", "^a$", "a|^b$", "^(a|b)*$", "(?:ab)+?", ".", "^.*$", "^..$", r"\.", r"[.]", r"[^a]", r"^[\]a]$"),
    *(
        "[a-c]{2}",
        "^a{1,2}$",
        "^a{2,}$",
        "a{1,2}?",
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"^[\w\-]+$",
        r"[^\d]",
        r"a$|b",
        r"\n$",
    ),
    *(
        r"^[0-9a-f]{2}-[0-9a-f]{2}$",
        r"\$",
        r"\^",
        "[$^]",
        "é",
        "[à-ü]",
        "^[^é]*$",
        "()",
        "^(|a)$",
        r"[\\/]",
        "[+*?{}()|.]",
    ),
)


@functools.cache
def pattern_message() -> type[Message]:
    fields = (compiled.field_with(pattern_field(pattern)) for pattern in PATTERNS)
    return message_factory.GetMessageClass(compiled.message_with(*fields))


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from("abcf019é\n\r\u2028\u0663.-_$^\\/()+ \x00\U0001f600"), max_size=5))
@example(text="a\n")
@example(text="\u212a")
def test_a_pattern_that_compiles_matches_what_the_oracle_matches(text: str) -> None:
    message = pattern_message()(**{f"f{n}": text for n in range(1, len(PATTERNS) + 1)})
    ours = {v.field for v in check(message)}
    theirs = {v.proto.field.elements[0].field_name for v in protovalidate.collect_violations(message) if v.proto.field}
    assert {PATTERNS[int(f[1:]) - 1] for f in ours ^ theirs} == set()
