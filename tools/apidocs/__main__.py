"""`python -m tools.apidocs` writes what is told about the contract; `--check` fails with a diff when it is stale."""

import argparse
import sys
from pathlib import Path

from tools import shell
from tools.apidocs import comments, examples, files, markdown
from tools.generate import ProtocFailed

DATA = shell.ROOT / "server/llm_incident_manager/transport/rest/openapi"
DOCS = shell.ROOT / "docs"


def wanted() -> dict[Path, str]:
    """Every file that is written, with what it should hold. Raises ProtocFailed, BadExample."""
    told, shown = comments.read(), examples.read()
    shipped = {name: [{k: v for k, v in e.items() if k != "snippet"} for e in each] for name, each in shown.items()}
    return {
        DATA / "comments.json": files.as_json(told),
        DATA / "examples.json": files.as_json(shipped),
        DOCS / "api.md": markdown.methods_page(told, shown),
        DOCS / "api-messages.md": markdown.messages_page(told),
        DOCS / "api-errors.md": markdown.errors_page(told),
    }


def main() -> int:
    """Returns the exit code: 1 when protoc fails, or when `--check` finds a file stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.apidocs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail with a diff when a file is stale; write nothing")
    check = parser.parse_args().check
    try:
        texts = wanted()
    except ProtocFailed:
        return 1
    except examples.BadExample as bad:
        print(bad, file=sys.stderr)
        return 1
    if not check:
        files.install(texts)
        return 0
    stale = files.stale(texts)
    if stale:
        print("\n".join(stale))
        print("what is told about the contract is not what it says: run `make gen`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
