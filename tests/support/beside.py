"""Expectations of other systems and recorded events, which lie beside the repository and are not part of it."""

from pathlib import Path

import pytest

from tools import shell

FOLDER = shell.ROOT.parent / "shared"
ABSENT = "not beside the repository:"
"""How the reason of such a skip begins. It hides no missing install, so `--no-skips` lets it pass."""


def needs(path: Path) -> None:
    """Skips the test, or the module that asks, when its file or folder is absent."""
    if not path.exists():
        pytest.skip(f"{ABSENT} {path.relative_to(FOLDER)}", allow_module_level=True)
