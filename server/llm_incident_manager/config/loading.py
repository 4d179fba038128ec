"""Puts the settings together: defaults, config.yaml, the environment, then options. Reports all problems at once."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from llm_incident_manager.config import documents, environment, explain, schema
from llm_incident_manager.config.problems import ConfigError, Problem
from llm_incident_manager.config.settings import Settings, conflicts

DEFAULT_FILE = "config.yaml"
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})
Origins = dict[schema.Path, str]


def load(env: Mapping[str, str], path: Path | None = None, options: Mapping[str, str] = NO_OPTIONS) -> Settings:
    """The settings for an environment, a file and options of the command line, which win: names of keys with values.

    The file is `path`, else what CONFIG_PATH names, else ./config.yaml if there is one. Raises ConfigError.
    """
    named = path or (Path(env["CONFIG_PATH"]) if env.get("CONFIG_PATH") else None)
    file = named or Path(DEFAULT_FILE)
    tree = _file(file) if named or file.is_file() else {}
    origins: Origins = {(): str(file)}
    assignments, problems = environment.read(env)
    given = [environment.Assignment((key,), value, f"--{key}") for key, value in options.items()]
    for assignment in (*assignments, *given):
        _put(tree, assignment)
        origins[assignment.path] = assignment.origin
    return _checked(tree, origins, problems)


def _checked(tree: dict[str, object], origins: Origins, problems: list[Problem]) -> Settings:
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError([*problems, *explain.problems(error, origins)]) from None
    problems += [explain.located(problem, origins) for problem in conflicts(settings)]
    if problems:
        raise ConfigError(problems)
    return settings


def _file(path: Path) -> dict[str, object]:
    try:
        content = documents.read(path)
    except documents.Unreadable as error:
        raise ConfigError([Problem(str(path), "", "", str(error))]) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            [Problem(str(path), "", "", "must hold keys and values, such as `grpc:` and `  port: 50051`")]
        )
    return content


def _put(tree: dict[str, object], assignment: environment.Assignment) -> None:
    """Sets a value deep in the tree; an entry of a list must exist or be the next one."""
    here: object = tree
    for part, following in pairwise(assignment.path):
        here = _step(here, part, [] if isinstance(following, int) else {}, assignment)
    _step(here, assignment.path[-1], assignment.value, assignment, replace=True)


def _step(
    here: object, part: str | int, value: object, assignment: environment.Assignment, *, replace: bool = False
) -> object:
    if isinstance(here, dict) and isinstance(part, str):
        if replace or here.get(part) is None:
            here[part] = value
    elif isinstance(here, list) and isinstance(part, int) and part <= len(here):
        if part == len(here):
            here.append(value)
        elif replace:
            here[part] = value
    else:
        where = schema.dotted(assignment.path)
        raise ConfigError([Problem(assignment.origin, "", "", f"there is no {where}: add the entries before it first")])
    return here[part]  # type: ignore[index]  # both branches above have made it so
