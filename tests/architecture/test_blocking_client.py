"""The blocking client is the asynchronous one: every method, the same signature, nothing of its own."""

import ast
import inspect
import sys

import pytest

from llm_incident_client import EventStream, IncidentClient, sync
from tools import blocking, shell


def methods(cls: type) -> dict[str, inspect.Signature]:
    functions = inspect.getmembers(cls, inspect.isfunction)
    return {name: inspect.signature(function) for name, function in functions if not name.startswith("_")}


def shape(signature: inspect.Signature) -> list[tuple[str, object, object, object]]:
    return [(one.name, one.kind, one.default, one.annotation) for one in signature.parameters.values()]


def test_it_is_what_the_asynchronous_client_gives() -> None:
    assert shell.run(sys.executable, "-m", "tools.blocking", "--check") == 0


def test_every_method_is_there_with_the_same_signature() -> None:
    theirs, ours = methods(IncidentClient), methods(sync.IncidentClient)
    del theirs["aclose"], ours["shutdown"]
    assert {name: shape(signature) for name, signature in ours.items()} == {
        name: shape(signature) for name, signature in theirs.items()
    }


def test_the_stream_has_the_same_verbs() -> None:
    assert set(methods(sync.EventStream)) == set(methods(EventStream)) - {"send_nowait", "put", "aclose"} | {"close"}


def test_a_method_of_an_unknown_form_is_refused_by_name() -> None:
    for source in ("def odd(self) -> int: ...", "async def odd(self): ...", "@cached\nasync def odd(self) -> int: ..."):
        [method] = ast.parse(source).body
        assert isinstance(method, blocking.Function)
        with pytest.raises(blocking.CannotTell, match="odd"):
            blocking.method_source(method, "Group")


def test_iterables_are_read_in_the_callers_thread() -> None:
    [method] = ast.parse(
        'async def f(self, a: Iterable[str], b: Iterable[str] | None = None, *, c: str = "") -> int: ...'
    ).body
    assert isinstance(method, blocking.Function)
    call = "self._as(asynchronous.Group).f(list(a), None if b is None else list(b), c=c)"
    assert call in blocking.method_source(method, "Group")
