"""Values of variables that are kept in files, so that no secret has to stand in the environment: REDIS_URL_FILE names
the file that holds REDIS_URL, and LLM_IM_SECRETS_DIR a directory (as orchestrators mount them) with a file for each."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from llm_incident_manager.config import schema
from llm_incident_manager.config.problems import Problem

DIRECTORY = "LLM_IM_SECRETS_DIR"
SUFFIX = "_FILE"
LARGEST = 64 * 1024


def read(env: Mapping[str, str], known: frozenset[str], prefix: str) -> tuple[dict[str, str], list[Problem]]:
    """The environment with the contents of files in it, and what is wrong with them.

    `known` are variables that may be kept in files, beside all that begin with `prefix` and name a setting. A variable
    that is set as well wins over the directory; beside its own file it is a contradiction.
    """
    found = {name: value for name, value in env.items() if value}
    problems: list[Problem] = []
    directory = found.pop(DIRECTORY, "")
    files = dict(_in_directory(Path(directory), known, prefix)) if directory else {}
    if directory and not Path(directory).is_dir():
        problems.append(Problem(DIRECTORY, directory, "", "there is no such directory: mount it, or unset this"))
    for name in sorted(name for name in found if _names_a_file(name, known, prefix)):
        stem = name.removesuffix(SUFFIX)
        if stem in found:
            problems.append(Problem(name, "", "", f"{stem} is set, too: unset one of the two"))
        files[stem] = Path(found.pop(name))
    for name, file in files.items():
        if name not in found:
            try:
                found[name] = _content(file)
            except (OSError, ValueError) as error:
                remedy = f"{file} cannot be read ({_why(error)}): correct the path or the file's permissions"
                problems.append(Problem(name, "", "", remedy))
    return found, problems


def _in_directory(directory: Path, known: frozenset[str], prefix: str) -> Iterator[tuple[str, Path]]:
    if directory.is_dir():
        for file in sorted(directory.iterdir()):
            if (file.name in known or file.name.startswith(prefix)) and file.is_file():
                yield file.name, file


def _names_a_file(name: str, known: frozenset[str], prefix: str) -> bool:
    """Not where the setting itself is a path, such as a certificate's."""
    if not name.endswith(SUFFIX) or name in known:
        return False
    stem = name.removesuffix(SUFFIX)
    if stem in known:
        return True
    return (
        name.startswith(prefix) and schema.find(_path(name, prefix)) is None and bool(schema.find(_path(stem, prefix)))
    )


def _path(name: str, prefix: str) -> schema.Path:
    return tuple(int(part) if part.isdigit() else part for part in name.removeprefix(prefix).lower().split("__"))


def _content(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    return content.decode("utf-8").strip()


def _why(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
