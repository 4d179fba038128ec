"""`python -m tools.typescript` writes clients/typescript/; `--check` fails with a diff when it is stale."""

import argparse
import sys
from pathlib import Path

from google.protobuf.descriptor import Descriptor

from llm_incident_manager.transport import methods as contract
from tools import shell
from tools.apidocs import comments, files
from tools.generate import ProtocFailed
from tools.typescript import messages, methods

OUT = shell.ROOT / "clients" / "typescript"
BY_HAND = ("json", "websocket")
"""Modules that do not follow from the protos; a test holds them against what the server sends."""


def wanted() -> dict[Path, str]:
    """Every file that is written, with what it should hold. Raises ProtocFailed, CannotTell."""
    told, every = comments.read(), contract.all_methods()
    roots: list[Descriptor] = []
    for method in every:
        roots += (method.descriptor.input_type, method.descriptor.output_type)
    reached = messages.reached(roots)
    found = {OUT / f"{messages.module_of(file)}.d.ts": messages.module(file, told) for file in reached}
    found[OUT / "methods.d.ts"] = methods.module(every, told)
    parts = sorted({path.name.removesuffix(".d.ts") for path in found} | {*BY_HAND})
    lines = [messages.MARK, "", *(f'export type * from "./{part}.js";' for part in parts), ""]
    return {**found, OUT / "index.d.ts": "\n".join(lines)}


def left_over(texts: dict[Path, str]) -> list[Path]:
    """Files of a former contract."""
    return [
        path
        for path in sorted(OUT.glob("*.d.ts"))
        if path not in texts and path.name.removesuffix(".d.ts") not in BY_HAND
    ]


def main() -> int:
    """Returns the exit code: 1 when protoc fails, or when `--check` finds a file stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.typescript", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail with a diff when a file is stale; write nothing")
    check = parser.parse_args().check
    try:
        texts = wanted()
    except ProtocFailed:
        return 1
    old = left_over(texts)
    if not check:
        files.install(texts)
        for path in old:
            path.unlink()
        return 0
    stale = [*files.stale(texts), *(f"left over: {path.relative_to(shell.ROOT)}" for path in old)]
    if stale:
        print("\n".join(stale))
        print("the TypeScript definitions are not what the contract says: run `make gen`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
