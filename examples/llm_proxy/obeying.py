"""What directives change in the proxy: routes, limits, tools, the guardrail. They live in memory; the agent's journal
puts them back after a restart."""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent.directives.handling import Handler, Refused, Undo, word

ACTIONS = ("fail_over_model", "rate_limit", "shed_traffic", "disable_tool", "tighten_policy")
_NUMBER = {"rate_limit": "requests_per_second", "shed_traffic": "ratio"}


@dataclass(slots=True)
class Bucket:
    """Lets so many through a second, and `burst` at once."""

    rate: float
    burst: float
    tokens: float
    filled: float

    def take(self, now: float) -> bool:
        """Whether one more may pass."""
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for."""

    model: str
    consumer: str = ""
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Turned:
    """A call that is turned away: HTTP status, and why."""

    status: int
    why: str


@dataclass(slots=True)
class Directives:
    """Those that hold, oldest first. Of two that say the same thing the later one counts."""

    held: dict[str, msg.Directive] = field(default_factory=dict)
    chance: Callable[[], float] = random.random
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def route(self, asked: Asked) -> str:
        """The model that answers instead; follows one directive only, so that two cannot send it in circles."""
        found = self._matching("fail_over_model", asked)
        return found[-1].parameters.texts["to"] if found else asked.model

    def turn_away(self, asked: Asked, now: float) -> Turned | None:
        """Whether a call may not pass, and why."""
        for one in self._matching("disable_tool", asked):
            if one.target.tool in asked.tools:
                return Turned(403, f"the tool {one.target.tool} is disabled: {one.reason}")
        for one in self._matching("shed_traffic", asked)[-1:]:
            if self.chance() < one.parameters.numbers["ratio"]:
                return Turned(503, f"a part of the traffic is turned away: {one.reason}")
        for one in self._matching("rate_limit", asked)[-1:]:
            if not self._bucket(one, now).take(now):
                return Turned(429, f"more than {one.parameters.numbers['requests_per_second']:g} requests a second")
        return None

    def guardrail(self, asked: Asked, usual: float) -> float:
        """The score from which a prompt is refused."""
        found = self._matching("tighten_policy", asked)
        return found[-1].parameters.numbers.get("threshold", usual / 2) if found else usual

    def _matching(self, action: str, asked: Asked) -> list[msg.Directive]:
        return [
            one
            for one in self.held.values()
            if word(one) == action
            and one.target.model in {"", asked.model}
            and one.target.consumer in {"", asked.consumer}
        ]

    def _bucket(self, directive: msg.Directive, now: float) -> Bucket:
        if directive.id not in self._buckets:
            rate = directive.parameters.numbers["requests_per_second"]
            burst = directive.parameters.numbers.get("burst", max(rate, 1.0))
            self._buckets[directive.id] = Bucket(rate, burst, burst, now)
        return self._buckets[directive.id]

    def forget(self, directive_id: str) -> None:
        """It holds no more."""
        self.held.pop(directive_id, None)
        self._buckets.pop(directive_id, None)


class Obey(Handler):
    """The plug-in for all of the proxy's actions."""

    def __init__(self, directives: Directives, models: Collection[str]) -> None:
        """`models` are those that the proxy has."""
        self._directives = directives
        self._models = models

    def check(self, directive: msg.Directive) -> None:
        """Raises Refused for what would not work here."""
        super().check(directive)
        action, given = word(directive), directive.parameters
        if directive.target.model and directive.target.model not in self._models:
            raise Refused(f"this proxy has no model {directive.target.model!r}: it has {', '.join(self._models)}")
        if action == "fail_over_model" and given.texts.get("to") not in self._models:
            raise Refused(f'parameter "to" is {given.texts.get("to")!r}: give one of {", ".join(self._models)}')
        if action in _NUMBER and not given.numbers.get(_NUMBER[action], 0.0) > 0:
            raise Refused(f'parameter "{_NUMBER[action]}" is missing: give a number above 0')
        if action == "disable_tool" and not directive.target.tool:
            raise Refused("the target names no tool")

    async def apply(self, directive: msg.Directive, undo: Undo) -> None:  # noqa: ARG002
        """From the next call on."""
        self._directives.held[directive.id] = directive

    async def revert(self, directive: msg.Directive, undo: Undo) -> None:  # noqa: ARG002
        """From the next call on."""
        self._directives.forget(directive.id)
