"""Queries that ask for too much, each with the rule that refuses it: for the tests, and for the chaos suite."""

from collections.abc import Mapping
from typing import Any

from graphql import get_introspection_query

INTROSPECTION = get_introspection_query()


def nested(levels: int) -> Any:  # noqa: ANN401  # JSON
    """A list in a list, and so on."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def _deep(levels: int) -> str:
    return "{ incidents { nodes {" + "related { incident {" * levels + " id " + "} }" * levels + "} } }"


def _multiplied(levels: int) -> str:
    """Each fragment uses the next one ten times."""
    bodies = [f"fragment F{n} on Query {{ {f'...F{n + 1} ' * 10} }}" for n in range(levels)]
    return "{ ...F0 } " + " ".join(bodies) + f" fragment F{levels} on Query {{ version }}"


def _in_fields(levels: int) -> str:
    """Fragments that multiply through fields: each asks two incidents for the next one."""
    field = "related { incident { ...F%d } }"
    bodies = [f"fragment F{n} on Incident {{ a: {field} b: {field} }}" % (n + 1, n + 1) for n in range(levels)]
    head = "{ incidents { nodes { ...F0 } } } "
    return head + " ".join(bodies) + f" fragment F{levels} on Incident {{ id }}"


_SELF = "{ incidents { nodes { ...F } } } fragment F on Incident { related { incident { ...F } } }"
_TYPES = "{ __schema { types { " + "fields { type { " * 8 + "name" + " } }" * 8 + " } } }"

QUERIES: Mapping[str, tuple[str, str]] = {
    "50 levels": (_deep(25), "graphql.max_depth"),
    "10,000 levels": ("{ a" * 10_000, "graphql.max_tokens"),
    "brackets 190 deep": ("{ version(x: " + "[" * 190 + "]" * 190 + ") }", "graphql.validation"),
    "1,000 aliases": ("{" + " ".join(f"a{n}:version" for n in range(600)) + "}", "graphql.max_aliases"),
    "the same field 1,000 times": ("{" + "version " * 1_000 + "}", "graphql.max_aliases"),
    "aliases in fragments": (
        "{ ...F } fragment F on Query {" + " ".join(f"a{n}:version" for n in range(100)) + "}",
        "graphql.max_aliases",
    ),
    "inline fragments": ("{" + "... on Query { version } " * 300 + "}", "graphql.max_aliases"),
    "inline fragments in each other": ("{" + "... {" * 190 + "version" + "}" * 191, "graphql.max_complexity"),
    "fragments that multiply": (_multiplied(30), "graphql.max_aliases"),
    "fragments that multiply through fields": (_in_fields(20), "graphql.max_depth"),
    "a fragment in itself": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "graphql.fragment_cycle",
    ),
    "a fragment in its own fields": (_SELF, "graphql.fragment_cycle"),
    "1,000 fragments": (
        "{ version }" + " ".join(f"fragment F{n} on Query {{ version }}" for n in range(200)),
        "graphql.max_tokens",
    ),
    "10,000 tokens": ("{ version(x: [" + "1 " * 10_000 + "]) }", "graphql.max_tokens"),
    "20,000 comments": ("#\n" * 20_000 + "{ version }", "graphql.max_tokens"),
    "a megabyte": ('{ incident(id: "' + "x" * 1_000_000 + '") { id } }', "graphql.max_request_bytes"),
    "1,000 directives": ("{ version " + "@include(if: true) " * 280 + "}", "graphql.validation"),
    "unknown directives": ("{ version " + "@x " * 900 + "}", "graphql.validation"),
    "unknown fields": ("{" + " ".join(f"nothing{n}" for n in range(900)) + "}", "graphql.validation"),
    "100 incidents with 100 entries each": (
        "{ incidents(first: 100) { nodes { timeline(first: 100) { text } } } }",
        "graphql.max_complexity",
    ),
    "a thousand of everything": (
        "{ auditRecords(pageSize: 100000) { records { id } } deadLetters(pageSize: 1000) { deadLetters { id } } }",
        "graphql.max_complexity",
    ),
    "types of types of types": (_TYPES, "graphql.validation"),
    "the schema beside other fields": ("{ version __schema { queryType { name } } }", "graphql.introspection"),
}
"""By name: the query and the rule, or the reason, that refuses it."""
