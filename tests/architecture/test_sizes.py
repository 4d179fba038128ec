"""A file fits a reader's head and a function fits a screen. Docstrings do not count towards a function's length."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tools import shell

FOLDERS = ("server", "clients", "tools", "cases", "chaos", "simulation")
MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 40

# "path" or "path::function" -> why it may be longer. It starts empty and should stay so.
ALLOWED: dict[str, str] = {}


def sources() -> dict[str, str]:
    files = (path for folder in FOLDERS for path in sorted((shell.ROOT / folder).rglob("*.py")))
    return {str(path.relative_to(shell.ROOT)): path.read_text("utf-8") for path in files}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions(source: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, body_lines(node)


def too_long() -> dict[str, int]:
    found: dict[str, int] = {}
    for path, source in sources().items():
        if (lines := len(source.splitlines())) > MOST_FILE_LINES:
            found[path] = lines
        found.update((f"{path}::{name}", lines) for name, lines in functions(source) if lines > MOST_FUNCTION_LINES)
    return found


def test_no_file_and_no_function_is_too_long() -> None:
    assert {what: lines for what, lines in too_long().items() if what not in ALLOWED} == {}


def test_every_exception_is_still_needed_and_has_a_reason() -> None:
    assert {what for what, why in ALLOWED.items() if not why} == set()
    assert set(ALLOWED) - set(too_long()) == set()


def test_a_docstring_does_not_count_towards_the_length() -> None:
    assert dict(functions('def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n    return a\n')) == {"f": 2}


def test_the_measure_sees_the_server_the_client_the_tools_the_case_runner_chaos_and_simulation() -> None:
    assert {Path(path).parts[0] for path in sources()} == set(FOLDERS)
