"""JSON Schemas as tables: type, rules and meaning of every property."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from llm_incident_manager.transport.rest.page.words import identifier, inline, prose

Json = Mapping[str, Any]

_RULES = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matches {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} entries",
    "maxProperties": "at most {} entries",
}


def article(name: str, schema: Json) -> Iterator[str]:
    """One named schema."""
    yield f'<article class="schema" id="{identifier("schema", name)}"><h3>{escape(name)}</h3>'
    yield prose(schema.get("description", ""))
    if "properties" in schema:
        yield from table(schema)
    yield "</article>"


def table(schema: Json) -> Iterator[str]:
    """The properties of an object."""
    required = frozenset(schema.get("required", ()))
    yield "<table><tr><th>field</th><th>type</th><th>rules</th><th>meaning</th></tr>"
    for name, found in schema["properties"].items():
        told = rules(found, required=name in required)
        meaning = inline(found.get("description", ""))
        yield f"<tr><td><code>{escape(name)}</code></td><td>{kind(found)}</td><td>{told}</td><td>{meaning}</td></tr>"
    yield "</table>"


def kind(schema: Json) -> str:
    """The type in a word, a link where it has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{identifier("schema", name)}">{escape(name)}</a>'
    for choice in ("oneOf", "anyOf"):
        if choice in schema and "type" not in schema:
            return " or ".join(dict.fromkeys(kind(each) for each in schema[choice]))
    if schema.get("type") == "array":
        return f"list of {kind(schema['items'])}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {kind(schema['additionalProperties'])}"
    return _scalar(schema)


def _scalar(schema: Json) -> str:
    if "type" in schema:
        return escape(f"{schema['type']} ({schema['format']})" if "format" in schema else schema["type"])
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return " or ".join(f"<code>{escape(json.dumps(each))}</code>" for each in values) or "anything"


def rules(schema: Json, *, required: bool) -> str:
    """What a value must keep to, as far as the schema says."""
    told = ["<b>required</b>"] if required else []
    told += ["set by the server"] if schema.get("readOnly") else []
    told += [escape(text.format(schema[word])) for word, text in _RULES.items() if word in schema]
    return ", ".join(told)
