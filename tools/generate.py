"""Turns the .proto files into generated/: messages, gRPC stubs and their types, with the pinned protoc.

`--check` generates into a temporary folder and fails with a diff when generated/ differs. It never edits what the
generators print, and never touches a file of generated/ that is up to date.
"""

import argparse
import difflib
import sys
import tempfile
from pathlib import Path

from tools import shell

PROTO = shell.ROOT / "proto"
GENERATED = shell.ROOT / "generated"
PACKAGES = ("buf", "incidentmanager")  # google.* comes from distributions of its own
MOST_DIFF_LINES = 100

MESSAGES = ("--python_out={out}", "--mypy_out=quiet:{out}")
SERVICES = ("--grpc_python_out={out}", "--mypy_grpc_out=quiet,only_async:{out}")

Tree = dict[Path, str]
"""The text of every generated file by its path below the root of the tree."""


class ProtocFailed(Exception):
    """Protoc refused the sources, and has already said why."""


def protoc(out: Path, plugins: tuple[str, ...], files: list[str]) -> None:
    """Runs protoc over `files`, named from their include folder; raises `ProtocFailed`."""
    includes = (f"-I{PROTO}", f"-I{PROTO / 'third_party'}")
    outputs = (plugin.format(out=out) for plugin in plugins)
    if shell.run(sys.executable, "-m", "grpc_tools.protoc", *includes, *outputs, *files):
        raise ProtocFailed


def generate(out: Path) -> None:
    """Writes everything below `out`, package markers included; raises `ProtocFailed`."""
    ours = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("incidentmanager/**/*.proto"))
    protoc(out, MESSAGES, ["buf/validate/validate.proto", *ours])
    protoc(out, SERVICES, [name for name in ours if name.endswith("_service.proto")])
    for package in PACKAGES:
        for folder in {path.parent for path in (out / package).rglob("*.py")} | {out / package}:
            (folder / "__init__.py").touch()
        (out / package / "py.typed").touch()


def read(root: Path) -> Tree:
    """The generated files below `root`; caches and the hand-written pyproject.toml are not among them."""
    files = (path for package in PACKAGES for path in (root / package).rglob("*"))
    return {
        path.relative_to(root): path.read_text("utf-8") for path in files if path.suffix in {".py", ".pyi", ".typed"}
    }


def differences(old: Tree, new: Tree, root: str = "generated") -> list[str]:
    """The lines of a unified diff from `old` to `new`; empty when they are equal."""
    lines: list[str] = []
    for path in sorted(old.keys() | new.keys()):
        if path not in old or path not in new:
            lines.append(f"{'left over' if path in old else 'missing'}: {root}/{path}")
            continue
        names = f"{root}/{path}", f"{root}/{path} as it should be"
        lines += difflib.unified_diff(old[path].splitlines(), new[path].splitlines(), *names, lineterm="")
    return lines


def install(old: Tree, new: Tree) -> None:
    """Makes generated/ equal to `new`."""
    for path in old.keys() - new.keys():
        (GENERATED / path).unlink()
    for path, text in new.items():
        if old.get(path) != text:
            (GENERATED / path).parent.mkdir(parents=True, exist_ok=True)
            (GENERATED / path).write_text(text, "utf-8")


def main() -> int:
    """Returns the exit code: 1 when protoc fails, or when `--check` finds generated/ stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail with a diff when generated/ is stale; write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        try:
            generate(Path(folder))
        except ProtocFailed:
            return 1
        old, new = read(GENERATED), read(Path(folder))
    if not check:
        install(old, new)
        return 0
    stale = differences(old, new)
    if stale:
        print("\n".join(stale[:MOST_DIFF_LINES]))
        print("generated/ is not what the .proto files give: run `make gen`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
