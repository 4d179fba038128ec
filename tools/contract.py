"""Judges the .proto files: their format, the lint rules of buf.yaml, that every method declares its permission, and
what would break a client of the baseline.

`accept` makes the contract as it is now the baseline, `format` rewrites the files. Nothing here needs the network.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from incidentmanager.v1 import options_pb2

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


def permissions() -> int:
    """Looks for methods that nobody has said who may call; 0 when there are none."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.binpb"
        if failed := shell.run("buf", "build", "--path", OURS, "--output", image):
            return failed
        missing = undeclared(FileDescriptorSet.FromString(image.read_bytes()))
    for name in missing:
        print(f"{name} declares no permission: add `option (permission) = …` to it", file=sys.stderr)
    return int(bool(missing))


def undeclared(files: FileDescriptorSet) -> Sequence[str]:
    """The methods without a permission; none of a service that others implement, which declares `external` instead."""
    return [
        f"{file.package}.{service.name}/{method.name}"
        for file in files.file
        for service in file.service
        if not service.options.Extensions[options_pb2.external]
        for method in service.method
        if method.options.Extensions[options_pb2.permission] == options_pb2.PERMISSION_UNSPECIFIED
    ]


def accept() -> int:
    """Writes the baseline from the contract as it is now."""
    return shell.run("buf", "build", "--path", OURS, "--exclude-source-info", "--output", BASELINE)


def check() -> int:
    """All judgements; the first that fails ends it."""
    return lint() or permissions() or breaking()


def main() -> int:
    """Returns the exit code of the judgement asked for."""
    actions = {"check": check, "lint": lint, "breaking": breaking, "accept": accept, "format": reformat}
    parser = argparse.ArgumentParser(prog="python -m tools.contract", description=__doc__)
    parser.add_argument("action", choices=actions)
    return actions[parser.parse_args().action]()


if __name__ == "__main__":
    sys.exit(main())
