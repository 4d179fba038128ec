"""Orders for Edge-Agents, a handler that remembers what it was asked to do, and a clock that tests set."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent.clock import Moment
from llm_incident_client.edge_agent.directives.handling import Handler, Refused

FAIL_OVER = msg.DirectiveAction.DIRECTIVE_ACTION_FAIL_OVER_MODEL
APPLY = msg.DirectiveCommand.DIRECTIVE_COMMAND_APPLY
REVERT = msg.DirectiveCommand.DIRECTIVE_COMMAND_REVERT


def make_order(
    *,
    action: "msg.DirectiveAction.ValueType" = FAIL_OVER,
    command: "msg.DirectiveCommand.ValueType" = APPLY,
    ttl: float = 60.0,
    start_within: float = 60.0,
    texts: Mapping[str, str] | None = None,
    numbers: Mapping[str, float] | None = None,
    model: str = "",
    directive_id: str = "",
) -> msg.DirectiveOrder:
    """An order to apply a directive of its own."""
    parameters = msg.DirectiveParameters(texts=texts or {"to": "backup"}, numbers=numbers or {})
    directive = msg.Directive(id=directive_id or str(uuid.uuid4()), action=action, parameters=parameters)
    directive.target.model = model
    directive.ttl.FromNanoseconds(int(ttl * 1e9))
    order = msg.DirectiveOrder(command=command, directive=directive)
    order.start_within.FromNanoseconds(int(start_within * 1e9))
    return order


def reverting(order: msg.DirectiveOrder) -> msg.DirectiveOrder:
    """The order to revert the same directive."""
    return msg.DirectiveOrder(command=REVERT, directive=order.directive)


class FileHandler(Handler):
    """Writes every call into a file, so that it is known what happened whatever became of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fails = ""
        """The method that raises, after it has written its line."""

    def check(self, directive: msg.Directive) -> None:
        if "to" not in directive.parameters.texts:
            raise Refused('parameter "to" is missing: name the model')

    async def prepare(self, directive: msg.Directive) -> dict[str, str]:
        return {"before": "primary"}

    async def apply(self, directive: msg.Directive, undo: Mapping[str, str]) -> None:
        self._write("apply", directive)

    async def restore(self, directive: msg.Directive, undo: Mapping[str, str]) -> None:
        self._write("restore", directive)

    async def revert(self, directive: msg.Directive, undo: Mapping[str, str]) -> None:
        assert undo == {"before": "primary"}
        self._write("revert", directive)

    def _write(self, what: str, directive: msg.Directive) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{what} {directive.id}\n")
        if self.fails == what:
            raise RuntimeError("the route table is read-only")

    def calls(self, directive_id: str = "") -> list[str]:
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        return [line.split()[0] for line in lines if directive_id in line]


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.moment = Moment(1_800_000_000.0, 1_000.0, "boot-1")

    def __call__(self) -> Moment:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        """So much time passes."""
        self.moment = replace(self.moment, wall=self.moment.wall + seconds, since_boot=self.moment.since_boot + seconds)

    def set_wall(self, by: float) -> None:
        """Somebody sets the wall clock."""
        self.moment = replace(self.moment, wall=self.moment.wall + by)

    def reboot(self, after: float) -> None:
        """The machine is started anew."""
        self.moment = Moment(self.moment.wall + after, 5.0, "boot-2")
