"""The one door to YAML. Reading is strict: a key given twice, or what is not YAML, is refused with line and column."""

from pathlib import Path

import yaml


class Unreadable(Exception):
    """A file or text that cannot be understood; the message says where and why, for people."""


def read(path: Path) -> object:
    """What a YAML file holds; None for an empty one. Raises Unreadable."""
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise Unreadable(f"{error.strerror}: name a readable YAML file") from None
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8 text: save it as such") from None


def parse(text: str) -> object:
    """What a YAML text holds; None for an empty one. Raises Unreadable."""
    try:
        return yaml.load(text, _Strict)  # noqa: S506  # a SafeLoader, only stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise Unreadable(f"{where}{error.problem}: correct the YAML there") from None
    except yaml.YAMLError as error:
        raise Unreadable(f"is not YAML ({' '.join(str(error).split())}): correct it") from None


def text(value: object, *, start: bool = False) -> str:
    """A value of plain lists, mappings, strings and numbers as YAML, in its own order. `start` marks a new document."""
    written: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1_000_000, explicit_start=start)
    return written


class _Strict(yaml.SafeLoader):
    """Refuses a key that is given twice, where YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        """The mapping, once its keys are known to differ."""
        seen = set()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
