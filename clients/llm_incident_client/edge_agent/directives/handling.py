"""What a plug-in does with a directive, and how plug-ins are found."""

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import Protocol

from llm_incident_client import pb_agents as msg

ENTRY_POINTS = "llm_edge_agent.directives"
"""Group of entry points: an action's word (see `word`) to a callable without arguments that makes its handler."""

_PREFIX = "DIRECTIVE_ACTION_"
_CUSTOM = "custom"
_NAMES = tuple(msg.DirectiveAction.keys())

Undo = Mapping[str, str]
"""What reverting will need to know, as `prepare` found it before anything was changed. Kept on disk."""


class Refused(Exception):
    """The directive cannot be obeyed; the text says why and goes to whoever made it."""


class DirectiveHandler(Protocol):
    """Obeys the directives of one action. Its methods are never called for two directives at a time."""

    def check(self, directive: msg.Directive) -> None:
        """Raises Refused for what it does not understand or may not do. Changes nothing."""

    async def prepare(self, directive: msg.Directive) -> Undo:
        """Looks what has to be put back afterwards. Changes nothing."""

    async def apply(self, directive: msg.Directive, undo: Undo) -> None:
        """Does it. Called at most once for a directive, whatever happens. Raises to say that it did not work."""

    async def restore(self, directive: msg.Directive, undo: Undo) -> None:
        """The program was started again while the directive holds: what lived in memory only is put back."""

    async def revert(self, directive: msg.Directive, undo: Undo) -> None:
        """Undoes it. May be called again after a crash, and after an `apply` of which nobody knows how far it came."""


class Handler:
    """A handler for what lives in memory: give it `apply` and `revert`, and override what else differs."""

    def check(self, directive: msg.Directive) -> None:
        """Takes every directive that asks for nothing but an end: what held before holds again."""
        if directive.HasField("rollback"):
            raise Refused("this agent knows no rollback: what held before holds again")

    async def prepare(self, directive: msg.Directive) -> Undo:  # noqa: ARG002  # for those who override it
        """There is nothing to remember."""
        return {}

    async def apply(self, directive: msg.Directive, undo: Undo) -> None:
        """To be overridden."""
        raise NotImplementedError

    async def restore(self, directive: msg.Directive, undo: Undo) -> None:
        """Applies it again: what was in memory is gone."""
        await self.apply(directive, undo)

    async def revert(self, directive: msg.Directive, undo: Undo) -> None:
        """To be overridden."""
        raise NotImplementedError


class Registry:
    """Handlers by the word of their action: "rate_limit", or "custom:NAME" for what a plug-in made up."""

    def __init__(self, handlers: Mapping[str, DirectiveHandler]) -> None:
        """Raises ValueError for a word that is no action."""
        for one in handlers:
            _action(one)
        self._handlers = dict(handlers)

    def find(self, directive: msg.Directive) -> DirectiveHandler:
        """Who obeys it. Raises Refused when nobody does."""
        name = word(directive)
        if name not in self._handlers:
            known = ", ".join(sorted(self._handlers)) or "none"
            raise Refused(f"this agent does not know the action {name}; it knows: {known}")
        return self._handlers[name]

    def actions(self) -> "list[msg.DirectiveAction.ValueType]":
        """What the agent tells the manager that it can do."""
        return sorted({_action(one) for one in self._handlers}, key=int)


def word(directive: msg.Directive) -> str:
    """The action of a directive as handlers are registered for it."""
    known = directive.action in msg.DirectiveAction.values()
    name = msg.DirectiveAction.Name(directive.action).removeprefix(_PREFIX).lower() if known else str(directive.action)
    return f"{_CUSTOM}:{directive.parameters.texts.get('name', '')}" if name == _CUSTOM else name


def _action(name: str) -> "msg.DirectiveAction.ValueType":
    plain = name.partition(":")[0]
    if (plain == _CUSTOM) != (":" in name) or _PREFIX + plain.upper() not in _NAMES:
        words = ", ".join(one.removeprefix(_PREFIX).lower() for one in _NAMES[1:])
        raise ValueError(f"{name!r} is no action: there are {words}, the last as custom:NAME")
    return msg.DirectiveAction.Value(_PREFIX + plain.upper())


def installed(only: Iterable[str] | None = None) -> dict[str, DirectiveHandler]:
    """The handlers that installed packages offer; only those of these words when given. Raises what loading raises."""
    wanted = None if only is None else set(only)
    return {one.name: one.load()() for one in entry_points(group=ENTRY_POINTS) if wanted is None or one.name in wanted}
