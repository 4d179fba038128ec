"""Dependencies point inwards, each library has one door, siblings do not know each other: see pyproject.toml."""

from tools import shell


def test_the_import_contracts_are_kept() -> None:
    assert shell.run("lint-imports", "--no-logo") == 0
