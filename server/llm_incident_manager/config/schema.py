"""Knows every key there is: its default, meaning, whether it is a secret, and which known key a wrong one resembles."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple, get_args, get_origin

from pydantic import BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

from llm_incident_manager.config.settings import Settings
from llm_incident_manager.config.values import Section

Path = tuple[str | int, ...]


class Key(NamedTuple):
    """One key: its dotted name (`[]` stands for an entry of a list), field, and section."""

    name: str
    field: FieldInfo
    section: type[Section]


def all_keys(section: type[Section] = Settings, prefix: str = "") -> Iterator[Key]:
    """All keys that hold a value, in the order of the sections."""
    for name, field in section.model_fields.items():
        inner, is_list = _inner(field.annotation)
        if inner is None:
            yield Key(prefix + name, field, section)
        else:
            yield from all_keys(inner, f"{prefix}{name}{'[]' if is_list else ''}.")


def dotted(path: Path) -> str:
    """A path as people write it: notifications.channels[0].name."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def find(path: Path) -> FieldInfo | None:
    """The field at a path, or the map that it is an entry of; None when no such key exists."""
    section: type[Section] | None = Settings
    field: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):
            continue
        if section is None:
            return field if field is not None and not holds_one_value(field) else None
        field = section.model_fields.get(part)
        if field is None:
            return None
        section = _inner(field.annotation)[0]
    return field


def holds_one_value(field: FieldInfo) -> bool:
    """Whether the field is a plain value, or words in one text, rather than a section, a list of them, or a map."""
    if get_origin(field.annotation) is tuple and not any(isinstance(each, BeforeValidator) for each in field.metadata):
        return False  # a list, whose words nothing takes apart
    return _inner(field.annotation)[0] is None and get_origin(field.annotation) is not Mapping


def is_secret(field: FieldInfo) -> bool:
    """Whether the field's value must never be shown."""
    return SecretStr in set(_parts(field.annotation))


def nearest(path: Path) -> str:
    """What to say about an unknown key: the known key it resembles, or those that exist beside it."""
    *before, last = path
    known = [key.name for key in all_keys()]
    beside = _beside(before)
    if close := get_close_matches(str(last), beside, 1, 0.6):
        return f"unknown key; did you mean {dotted((*before, close[0]))}?"
    plain = dotted(tuple(part for part in path if not isinstance(part, int)))
    homonyms = [name for name in known if name.rpartition(".")[2] == last]
    if close := homonyms[:1] or get_close_matches(plain, known, 1, 0.75):
        return f"unknown key; did you mean {close[0]}?"
    return f"unknown key; known here: {', '.join(beside)}"


def _beside(before: Sequence[str | int]) -> list[str]:
    section: type[Section] = Settings
    for part in before:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        inner = None if field is None else _inner(field.annotation)[0]
        if inner is None:
            return []
        section = inner
    return list(section.model_fields)


def _inner(annotation: object) -> tuple[type[Section] | None, bool]:
    """The section a field holds, if it does, and whether it holds a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, False
    if get_origin(annotation) is tuple:
        entry = get_args(annotation)[0]
        return (entry, True) if isinstance(entry, type) and issubclass(entry, Section) else (None, False)
    return None, False


def _parts(annotation: object) -> Iterator[object]:
    """The annotation and everything it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
