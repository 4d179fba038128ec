"""Operations on the page: one article for a method, its aliases in a line of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from llm_incident_manager.transport.rest.page import schemas
from llm_incident_manager.transport.rest.page.words import inline, prose

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One operation of the document with where it stands."""

    verb: str
    path: str
    said: Json

    @property
    def id(self) -> str:
        """The operation's id, which is its anchor too."""
        name: str = self.said["operationId"]
        return name

    @property
    def method(self) -> tuple[str, int]:
        """The method's name, and 0 for the main path or the number of the alias."""
        head, _, number = self.id.rpartition("_")
        return (head, int(number)) if number.isdigit() else (self.id, 0)


Group = Sequence[Shown]
"""The ways to call one method, the main one first."""


def groups(document: Json) -> Mapping[str, list[Group]]:
    """The operations by tag and method, tags in the document's order."""
    found: dict[str, dict[str, list[Shown]]] = {tag["name"]: {} for tag in document["tags"]}
    for path, verbs in document["paths"].items():
        for verb, said in verbs.items():
            shown = Shown(verb.upper(), path, said)
            found[said["tags"][0]].setdefault(shown.method[0], []).append(shown)
    return {tag: [sorted(each, key=_number) for each in methods.values()] for tag, methods in found.items()}


def _number(shown: Shown) -> int:
    return shown.method[1]


def article(group: Group, components: Json) -> Iterator[str]:
    """One method: what it does, takes, answers; its examples; a form to try it."""
    main, *aliases = group
    said = main.said
    yield f'<article class="operation" id="{escape(main.id)}"><h3><b class="{main.verb}">{main.verb}</b> '
    yield f"<code>{escape(main.path)}</code></h3><p class=summary>{inline(said['summary'])}</p>"
    yield prose(said["description"].removeprefix(f"{said['summary']}.").strip())
    for alias in aliases:
        yield f'<p class="alias" id="{escape(alias.id)}">also {alias.verb} <code>{escape(alias.path)}</code></p>'
    yield from _parameters(said["parameters"])
    yield from _body(said.get("requestBody"), components)
    yield from _answers(said["responses"], components)
    yield from _samples(said.get("x-codeSamples", ()))
    yield from _form(main)
    yield "</article>"


def _parameters(parameters: Sequence[Json]) -> Iterator[str]:
    if not parameters:
        return
    yield "<h4>Parameters</h4><table><tr><th>name</th><th>in</th><th>type</th><th>rules</th><th>meaning</th></tr>"
    for found in parameters:
        told = schemas.rules(found["schema"], required=found["required"])
        meaning = inline(found.get("description", ""))
        yield f"<tr><td><code>{escape(found['name'])}</code></td><td>{escape(found['in'])}</td>"
        yield f"<td>{schemas.kind(found['schema'])}</td><td>{told}</td><td>{meaning}</td></tr>"
    yield "</table>"


def _body(body: Json | None, components: Json) -> Iterator[str]:
    if body is None:
        return
    schema = body["content"]["application/json"]["schema"]
    yield f"<h4>Body</h4><p>{schemas.kind(schema)}</p>"
    named = components["schemas"].get(schema.get("$ref", "").rpartition("/")[2])
    if named is not None and "properties" in named:
        yield "<details><summary>Fields</summary>"
        yield from schemas.table(named)
        yield "</details>"


def _answers(responses: Json, components: Json) -> Iterator[str]:
    yield "<h4>Answers</h4><table><tr><th>status</th><th>body</th><th>meaning</th></tr>"
    for status, found in responses.items():
        answer = components["responses"][found["$ref"].rpartition("/")[2]] if "$ref" in found else found
        kinds = "<br>".join(f"{escape(media)}: {schemas.kind(of['schema'])}" for media, of in answer["content"].items())
        yield f"<tr><td>{escape(status)}</td><td>{kinds}</td><td>{prose(answer['description'])}</td></tr>"
    yield "</table>"


def _samples(samples: Sequence[Json]) -> Iterator[str]:
    for sample in samples:
        yield f"<details><summary>{escape(sample['label'])}</summary><pre>{escape(sample['source'])}</pre></details>"


def _form(main: Shown) -> Iterator[str]:
    """What the script makes a request of; without the script it is not shown."""
    said = main.said
    yield f'<form class="try" hidden data-verb="{main.verb}" data-path="{escape(main.path)}"><h4>Try it</h4>'
    for found in said["parameters"]:
        name = escape(found["name"])
        yield f'<label>{name} <input name="{name}" data-in="{escape(found["in"])}"></label>'
    if "requestBody" in said:
        example = said["requestBody"]["content"]["application/json"].get("example", {})
        shown = escape(json.dumps(example, ensure_ascii=False, indent=2))
        yield f'<label>body <textarea name="body" rows="8" spellcheck="false">{shown}</textarea></label>'
    yield '<button type="submit">Send</button> <button type="button" class="stop" hidden>Stop</button>'
    yield '<pre class="command"></pre><pre class="answer" hidden></pre></form>'
