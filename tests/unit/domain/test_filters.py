"""The filter language: what each way of writing means, what is refused and how, and which incidents pass."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_incident_manager.domain import filter_match, filter_parser, filter_tree, filters
from llm_incident_manager.domain.errors import ErrorReason
from llm_incident_manager.domain.filter_fields import FIELDS, Field
from llm_incident_manager.domain.filters import Filter, InvalidFilter, Order
from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.moments import parse as moment
from llm_incident_manager.domain.severity import Severity
from tests.support import builders, random_filters

OPENED = moment("2026-11-21T08:00:00Z").first
LEAK = builders.make_incident(
    number="INC-20261121-00042",
    state=State.IN_PROGRESS,
    severity=Severity.P1,
    kind="prompt_injection.direct",
    source="shield",
    title="Prompt leaked 100% of gpt-4.1",
    description="The system prompt was printed.\nSee run_7.",
    fingerprint=Fingerprint(1, "f00d"),
    created_at=OPENED,
    labels={"region": "eu-west-1", "k8s.io/name": "api", "empty": ""},
    affected_services=("api", "billing"),
    assignees=("ann@example.org",),
    provider="openai",
    model="gpt-4.1",
    event_count=12,
    cost_usd=1.5,
    acknowledged_at=OPENED,
)

MEANINGS = [
    ("nothing lets everything pass", "  ", ""),
    ("words side by side must all be found", "rate limit", '"rate" AND "limit"'),
    ("quotes keep words together", "'rate limit'", '"rate limit"'),
    ("words are looked for in any case", "RATE Limit", '"rate" AND "limit"'),
    ("a word may hold hyphens, dots and apostrophes", "gpt-4.1-mini don't", '"gpt-4.1-mini" AND "don\'t"'),
    ("OR binds tighter than AND", "a AND b OR c", '"a" AND ("b" OR "c")'),
    ("OR binds tighter than words side by side", "a b OR c", '"a" AND ("b" OR "c")'),
    ("parentheses decide", "(a AND b) OR c", '("a" AND "b") OR "c"'),
    ("needless parentheses go", "((a)) AND (b AND (c))", '"a" AND "b" AND "c"'),
    ("a minus is NOT", "-a -(b c)", 'NOT "a" AND NOT ("b" AND "c")'),
    ("a minus before a comparison negates the comparison", "-state = NEW", "NOT state = NEW"),
    ("a minus before a bare number excludes it, as before a word", "-429", 'NOT "429"'),
    ("a minus in a value belongs to the number", "cost_usd > -2.5", "cost_usd > -2.5"),
    ("a value may stand in parentheses", "cost_usd > (-2.5)", "cost_usd > -2.5"),
    ("no spaces are needed around operators", "event_count>=3", "event_count >= 3"),
    ("several values are several comparisons", "state = (NEW OR closed)", "state = NEW OR state = CLOSED"),
    ("states in any case and spelling", 'state = "In progress"', "state = IN_PROGRESS"),
    ("states with their prefix", "state != INCIDENT_STATE_NEW", "state != NEW"),
    (
        "a time may be a call",
        'close_time = timestamp("2026-11-21T08:00:00Z")',
        'close_time = "2026-11-21T08:00:00.000000Z"',
    ),
    ("durations in seconds", "time_to_resolve > 1.25s", 'time_to_resolve > "1.250000s"'),
    ("durations in parts", 'time_to_resolve <= duration("1h30m")', 'time_to_resolve <= "5400.000000s"'),
    ("durations below zero", 'time_to_acknowledge = "-500ms"', 'time_to_acknowledge = "-0.500000s"'),
    ("whether a duration is known", "time_to_resolve:*", "time_to_resolve:*"),
    ("severities with their prefix", "severity = SEVERITY_P1", "severity = P1"),
    ("severities in the words of others", "severity >= critical", "severity >= P0"),
    ("types with their prefix", "incident_type=incident_type_security", "incident_type = SECURITY"),
    ("`:` compares a single value", "state:new", "state = NEW"),
    ("`:` looks into a text", "title:leak", 'title:"leak"'),
    ("`:` with a star looks at the end of a text", "title:*LEAK", 'title:"*leak"'),
    ("a star at the end of a text is for any rest", "kind = prompt_injection.*", 'kind = "prompt_injection.*"'),
    ("a text with an escaped star is just that text", r'title = "a\*"', r'title = "a\*"'),
    ("a text unlike a pattern is one not like it", 'title != "a*"', 'NOT title = "a*"'),
    ("a label unlike a pattern has to be there", "labels.a != x*", 'labels.a:* AND NOT labels.a = "x*"'),
    ("a lone star asks whether there is a text", "route:*", "route:*"),
    ("a lone star behind = asks the same", "route = *", "route:*"),
    ("items of a list by `:`", "assignees:ann", 'assignees:"ann"'),
    ("all of several items", "assignees:(ann bob)", 'assignees:"ann" AND assignees:"bob"'),
    ("a label by its key", "labels.region = eu", 'labels.region = "eu"'),
    ("a label whose key has dots and slashes", "labels.k8s.io/name:api", 'labels.k8s.io/name = "api"'),
    ("a label whose key needs quotes", 'labels."a key" = 1', 'labels."a key" = "1"'),
    ("a label named like an operator", 'labels."AND" = x', 'labels."AND" = "x"'),
    ("the presence of a label", "labels:region", "labels.region:*"),
    ("the presence of a label, the other way", "labels.region:*", "labels.region:*"),
    ("a flag by its name alone", "recurred", "recurred = true"),
    ("a flag that is not set", "-recurred", "NOT recurred = true"),
    ("the word that names a flag, when quoted", '"recurred"', '"recurred"'),
    ("a time without quotes", "create_time > 2026-11-21T08:00:00Z", 'create_time > "2026-11-21T08:00:00.000000Z"'),
    (
        "a time in another zone",
        'create_time < "2026-11-21T08:00:00+02:00"',
        'create_time < "2026-11-21T06:00:00.000000Z"',
    ),
    (
        "after a date is from the next day on",
        "create_time > 2026-11-21",
        'create_time >= "2026-11-22T00:00:00.000000Z"',
    ),
    (
        "until a date is to the end of the day",
        "create_time <= 2026-11-21",
        'create_time < "2026-11-22T00:00:00.000000Z"',
    ),
    (
        "on a date is within the day",
        "create_time = 2026-11-21",
        'create_time >= "2026-11-21T00:00:00.000000Z" AND create_time < "2026-11-22T00:00:00.000000Z"',
    ),
    (
        "not on a date is before or after the day",
        "create_time != 2026-11-21",
        'create_time < "2026-11-21T00:00:00.000000Z" OR create_time >= "2026-11-22T00:00:00.000000Z"',
    ),
    ("whether a time is set", "resolve_time:*", "resolve_time:*"),
    ("a number stands for its incident's id", "id = INC-20261121-00042", 'number = "INC-20261121-00042"'),
    (
        "an id in capitals",
        "id = 01930000-0000-7000-8000-00000000000A",
        'id = "01930000-0000-7000-8000-00000000000a"',
    ),
    ("escapes of letters, octal and Unicode", r"title = '\303\x41\u263A\n'", 'title = "ÃA☺\\x0a"'),
]

REFUSALS = [
    (
        "an unknown field names the fields there are",
        "sverity = P1",
        1,
        "did you mean severity? the fields are id, number",
    ),
    ("a field of another field", "title.x = 1", 1, "unknown field 'title.x'"),
    ("an index into a list", "assignees[0] = ann", 1, "unknown field 'assignees[0]'"),
    ("an unknown severity names the severities", "severity >= huge", 13, "write one of P0, P1, P2, P3, P4"),
    ("an unknown state names the states", "a state = open", 11, "write one of NEW, ACKNOWLEDGED, IN_PROGRESS"),
    ("the unspecified state is none", "state = INCIDENT_STATE_UNSPECIFIED", 9, "is no state"),
    ("an unknown type names the types", "incident_type = x", 17, "write one of INFRASTRUCTURE"),
    ("states have no order", "state > NEW", 7, "the values of state have no order: compare them with = or !="),
    ("a whole number is needed", "event_count > 1.5", 15, "event_count: '1.5' is not a whole number"),
    ("digits of other scripts are no numbers", "event_count > ٣", 15, "is not a whole number"),
    ("a number larger than any column", "tokens < 9223372036854775808", 10, "write at most 9223372036854775807"),
    ("a number larger than any float", "cost_usd < 1e999", 12, "cost_usd: '1e999' is not a number"),
    ("a flag is true or false", "recurred = maybe", 12, "write one of these"),
    ("a word is no time", "create_time > yesterday", 15, "create_time: 'yesterday' is not a time: write a date"),
    ("a day that does not exist", "create_time > 2026-02-30", 15, "is not a time"),
    ("a time without zone", "create_time > '2026-11-21T08:00:00'", 15, 'such as "2026-11-21T20:38:51Z"'),
    ("a year out of reach", "create_time > 9999-12-31", 15, "outside the years 1900 to 9998"),
    ("`:` is not for the value of a time", 'create_time:"2026-11-21"', 12, "create_time:*"),
    ("every incident has a severity", "severity:*", 9, "every incident has severity"),
    ("lists are not equal to an item", "assignees = ann", 11, "assignees:'ann'"),
    ("labels need a key", "labels = x", 8, 'labels.region = "eu"'),
    ("the key of a label is whole", "labels:re*", 8, "the whole key"),
    ("numbers are not in the order of ids", "id > INC-20261121-00042", 6, "is no incident id"),
    ("a value half in quotes", 'title = a."b*"', 9, "put all of it in double quotes"),
    ("half an id is none", "id = 0193", 6, "give a UUID, or with = a number such as INC-"),
    ("stars only at the ends", "title = a*b", 9, r"write \* in quotes"),
    ("stars have no order", "title > a*", 7, "> takes no wildcard"),
    ("an empty text is in every text", 'title:""', 7, 'title = ""'),
    ("an empty search finds all", '""', 1, "leave it out"),
    ("a lone star as a search finds all", "*", 1, "leave it out"),
    ("functions nobody knows", "create_time > now()", 15, "no function 'now': there are timestamp, duration"),
    ("functions on their own", "regex(title, 'x')", 1, "no function 'regex'"),
    ("a function's value on its own", 'timestamp("2026-11-21T08:00:00Z")', 1, "gives a value: compare a field with it"),
    ("a function's value of another type", 'title = duration("1s")', 9, "gives no value for title"),
    ("too many values for a function", 'create_time > timestamp("a", "b")', 15, "takes 1 values and is given 2"),
    ("a value that a function cannot read", 'create_time > timestamp("soon")', 15, "'soon' is not a time"),
    (
        "a field as the value of a function",
        "time_to_resolve > duration(title)",
        19,
        "title is a field: write the value",
    ),
    ("a field of another type for a function", "time_to_resolve > duration(cost_usd)", 28, "this is no text"),
    ("a function's value for a function", 'create_time > timestamp(duration("1s"))', 25, "this is no text"),
    ("durations in words", "time_to_resolve > soon", 19, "write seconds such as 90s or 1.5s, or 1h30m"),
    ("durations without a unit", "time_to_resolve > 90", 19, "'90' is no duration"),
    ("durations beyond all bounds", "time_to_resolve > 999999999h999999999h999999999h", 19, "is too long"),
    ("control characters between words", "title = a\x01b", 10, "control character '\\x01'"),
    ("values on the left", "1 = event_count", 1, "put the name of a field on the left"),
    ("texts on the left", '"title" = x', 1, "put the name of a field on the left"),
    ("an operator behind parentheses", "(title) = x", 9, "unexpected '='"),
    ("values that must all be equal", "state = (NEW AND CLOSED)", 7, "state = (a OR b)"),
    ("a text without end", 'title = "abc', 9, 'close it with "'),
    ("a parenthesis without end", "a (b", 3, "add )"),
    ("a parenthesis too many", "a)", 2, "unexpected ')'"),
    ("nothing behind an operator", "title =", 8, "missing at the end"),
    ("nothing behind AND", "a AND", 6, "missing at the end"),
    ("nothing between OR and AND", "a OR AND b", 6, "unexpected 'AND'"),
    ("small and", "a and b", 3, "write AND in capitals"),
    ("a dot without name", "labels. = x", 8, "a name must follow the dot"),
    ("a minus before a word in a value", "title = -x", 9, "only a number may follow this minus"),
    ("a lone exclamation mark", "title ! x", 7, "'!' has no meaning here"),
    ("an unknown escape", r'title = "\q"', 10, "unknown escape"),
    ("an escape beyond Unicode", r'title = "\UFFFFFFFF"', 10, "names no character"),
    ("NUL, which no database stores", r'title = "\x00"', 9, "NUL"),
    ("half a surrogate pair", r'title = "\ud800"', 9, "half a character"),
    ("too deep", "(" * 33 + "a" + ")" * 33, 33, "more than 32 parentheses"),
    ("functions too deep", "f(" * 40 + ")" * 40, 65, "more than 32 parentheses"),
    ("too many words", "a " * 257, 513, "more than 256 words"),
    ("too long", "a" * 4097, 4097, "longer than 4096 characters"),
]

PASSES = [
    ("P1 is at least as severe as P1", "severity >= P1", True),
    ("P1 is at least as severe as P2", "severity >= P2", True),
    ("P1 is less severe than P0", "severity >= P0", False),
    ("less than P0 is everything below it", "severity < P0", True),
    ("a word is found in the title", "LEAKED", True),
    ("a word is found in the description", "printed", True),
    ("percent is a letter like any other", "100%", True),
    ("percent stands for nothing else", "1%gpt", False),
    ("an underscore stands for itself", "run_7", True),
    ("an underscore stands for nothing else", "run_", True),
    ("all words must be found", "leaked elsewhere", False),
    ("a phrase must be found as it is", '"leaked prompt"', False),
    ("a comparison of texts minds the case", "source = Shield", False),
    ("`:` does not", "source:SHIE", True),
    ("a pattern at the start", "kind = prompt_injection.*", True),
    ("a pattern at the end", "kind = *.direct", True),
    ("a pattern within", "kind = *injection*", True),
    ("a pattern elsewhere", "kind = direct*", False),
    ("an item of a list", "affected_services:billing", True),
    ("an item is compared whole", "affected_services:bill", False),
    ("an item by pattern", "assignees:ann@*", True),
    ("a label", "labels.region = eu-west-1", True),
    ("a label with dots", "labels.k8s.io/name = api", True),
    ("labels are compared whole", "labels.region:eu", False),
    ("labels by pattern", "labels.region:eu-*", True),
    ("an empty label is there", "labels:empty", True),
    ("a label that is not there is not different", "labels.zone != a", False),
    ("nor is it equal", "NOT labels.zone = a", True),
    ("an absent time is not late", "resolve_time > 2000-01-01", False),
    ("nor is it early", "resolve_time <= 2000-01-01", False),
    ("the negation of either is true", "NOT resolve_time > 2000-01-01", True),
    ("an absent time is not there", "resolve_time:*", False),
    ("on its day", "create_time = 2026-11-21", True),
    ("after its day begins the next", "create_time > 2026-11-21", False),
    ("by its number as an id", "id = INC-20261121-00042", True),
    ("by its fingerprint", "fingerprint = f00d", True),
    ("by a number", "event_count >= 12 cost_usd < 1.51", True),
    ("an unset flag", "-recurred", True),
    ("acknowledged at once", "time_to_acknowledge < 1s", True),
    ("acknowledged later", "time_to_acknowledge > 0s", False),
    ("its acknowledgement took some time", "time_to_acknowledge:*", True),
    ("its resolution has taken none yet", "time_to_resolve:* OR time_to_resolve < 999h", False),
    ("an empty text is not there", "route:*", False),
    ("an empty text is equal to none", 'route = ""', True),
]


def ids(rows: list[tuple[str, str, str]] | list[tuple[str, str, bool]] | list[tuple[str, str, int, str]]) -> list[str]:
    return [row[0] for row in rows]


def refusal_of(text: str) -> InvalidFilter | None:
    try:
        filters.parse(text)
    except InvalidFilter as refused:
        return refused
    return None


@pytest.mark.parametrize(("sentence", "text", "canonical"), MEANINGS, ids=ids(MEANINGS))
def test_what_is_written_means(sentence: str, text: str, canonical: str) -> None:
    assert filters.parse(text).text == canonical


@pytest.mark.parametrize(("sentence", "text", "position", "message"), REFUSALS, ids=ids(REFUSALS))
def test_what_makes_no_sense_is_refused_with_place_and_remedy(
    sentence: str, text: str, position: int, message: str
) -> None:
    with pytest.raises(InvalidFilter) as refused:
        filters.parse(text)
    assert refused.value.reason is ErrorReason.INVALID_FILTER
    assert refused.value.metadata == {"position": str(position)}
    assert refused.value.message.startswith(f"filter, character {position}: ")
    assert message in refused.value.message


@pytest.mark.parametrize(("sentence", "text", "passes"), PASSES, ids=ids(PASSES))
def test_who_passes(sentence: str, text: str, *, passes: bool) -> None:
    assert filter_match.matches(filters.parse(text), LEAK) is passes


def test_a_long_value_is_not_repeated_in_full() -> None:
    with pytest.raises(InvalidFilter) as refused:
        filters.parse(f"state = {'x' * 4_000}")
    assert len(refused.value.message) < 250


@settings(max_examples=100, deadline=None)
@given(filter_=random_filters.filters())
def test_the_canonical_text_is_the_same_filter(filter_: Filter) -> None:
    assert filters.parse(filter_.text) == filter_


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_canonical_text_of_each_field_is_the_same_filter(field: Field, data: st.DataObject) -> None:
    filter_ = random_filters.filter_of(data.draw(random_filters.leaves_of(field)))
    assert filters.parse(filter_.text) == filter_


@settings(max_examples=300, deadline=None)
@given(text=st.text("ab =!<>:()-.,*'\"\\ANDORNOT1😀\n", max_size=40) | st.text(max_size=40))
def test_whatever_is_written_is_understood_or_refused_within_its_bounds(text: str) -> None:
    refused = refusal_of(text)
    assert refused is None or 1 <= refused.position <= len(text) + 1


def test_both_filters_are_one_however_long_they_are() -> None:
    one, other = filters.parse("a OR b"), filters.parse(" ".join(["c"] * 256))
    joined = filters.both(one, other)
    assert joined.text == f"({one.text}) AND {other.text}"
    assert filters.both(filters.parse(""), one) == one


def test_folding_lowers_ascii_letters_and_nothing_else() -> None:
    assert filter_tree.fold("AZaz \u00c4\u0130\u212a") == "azaz \u00c4\u0130\u212a"


def test_limits_are_those_of_the_contract() -> None:
    assert filter_parser.MAX_LENGTH == 4_096


def test_the_enums_of_an_incident_are_compared_by_gravity() -> None:
    worst_first = [
        severity for severity in Severity if filter_match.matches(filters.parse("severity > P3"), _with(severity))
    ]
    assert worst_first == [Severity.P0, Severity.P1, Severity.P2]


def _with(severity: Severity) -> Incident:
    return replace(LEAK, severity=severity)


ORDERS = [
    ("no order", "", ()),
    ("spaces are no order", "  ", ()),
    ("ascending by default", "title", (Order("title"),)),
    ("descending with a word", "severity desc", (Order("severity", descending=True),)),
    ("ascending with a word", "title asc", (Order("title"),)),
    ("spaces do not matter", " title , id  desc ", (Order("title"), Order("id", descending=True))),
]
BAD_ORDERS = [
    ("nothing behind a comma", "title,", 7, "write field names"),
    ("only a comma", ",", 1, "write field names"),
    ("nothing before a comma", ",title", 1, "write field names"),
    ("no such field", "title, foo", 8, "the fields for it are id"),
    ("no such direction", "title down", 1, "write field names"),
    ("too many words", "title desc desc", 1, "write field names"),
    ("lists have no order", "assignees", 1, "cannot order by 'assignees'"),
    ("labels have no order", "labels.region", 1, "cannot order by 'labels.region'"),
    ("a field twice", "title, title desc", 8, "each field once"),
    ("more fields than anybody needs", "id,number,state,severity,kind,source,title,service,model", 52, "at most 8"),
]


@pytest.mark.parametrize(("sentence", "text", "order"), ORDERS, ids=[row[0] for row in ORDERS])
def test_an_order_reads(sentence: str, text: str, order: tuple[Order, ...]) -> None:
    assert filters.parse_order(text) == order


@pytest.mark.parametrize(("sentence", "text", "position", "message"), BAD_ORDERS, ids=ids(BAD_ORDERS))
def test_an_order_that_makes_no_sense_is_refused(sentence: str, text: str, position: int, message: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        filters.parse_order(text)
    assert refused.value.metadata == {"position": str(position)}
    assert refused.value.message.startswith("order_by, character ")
    assert message in refused.value.message


def test_a_place_holds_plain_values_and_the_id() -> None:
    order = filters.parse_order("severity, state, resolve_time desc, cost_usd, recurred")
    assert filters.place_of(LEAK, order) == (1, "IN_PROGRESS", None, 1.5, 0, LEAK.id)
    assert [type(value) for value in filters.place_of(LEAK, order)] == [int, str, type(None), float, int, str]
