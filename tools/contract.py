"""Judges the .proto files: their format, the lint rules of buf.yaml, and what would break a client of the baseline.

`accept` makes the contract as it is now the baseline, `format` rewrites the files. Nothing here needs the network.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tools import shell

OURS = "proto/incidentmanager"
BASELINE = "proto/baseline.binpb"


def lint() -> int:
    """Format and lint rules; 0 when there is nothing to say."""
    return shell.run("buf", "format", "--path", OURS, "--diff", "--exit-code") or shell.run("buf", "lint")


def reformat() -> int:
    """Rewrites the files in the one format."""
    return shell.run("buf", "format", "--path", OURS, "--write")


def breaking() -> int:
    """Compares with the baseline; 0 when every client of the baseline keeps working."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.binpb"
        # An image, since two modules cannot be compared with one; vendored files are imports of it and stay unjudged.
        return shell.run("buf", "build", "--path", OURS, "--output", image) or shell.run(
            "buf", "breaking", image, "--against", BASELINE, "--exclude-imports"
        )


def accept() -> int:
    """Writes the baseline from the contract as it is now."""
    return shell.run("buf", "build", "--path", OURS, "--exclude-source-info", "--output", BASELINE)


def check() -> int:
    """All judgements; the first that fails ends it."""
    return lint() or breaking()


def main() -> int:
    """Returns the exit code of the judgement asked for."""
    actions = {"check": check, "lint": lint, "breaking": breaking, "accept": accept, "format": reformat}
    parser = argparse.ArgumentParser(prog="python -m tools.contract", description=__doc__)
    parser.add_argument("action", choices=actions)
    return actions[parser.parse_args().action]()


if __name__ == "__main__":
    sys.exit(main())
