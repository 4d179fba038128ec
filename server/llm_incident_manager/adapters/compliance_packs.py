"""Reads the compliance frameworks that come with the server from YAML, and refuses what it does not understand whole.
Judges nothing itself."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources

from llm_incident_manager.config import Settings, documents, evidence
from llm_incident_manager.domain import filters
from llm_incident_manager.domain.compliance import (
    Attached,
    Audited,
    Control,
    Entry,
    Framework,
    Gravity,
    KeysUsed,
    Requirement,
    RootCause,
    Sealed,
    Setting,
    Test,
    Told,
)
from llm_incident_manager.domain.evidence import Basis
from llm_incident_manager.domain.filters import Filter, InvalidFilter
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.sla import Promise, Targets
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE
from llm_incident_manager.domain.timeline import TimelineKind

_FOLDER = "compliance"
_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._()-]*")
_FRAMEWORK_KEYS = {"id", "name", "edition", "version", "effective_date", "aliases", "notice", "scopes", "controls"}
_CONTROL_KEYS = {"id", "title", "source", "text", "gravity", "requirements"}
_REQUIREMENT_KEYS = {"id", "applies_to", "evidence", "remedy", "any_of"}

Tree = Mapping[str, object]


class PackError(Exception):
    """A framework cannot be used; the message says where and why."""


def basis(settings: Settings, targets: Targets, *, signing: bool) -> Basis:
    """What reports of this server go by; `signing`: whether checkpoints of the audit are signed. Raises PackError."""
    return Basis(load(), evidence.values(settings, signing=signing), targets, evidence.silent(settings))


@cache
def load() -> tuple[Framework, ...]:
    """The frameworks by id. Raises PackError."""
    folder = resources.files("llm_incident_manager") / _FOLDER
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    found = [parse(documents.parse(file.read_text("utf-8")), file.name) for file in files]
    return tuple(sorted(found, key=lambda framework: framework.id))


def parse(content: object, name: str = "framework") -> Framework:
    """The framework of parsed YAML; `name` stands before a problem. Raises PackError."""
    try:
        tree = _keys(content, _FRAMEWORK_KEYS, "")
        scopes = {
            key: _text({"scope": text}, "scope", key) for key, text in _keys(tree.get("scopes", {}), None, "").items()
        }
        controls = tuple(_control(each, scopes) for each in _list(tree, "controls", ""))
        _unique([control.id for control in controls], "controls")
        return Framework(
            _matching(tree, "id", _ID, ""),
            _text(tree, "name", ""),
            _text(tree, "edition", ""),
            _matching(tree, "version", _DATE, ""),
            _matching(tree, "effective_date", _DATE, ""),
            _text(tree, "notice", ""),
            controls,
            tuple(map(str, _list(tree, "aliases", ""))),
        )
    except (PackError, ValueError) as error:
        raise PackError(f"{name}: {error}") from None


def _control(content: object, scopes: Mapping[str, str]) -> Control:
    tree = _keys(content, _CONTROL_KEYS, "controls")
    id_ = _matching(tree, "id", _ID, "controls")
    word = _text(tree, "gravity", id_).upper()
    if word not in Gravity.__members__:
        raise PackError(f"{id_}.gravity: {word!r} is none of {', '.join(Gravity.__members__)}")
    requirements = tuple(_requirement(each, id_, scopes) for each in _list(tree, "requirements", id_))
    _unique([each.id for each in requirements], id_)
    title, source, text = (_text(tree, key, id_) for key in ("title", "source", "text"))
    return Control(id_, title, source, text, Gravity[word], requirements)


def _requirement(content: object, control: str, scopes: Mapping[str, str]) -> Requirement:
    tree = _keys(content, _REQUIREMENT_KEYS, control)
    id_ = _matching(tree, "id", _ID, control)
    at = f"{control}/{id_}"
    tests = tuple(_test(each, at) for each in _list(tree, "any_of", at))
    applies_to = _filter(tree["applies_to"], at, scopes) if "applies_to" in tree else None
    of_system = [isinstance(test, Setting | Audited | Sealed | KeysUsed) for test in tests]
    if any(of_system) != all(of_system) or all(of_system) != (applies_to is None):
        raise PackError(f"{at}: applies_to is for tests of incidents, and only for them")
    return Requirement(id_, _text(tree, "evidence", at), _text(tree, "remedy", at), tests, applies_to)


def _filter(content: object, at: str, scopes: Mapping[str, str]) -> Filter:
    if not isinstance(content, str):
        raise PackError(f"{at}.applies_to: give a filter")
    for name, text in scopes.items():
        content = content.replace(f"{{{name}}}", f"({text})")
    try:
        return filters.parse(content)
    except InvalidFilter as error:
        raise PackError(f"{at}.applies_to: {error}") from None


def _test(content: object, at: str) -> Test:
    tree = _keys(content, None, at)
    kinds = [name for name in _TESTS if name in tree]
    if len(kinds) != 1:
        raise PackError(
            f"{at}.any_of: give one of {', '.join(_TESTS)} for each test, not {', '.join(tree) or 'nothing'}"
        )
    allowed, made = _TESTS[kinds[0]]
    _keys(tree, {kinds[0], *allowed}, at)
    return made(tree, at)


def _entry(tree: Tree, at: str) -> Test:
    words = [str(word) for word in _list(tree, "timeline", at)]
    states = frozenset(State(word) for word in words if word in State.__members__)
    kinds = frozenset(TimelineKind(word) for word in words if word in TimelineKind.__members__ and word != "STATE")
    if len(states) + len(kinds) != len(words):
        raise PackError(f"{at}.timeline: give states, and kinds of timeline entries")
    promise = Promise(_text(tree, "promise", at)) if "promise" in tree else None
    return Entry(kinds | ({TimelineKind.STATE} if states else frozenset()), states, _within(tree, at), promise)


def _setting(tree: Tree, at: str) -> Test:
    words = frozenset(str(word) for word in _list(tree, "is", at)) if "is" in tree else frozenset()
    least, most = _number(tree, "at_least", at), _number(tree, "at_most", at)
    if bool(words) == (least is not None or most is not None):
        raise PackError(f"{at}: give either is, or at_least and at_most")
    return Setting(_text(tree, "setting", at), words, least, most, tree.get("unlimited") is True)


def _attached(tree: Tree, at: str) -> Test:
    return Attached(_text(tree, "attachment", at).lower(), _within(tree, at))


_TESTS: Mapping[str, tuple[tuple[str, ...], Callable[[Tree, str], Test]]] = {
    "timeline": (("within", "promise"), _entry),
    "notified": (("within",), lambda tree, at: Told(_within(tree, at))),
    "attachment": (("within",), _attached),
    "root_cause": ((), lambda _tree, _at: RootCause()),
    "setting": (("is", "at_least", "at_most", "unlimited"), _setting),
    "audited": ((), lambda _tree, _at: Audited()),
    "sealed": (("grace",), lambda tree, at: Sealed(_duration(tree, "grace", at))),
    "keys_used": (("within",), lambda tree, at: KeysUsed(_duration(tree, "within", at))),
}
"""What a test is called, what else it may say, and how it is made."""


def _within(tree: Tree, at: str) -> int | None:
    return _duration(tree, "within", at) if "within" in tree else None


def _duration(tree: Tree, key: str, at: str) -> int:
    number, unit = _DURATION.fullmatch(_matching(tree, key, _DURATION, at)).groups()  # type: ignore[union-attr]  # it matches
    return int(number) * _UNITS[unit]


def _number(tree: Tree, key: str, at: str) -> int | None:
    value = tree.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise PackError(f"{at}.{key}: {value!r} is no whole number above 0")


def _keys(content: object, known: set[str] | None, at: str) -> Mapping[str, object]:
    if not isinstance(content, dict):
        raise PackError(f"{at}: give keys and values")
    unknown = sorted(str(key) for key in content if known is not None and key not in known)
    if unknown:
        raise PackError(f"{at}: unknown key {unknown[0]!r}; known here: {', '.join(sorted(known or ()))}")
    return content


def _list(tree: Tree, key: str, at: str) -> Sequence[object]:
    value = tree.get(key)
    if not isinstance(value, list) or not value:
        raise PackError(f"{at}.{key}: give a list".removeprefix("."))
    return value


def _text(tree: Tree, key: str, at: str) -> str:
    value = tree.get(key)
    if not isinstance(value, str) or not value.strip():
        raise PackError(f"{at}.{key}: is missing or no text: give one, in quotes".removeprefix("."))
    return " ".join(value.split())


def _matching(tree: Tree, key: str, pattern: re.Pattern[str], at: str) -> str:
    value = _text(tree, key, at)
    if pattern.fullmatch(value) is None:
        raise PackError(f"{at}.{key}: {value!r} does not look like {pattern.pattern}".removeprefix("."))
    return value


def _unique(names: Sequence[str], at: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PackError(f"{at}: {twice[0]!r} is there twice")
