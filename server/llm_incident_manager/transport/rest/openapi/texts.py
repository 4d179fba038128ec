"""What the contract says about itself: comments of the .proto files and examples, both written by `make gen`."""

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from google.protobuf.descriptor import EnumValueDescriptor

from llm_incident_manager.transport.methods import Method

_PACKAGE = "incidentmanager.v1."
_LATER = "Not available in this release."


def about(described: Any) -> str:
    """The comment on a service, method, message, field or enum; empty for what is not ours."""
    return _comments().get(described.full_name.removeprefix(_PACKAGE), "")


def about_value(value: EnumValueDescriptor) -> str:
    """The comment on a value of an enum."""
    return _comments().get(f"{value.type.full_name.removeprefix(_PACKAGE)}.{value.name}", "")


def summary(text: str) -> str:
    """The first sentence without its full stop."""
    return text.partition(". ")[0].removesuffix(".")


def is_available(method: Method) -> bool:
    """Whether this release serves the method; its comment says so when not."""
    return _LATER not in about(method.descriptor)


def examples(method: Method) -> Sequence[Mapping[str, Any]]:
    """The method's examples as examples/api tells them, with their commands ready to be shown."""
    found: Sequence[Mapping[str, Any]] = _examples().get(method.full_name, ())
    return found


@functools.cache
def _comments() -> Mapping[str, str]:
    found: Mapping[str, str] = _load("comments.json")
    return found


@functools.cache
def _examples() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    found: Mapping[str, Sequence[Mapping[str, Any]]] = _load("examples.json")
    return found


def _load(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))
