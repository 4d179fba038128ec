"""The TypeScript definitions are what the contract says, and what the server prints has these types."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import llm_incident_manager
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.rest.jsoncodec import codec
from tests.support import markdown, random_messages
from tools import shell
from tools.typescript import compiler, messages

HERE = shell.ROOT / "clients" / "typescript"
PER_MESSAGE = 3
DEPTH = 2


def every() -> list[Descriptor]:
    """All messages that methods answer with, or that are part of such."""
    roots = [side for method in methods.all_methods() for side in (method.descriptor.output_type,)]
    found: dict[str, Descriptor] = {}
    while roots:
        message = roots.pop()
        if message.full_name.startswith(messages.PACKAGE) and message.full_name not in found:
            found[message.full_name] = message
            roots += [field.message_type for field in message.fields if field.message_type is not None]
    return [message for message in found.values() if not message.GetOptions().map_entry]


def test_they_are_what_the_contract_says() -> None:
    assert shell.run(sys.executable, "-m", "tools.typescript", "--check") == 0


def test_the_package_has_our_version() -> None:
    for name in ("package.json", "package-lock.json"):
        assert json.loads((HERE / name).read_text("utf-8"))["version"] == llm_incident_manager.__version__


@pytest.fixture(scope="module")
def printed() -> list[tuple[str, Any]]:
    """Messages of every type as the server prints them: an empty one, and some that chance makes."""
    found: list[tuple[str, Any]] = []

    @seed(20261122)
    @settings(
        max_examples=PER_MESSAGE, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.tuples(*(random_messages.messages(one, depth=DEPTH, for_json=True) for one in every())))
    def draw(drawn: tuple[Any, ...]) -> None:
        found.extend((one.DESCRIPTOR.name, codec(one.DESCRIPTOR).encode(one)) for one in drawn)

    draw()
    found += [(one.name, codec(one).encode(message_factory.GetMessageClass(one)())) for one in every()]
    return found


def program(values: list[tuple[str, Any]]) -> str:
    names = ", ".join(sorted({name for name, _ in values}))
    lines = [f'import type {{ {names} }} from "{HERE / "index.js"}";']
    lines += [f"export const v{at}: {name} = {json.dumps(value)};" for at, (name, value) in enumerate(values)]
    return "\n".join(lines)


def test_what_the_server_prints_has_these_types(printed: list[tuple[str, Any]], tmp_path: Path) -> None:
    assert len(printed) > 3 * len(every())
    (tmp_path / "printed.mts").write_text(program(printed), "utf-8")
    assert compiler.compiled(tmp_path / "printed.mts") == []


WRONG = """
import type {{ Event, Incident, Input, Methods }} from "{index}";

declare const incident: Incident;
export const severity: "P0" | "P9" = incident.severity;
export const event: Input<Event> = {{ source: "s", titel: "t" }};
export const action: Input<Event> = {{ action: "ACTION_TRIGGER" }};
export const missing: Event = {{ source: "s" }};
export const until: string = incident.snoozed_until;
export const path: Methods["IngestService.SubmitEvent"]["path"] = "/api/v1/event";
export const name: keyof Methods = "IngestService.SubmitNothing";
"""


def test_what_it_does_not_print_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.mts").write_text(WRONG.format(index=HERE / "index.js"), "utf-8")
    told = compiler.compiled(tmp_path / "wrong.mts")
    lines = [int(line.partition("(")[2].partition(",")[0]) for line in told if "): error TS" in line]
    assert lines == [5, 6, 7, 8, 9, 10, 11], told


def test_the_page_shows_a_program_that_compiles(tmp_path: Path) -> None:
    [block] = markdown.blocks(shell.ROOT / "docs" / "clients.md", "typescript")
    text = block.text.replace('"./clients/typescript/index.js"', f'"{HERE / "index.js"}"')
    (tmp_path / "page.mts").write_text(text, "utf-8")
    assert compiler.compiled(tmp_path / "page.mts") == []
