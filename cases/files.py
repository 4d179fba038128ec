"""Finds case files and reads them: JSON with a list under `cases`, or one case a line."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases.case import Case, Format
from cases.formats import FORMATS, LATER


class NoFolder(Exception):
    """There is nothing to run; the message says what is missing and where it should be."""


class Damaged(Exception):
    """A file is no case file; the message says why."""


@dataclass(frozen=True)
class CaseFile:
    """A file and its cases. `format` is None when no module reads it; `why` then says why."""

    name: str
    cases: Sequence[Case]
    format: Format | None
    why: str = ""
    later: bool = False


def find(place: Path) -> list[Path]:
    """The case files of a folder and its sub-folders, or the one file. Raises NoFolder."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise NoFolder(f"there is no {place}: name a folder or a file of cases, as `make cases DIR=../shared/cases`")
    found = sorted(path for path in place.rglob("*.json*") if path.suffix in {".json", ".jsonl"} and path.is_file())
    if not found:
        raise NoFolder(f"{place} holds no .json or .jsonl file")
    return found


def load(path: Path, place: Path) -> CaseFile:
    """A file with the format that reads it."""
    name = path.name if path == place else str(path.relative_to(place))
    try:
        cases = _cases(path)
    except Damaged as damage:
        return CaseFile(name, (), None, str(damage))
    stem = path.stem
    named = next((each for each in FORMATS if each.NAME in stem), None)
    if named is None:
        later = next((why for word, why in LATER.items() if word in stem), None)
        if later is not None:
            return CaseFile(name, cases, None, later, later=True)
        named = _likeliest(cases)
    return CaseFile(name, cases, named, "" if named else "no format of ours reads such cases")


def _likeliest(cases: Sequence[Case]) -> Format | None:
    """The format that recognises most of the cases; None when none recognises any."""
    known = {each.NAME: sum(map(each.recognises, cases)) for each in FORMATS}
    best = max(FORMATS, key=lambda each: known[each.NAME])
    return best if known[best.NAME] else None


def _cases(path: Path) -> Sequence[Case]:
    try:
        text = path.read_text("utf-8")
        content: Any = (
            [json.loads(line) for line in text.splitlines() if line.strip()]
            if path.suffix == ".jsonl"
            else json.loads(text)
        )
    except ValueError as error:
        raise Damaged(f"it is no JSON: {error}") from error
    cases = content.get("cases") if isinstance(content, dict) else content
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise Damaged("it has no list of cases under `cases`")
    return cases
