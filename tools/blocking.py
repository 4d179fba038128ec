"""Writes the methods of the blocking clients from those of the asynchronous ones: their signatures, never their logic.

`--check` fails with a diff when clients/llm_incident_client/sync/methods/ differs from what it would write.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import shell
from tools.generate import MOST_DIFF_LINES, Tree, differences

CLIENT = shell.ROOT / "clients" / "llm_incident_client"
METHODS = Path("sync/methods")
PACKAGE = "llm_incident_client"
CLIENTS = {
    "IncidentClient": "client",
    "SentinelClient": "sentinel.client",
    "ShieldClient": "shield.client",
    "GovernanceClient": "governance.client",
}
"""The asynchronous clients and the modules they are in. Each is made of groups of methods."""
BASE = "Connection"
"""The base that is no group."""

# What a docstring says of the asynchronous method, and how the blocking one says it.
WORDS = (("async with ", "with "), ("await ", ""), ("`aclose` closes", "`shutdown` ends"))
# Names that mean another class in the blocking client.
OURS = {"EventStream": f"from {PACKAGE}.sync.stream import EventStream"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


class CannotTell(Exception):
    """A method has a form that this tool does not know; it says which."""


def groups(client: str) -> dict[str, str]:
    """The groups of methods that an asynchronous client is made of, and their modules, in its order."""
    tree = parsed(CLIENTS[client])
    places = {
        alias.name: (node.module or "").removeprefix(f"{PACKAGE}.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    [found] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == client]
    return {name: places[name] for name in map(ast.unparse, found.bases) if name != BASE}


def parsed(module: str) -> ast.Module:
    """The source of a module of the client package."""
    return ast.parse((CLIENT / f"{module.replace('.', '/')}.py").read_text("utf-8"))


def short(module: str) -> str:
    """What the blocking form of a module is called: `sentinel.calls` gives `sentinel`."""
    return module.partition(".")[0]


def write_all() -> Tree:
    """Every file of the generated folder, formatted, by its path below the client package."""
    found = {client: groups(client) for client in CLIENTS}
    modules = {module: name for each in found.values() for name, module in each.items()}
    tree = {METHODS / f"{short(module)}.py": module_source(module, name) for module, name in modules.items()}
    tree[METHODS / "__init__.py"] = package_source(found)
    return {path: formatted(source) for path, source in tree.items()}


def package_source(found: dict[str, dict[str, str]]) -> str:
    """The module that puts the groups together."""
    modules = {module: name for each in found.values() for name, module in each.items()}
    imports = "\n".join(f"from {PACKAGE}.sync.methods.{short(where)} import {name}" for where, name in modules.items())
    classes = "\n".join(
        f'\n\nclass {client}Methods({", ".join(each)}):\n    """Those of {client}."""\n'
        for client, each in found.items()
    )
    return f'''# Written by `make gen` from the modules of the asynchronous clients.
"""Every method of the asynchronous clients, as one that waits."""

{imports}
{classes}'''


def module_source(module: str, group: str) -> str:
    """The blocking form of one group of methods."""
    tree = parsed(module)
    [cls] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == group]
    methods = [node for node in cls.body if isinstance(node, Function) and not node.name.startswith("_")]
    body = "\n\n".join(method_source(method, group) for method in methods)
    used = {node.id for node in ast.walk(ast.parse(f"class Body:\n{body}")) if isinstance(node, ast.Name)}
    imports = "\n".join(imports_for(tree, module, used))
    return (
        f"# Written by `make gen` from {PACKAGE}/{module.replace('.', '/')}.py: edit that file.\n"
        f"{docstring(tree, '')}\n\n{imports}\n\n\n"
        f"class {group}(Blocking):\n{docstring(cls, '    ')}\n\n{body}\n"
    )


def imports_for(tree: ast.Module, module: str, used: set[str]) -> Iterator[str]:
    """The source's own imports of the names in use, the names it defines, and those that blocking methods stand on."""
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        kept = [name for name in node.names if (name.asname or name.name) in used - OURS.keys()]
        if kept:
            node.names = kept
            yield ast.unparse(node)
    if defined := sorted(used & set(definitions(tree))):
        yield f"from {PACKAGE}.{module} import {', '.join(defined)}"
    package, _, name = f"{PACKAGE}.{module}".rpartition(".")
    yield f"from {package} import {name} as asynchronous"
    yield from (line for name, line in OURS.items() if name in used)
    yield f"from {PACKAGE}.sync.blocking import Blocking"
    if "Items" in used:
        yield f"from {PACKAGE}.sync.items import Items"


def definitions(tree: ast.Module) -> Iterator[str]:
    """The public names that the module gives to types and constants."""
    for node in tree.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                yield name


def method_source(method: Function, group: str) -> str:
    """The blocking form of one method: its signature and docstring, and one call."""
    if method.decorator_list or method.returns is None:
        raise CannotTell(f"{method.name}: decorators, and methods without a return type, have no blocking form here")
    call = f"self._as(asynchronous.{group}).{method.name}({arguments(method.args)})"
    returns = ast.unparse(method.returns)
    if items := item_type(method):
        returns, call = f"Items[{items}]", f"Items(self, {call})"
    elif isinstance(method, ast.AsyncFunctionDef):
        call = f"self.portal.wait({call})"
    elif returns in OURS:
        call = f"{returns}(self, {call})"
    else:
        raise CannotTell(f"{method.name}: a plain method can only return {', '.join(OURS)}, not {returns}")
    head = f"    def {method.name}({ast.unparse(method.args)}) -> {returns}:"
    return f"{head}\n{docstring(method, '        ')}\n        return {call}"


def item_type(method: Function) -> str:
    """What an asynchronous generator yields; empty for other methods."""
    match method.returns:
        case ast.Subscript(value=ast.Name(id="AsyncGenerator" | "AsyncIterator"), slice=what):
            return ast.unparse(what.elts[0] if isinstance(what, ast.Tuple) else what)
    return ""


def arguments(given: ast.arguments) -> str:
    """The call's arguments. An iterable is read in the caller's thread: it may wait, or use the client itself."""
    if given.vararg or given.kwarg:
        raise CannotTell("*args and **kwargs have no types to pass on")
    positional = [*given.posonlyargs, *given.args][1:]
    return ", ".join([*map(value, positional), *(f"{one.arg}={value(one)}" for one in given.kwonlyargs)])


def value(argument: ast.arg) -> str:
    """The argument as it is passed on."""
    annotation = ast.unparse(argument.annotation) if argument.annotation else ""
    if not annotation.startswith("Iterable["):
        return argument.arg
    read = f"list({argument.arg})"
    return f"None if {argument.arg} is None else {read}" if annotation.endswith("| None") else read


def docstring(node: ast.Module | ast.ClassDef | Function, indent: str) -> str:
    """The docstring in the words of the blocking client."""
    text = ast.get_docstring(node) or ""
    for old, new in WORDS:
        text = text.replace(old, new)
    lines = f'"""{text}"""' if "\n" not in text else f'"""{text}\n"""'
    return "\n".join(indent + line if line else "" for line in lines.splitlines())


def formatted(source: str) -> str:
    """The source as `make fmt` leaves it."""
    options = ("--stdin-filename", str(CLIENT / METHODS / "one.py"), "-")
    sorted_imports = shell.filtered(source, "ruff", "check", "--select", "I", "--fix", "--quiet", *options)
    return shell.filtered(sorted_imports, "ruff", "format", "--quiet", *options)


def read() -> Tree:
    """The generated folder as it is."""
    files = (CLIENT / METHODS).glob("*.py")
    return {path.relative_to(CLIENT): path.read_text("utf-8") for path in files}


def install(old: Tree, new: Tree) -> None:
    """Makes the folder equal to `new`."""
    (CLIENT / METHODS).mkdir(exist_ok=True)
    for path in old.keys() - new.keys():
        (CLIENT / path).unlink()
    for path, text in new.items():
        if old.get(path) != text:
            (CLIENT / path).write_text(text, "utf-8")


def main() -> int:
    """Returns the exit code: 1 when `--check` finds the folder stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.blocking", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail with a diff when it is stale; write nothing")
    check = parser.parse_args().check
    old, new = read(), write_all()
    if not check:
        install(old, new)
        return 0
    stale = differences(old, new, "clients/llm_incident_client")
    if stale:
        print("\n".join(stale[:MOST_DIFF_LINES]))
        print("the blocking client is not what the asynchronous one gives: run `make gen`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
