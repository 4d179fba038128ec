"""Turns what the validator found into problems an operator can act on."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from llm_incident_manager.config import schema
from llm_incident_manager.config.problems import Problem, shown

HIDDEN = "(hidden)"

_Error = Mapping[str, Any]  # the validator's own record: its keys depend on the sort of error

_WORDS = {
    "int": "give a whole number",
    "float": "give a number",
    "bool": "give true or false",
    "string": "give text; put it in quotes",
    "path": "give a path",
    "tuple": "give a list",
    "mapping": "give keys and values",
    "dict": "give keys and values",
    "model": "give keys and values",
}


def problems(error: ValidationError, origins: Mapping[schema.Path, str]) -> Sequence[Problem]:
    """One problem for each thing the validator refused."""
    return [_problem(found, origins) for found in error.errors(include_url=False)]


def located(problem: Problem, origins: Mapping[schema.Path, str]) -> Problem:
    """The problem of a key, with where its value came from."""
    parts = problem.key.replace("[", ".").replace("]", "").split(".")
    path = tuple(int(part) if part.isdigit() else part for part in parts)
    return problem._replace(origin=_origin(path, origins))


def _problem(error: _Error, origins: Mapping[schema.Path, str]) -> Problem:
    path: schema.Path = error["loc"]
    key, origin = schema.dotted(path), _origin(path, origins)
    if error["type"] == "extra_forbidden":
        return Problem(key, "", origin, schema.nearest(path))
    if error["type"] == "missing":
        return Problem(key, "", origin, "is missing: add it")
    field = schema.find(path)
    return Problem(key, _value(error["input"], field), origin, _remedy(error, field))


def _origin(path: schema.Path, origins: Mapping[schema.Path, str]) -> str:
    """The source of the longest known part of the path; the file's when no variable gave any of it."""
    known = (origins.get(path[:length]) for length in range(len(path), -1, -1))
    return next((origin for origin in known if origin is not None), "")


def _value(value: object, field: FieldInfo | None) -> str:
    if field is None or schema.is_secret(field) or not schema.holds_one_value(field):
        return HIDDEN if isinstance(value, str) else f"({type(value).__name__})"
    return shown(value)


def _remedy(error: _Error, field: FieldInfo | None) -> str:
    sort: str = error["type"]
    if sort == "value_error":
        return str(error["ctx"]["error"])
    if sort in ("literal_error", "enum"):
        return f"give {error['ctx']['expected']}"
    word = _WORDS.get(sort.split("_", maxsplit=1)[0])
    if word is None and sort.startswith(("greater_than", "less_than", "finite")):
        word = "give a number"
    return f"{word}{_range(field)}" if word else f"{error['msg'][:1].lower()}{error['msg'][1:]}"


def _range(field: FieldInfo | None) -> str:
    parts = []
    for bound in [] if field is None else field.metadata:
        match bound:
            case Ge(ge):
                parts.append(f"from {ge}")
            case Gt(gt):
                parts.append(f"above {gt}")
            case Le(le):
                parts.append(f"to {le}")
            case Lt(lt):
                parts.append(f"below {lt}")
    return "".join(f" {part}" for part in parts)
