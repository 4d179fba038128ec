"""One call, whatever door it came through, and the one ordered chain it passes."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.usecases.caller import Caller


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and how that was proven. Permissions are names of the contract without prefix."""

    tenant: TenantId
    subject: str
    roles: frozenset[str]
    permissions: frozenset[str]
    proven_by: str


def _unchecked(_: object) -> tuple[Violation, ...]:
    raise LookupError("the call has no checker yet: validate must run first")


@dataclass(slots=True)
class Call:
    """What is known about a call; hooks fill it in on the way."""

    method: Method
    transport: str
    metadata: Mapping[str, str]
    peer: str
    time_left: float | None = None
    request_id: str = ""
    traceparent: str = ""
    principal: Principal | None = None
    code: str = "OK"
    check: Callable[[Any], tuple[Violation, ...]] = _unchecked
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def caller(self) -> Caller:
        """Who asks, for use cases. Raises LookupError before identity: a defect of the chain."""
        if self.principal is None:
            raise LookupError("the call has no principal yet: identity must run first")
        return Caller(self.principal.tenant, self.principal.subject)


class Hook(Protocol):
    """One concern around a call, blind to its shape."""

    name: str
    after: frozenset[str]

    def around(self, call: Call, /) -> AbstractAsyncContextManager[None]:
        """Entered before the handler, left after it, also when it fails or the caller goes away."""
        ...


class Chain:
    """Hooks in their order."""

    def __init__(self, hooks: tuple[Hook, ...]) -> None:
        """Raises ValueError when a hook stands before one it must come after, or a name occurs twice."""
        seen: set[str] = set()
        for hook in hooks:
            missing = hook.after - seen
            if missing or hook.name in seen:
                raise ValueError(f"hook {hook.name} must come once, after {', '.join(sorted(hook.after))}")
            seen.add(hook.name)
        self._hooks = hooks

    @property
    def names(self) -> tuple[str, ...]:
        """The order, for people and tests."""
        return tuple(hook.name for hook in self._hooks)

    async def enter(self, call: Call, stack: AsyncExitStack) -> None:
        """Enters all hooks; the stack leaves them in reverse order."""
        for hook in self._hooks:
            await stack.enter_async_context(hook.around(call))
