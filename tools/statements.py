"""Proves that no text from outside becomes part of a SQL statement: `python -m tools.statements`.

Where a statement is run, its text has to be a constant or a statement of a `.sql` file by name; a function that runs
what it is given is watched where it is called. Where texts are put together to SQL, each piece has to be one that
tools/statement_pieces.py lists, with the reason why it is safe. A piece that is listed for nothing is an error as well.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import shell

FOLDERS = ("server", "clients")

DRIVERS = ("adapters/sqlite/", "adapters/postgres/")
"""Where statements are run: an import contract keeps the drivers' libraries there."""

WRITERS = ("adapters/sql/filters.py", "adapters/sql/listing.py", "adapters/sql/figures.py")
"""Where callers' filters become conditions: every text that is put together there counts."""

SINKS: Mapping[str, int] = dict.fromkeys(
    ("execute", "executemany", "fetch", "fetchrow", "fetchval", "cursor", "copy_from_query", "prepare"), 0
)
"""What of both drivers runs a text, and which argument that is."""

CARRIERS: Mapping[str, int] = {
    "adapters/postgres/ledger.py::_read": 1,
    "adapters/postgres/retention.py::_deleted": 1,
    "adapters/postgres/transaction.py::begin": 0,
    "adapters/postgres/transaction.py::execute": 0,
    "adapters/postgres/transaction.py::fetch": 0,
    "adapters/sqlite/ledger.py::_number": 1,
    "adapters/sqlite/ledger.py::_read": 1,
}
"""Functions that run what they are given, and which argument that is (without self): watched where they are called."""

NAMED = frozenset({"SQL", "STATEMENTS"})
"""Where statements lie by name."""

_VERB = r"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP|WITH|PRAGMA|ATTACH|COPY|LOCK TABLE|SET LOCAL)"
_SQL = re.compile(
    rf"^\s*\(?{_VERB}\s|\b(?:SELECT\s.*\bFROM\b|WHERE\s+\w|FROM\s+\w+\s+(?:WHERE|ORDER|AS)|ORDER BY|VALUES\s*\()",
    re.DOTALL,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Pieces = Mapping[str, tuple[str, frozenset[str]]]
"""By place, "file::function": why pieces of statements are safe there, and which they are, as the code has them."""


@dataclass(frozen=True, slots=True)
class Offence:
    """A piece of a statement, and where it becomes one."""

    file: str
    function: str
    line: int
    piece: str

    @property
    def place(self) -> str:
        """How the list names it."""
        return f"{self.file}::{self.function}"

    def __str__(self) -> str:
        """For people."""
        return f"{self.file}:{self.line} in {self.function}: {self.piece!r} becomes part of a statement"


class Module:
    """One file, looked at."""

    def __init__(self, file: str, source: str) -> None:
        """Raises SyntaxError for what is no Python."""
        self.file = file
        self._tree = ast.parse(source)
        self._constants = _constants(self._tree)
        self._runs = file.startswith(DRIVERS)
        self._writes = file in WRITERS
        raised = (node for node in ast.walk(self._tree) if isinstance(node, ast.Raise))
        self._told = frozenset(id(inner) for each in raised for inner in ast.walk(each))  # what people are told

    def offences(self, sinks: Mapping[str, int]) -> Iterator[Offence]:
        """Everything that has to be listed."""
        for function, node in self._places():
            name = "<module>" if function is None else function.name
            if self._is_run(node, sinks):
                assert isinstance(node, ast.Call)
                text = node.args[sinks[_name_of(node)]]
                if not self._is_plain(text) and not self._is_carried(function, text):
                    yield Offence(self.file, name, node.lineno, ast.unparse(text))
            constant, pieces = _composed(node)
            if pieces and (self._writes or _SQL.search(constant)) and id(node) not in self._told:
                for piece in pieces:
                    if not self._is_plain(piece):
                        yield Offence(self.file, name, piece.lineno, ast.unparse(piece))

    def _is_carried(self, function: Function | None, text: ast.expr) -> bool:
        if function is None or not isinstance(text, ast.Name):
            return False
        arguments = [argument.arg for argument in function.args.args if argument.arg != "self"]
        at = CARRIERS.get(f"{self.file}::{function.name}")
        return at is not None and arguments.index(text.id) == at if text.id in arguments else False

    def _is_run(self, node: ast.AST, sinks: Mapping[str, int]) -> bool:
        if not self._runs or not isinstance(node, ast.Call):
            return False
        at = sinks.get(_name_of(node))
        return at is not None and len(node.args) > at

    def _is_plain(self, value: ast.expr) -> bool:
        match value:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in self._constants
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name in NAMED
        return False

    def _places(self) -> Iterator[tuple[Function | None, ast.AST]]:
        """Every node with the function it is in."""
        waiting: list[tuple[Function | None, ast.AST]] = [(None, self._tree)]
        while waiting:
            function, node = waiting.pop()
            inner = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
            for child in ast.iter_child_nodes(node):
                yield inner, child
                waiting.append((inner, child))


def check(sources: Mapping[str, str], pieces: Pieces) -> Sequence[str]:
    """What to tell people: pieces that are not listed, and listed ones that nothing needs."""
    modules = [Module(file, source) for file, source in sources.items()]
    found = [each for module in modules for each in module.offences(_sinks(module.file))]
    wrong = [str(each) for each in found if each.piece not in pieces.get(each.place, ("", frozenset()))[1]]
    needed = {(each.place, each.piece) for each in found}
    for place, (why, listed) in pieces.items():
        wrong += [f"{place}: {piece!r} is listed and is no piece any more" for piece in listed - _of(place, needed)]
        wrong += [] if why else [f"{place}: is listed without a reason"]
    return wrong


def sources() -> Mapping[str, str]:
    """The files that are looked at."""
    files = (path for folder in FOLDERS for path in sorted((shell.ROOT / folder).rglob("*.py")))
    return {_short(path): path.read_text("utf-8") for path in files if "build" not in path.parts}


def main() -> int:
    """Exit code 1 when something is wrong."""
    from tools.statement_pieces import PIECES

    looked_at = sources()
    wrong = check(looked_at, PIECES)
    for each in wrong:
        print(each, file=sys.stderr)
    if not wrong:
        listed = sum(len(names) for _, names in PIECES.values())
        print(f"statements: {len(looked_at)} files, {listed} pieces in {len(PIECES)} places, each with its reason")
    return int(bool(wrong))


def _sinks(file: str) -> Mapping[str, int]:
    """What runs a text there: a private function only in its own file."""
    named = ((place.partition("::"), at) for place, at in CARRIERS.items())
    carriers = {name: at for (where, _, name), at in named if where == file or not name.startswith("_")}
    return {**carriers, **SINKS}


def _of(place: str, needed: set[tuple[str, str]]) -> set[str]:
    return {piece for where, piece in needed if where == place}


def _short(path: Path) -> str:
    return path.relative_to(shell.ROOT).as_posix().removeprefix("server/llm_incident_manager/")


def _name_of(call: ast.Call) -> str:
    """What a call calls: a method, or a private function of the file."""
    match call.func:
        case ast.Attribute(attr=name):
            return name
        case ast.Name(id=name) if name.startswith("_"):
            return name
    return ""


def _constants(tree: ast.Module) -> frozenset[str]:
    """Names that the module gives a constant text once and for all."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return frozenset(found)


def _composed(node: ast.AST) -> tuple[str, Sequence[ast.expr]]:
    """A text that is put together: what of it is constant, and the pieces that are not."""
    match node:
        case ast.JoinedStr(values=values):
            constant = "?".join(str(part.value) for part in values if isinstance(part, ast.Constant))
            return constant, [part.value for part in values if isinstance(part, ast.FormattedValue)]
        case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right):
            texts = [part for part in (left, right) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            others = [part for part in (left, right) if not isinstance(part, ast.Constant | ast.JoinedStr)]
            return "".join(str(part.value) for part in texts), others if texts else []
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format" | "format_map" | "join")):
            return text, [*node.args, *(each.value for each in node.keywords)]
        case ast.Call(func=ast.Attribute(attr="replace"), args=[ast.Constant(value=str(before)), after, *_]):
            return before, [after]
    return "", []


if __name__ == "__main__":
    sys.exit(main())
