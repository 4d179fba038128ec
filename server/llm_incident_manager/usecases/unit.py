"""One write of a caller: decided and stored in one transaction, answered alike when the same request id comes back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from llm_incident_manager.domain.errors import RequestIdReused, StoreUnavailable
from llm_incident_manager.ports import told
from llm_incident_manager.ports.changes import AnswerRow, Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import KeyTaken, Store, Transaction
from llm_incident_manager.usecases import sight
from llm_incident_manager.usecases.caller import Caller

T = TypeVar("T")
ATTEMPTS = 5
_UNASKED = frozenset({"anonymous", "system"})


@dataclass(frozen=True, slots=True)
class Once(Generic[T]):
    """A request id, a digest of method and body, and how the answer is kept."""

    request_id: str
    digest: bytes
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """An answer, and whether it is the stored one of a request that was done before."""

    answer: T
    repeated: bool


class Units:
    """Runs units of work."""

    def __init__(self, store: Store, clock: Clock, wake: Callable[[Changes], None]) -> None:
        """`wake` is called after each commit with what was written."""
        self._store = store
        self._clock = clock
        self._wake = wake

    async def run(self, caller: Caller, once: Once[T], work: Callable[[Transaction, Changes], Awaitable[T]]) -> Done[T]:
        """Runs `work` in a transaction, which adds to `changes` what is to be written, and returns its answer. What it
        adds to the audit is told of the caller. What the caller does not see does not exist there.

        Without a request id `work` runs each time. With one it runs once in 24 hours; a repeat of the same caller gets
        the stored answer, and another request of its under the same id raises RequestIdReused.
        """
        why = ""
        for _ in range(ATTEMPTS):
            try:
                async with self._store.transaction() as tx:
                    done, changes = await self._attempt(sight.narrow(tx, caller), caller, once, work)
            except KeyTaken as taken:
                why = taken.message
            else:
                self._wake(changes)
                return done
        raise StoreUnavailable(f"still contended after {ATTEMPTS} attempts: {why}")

    async def recall(self, caller: Caller, once: Once[T]) -> T | None:
        """The stored answer to a request id, if there is one. Raises RequestIdReused."""
        if not once.request_id:
            return None
        async with self._store.transaction() as tx:
            return _stored(await tx.answer(caller.tenant, _name(caller, once.request_id)), once)

    async def _attempt(
        self, tx: Transaction, caller: Caller, once: Once[T], work: Callable[[Transaction, Changes], Awaitable[T]]
    ) -> tuple[Done[T], Changes]:
        changes, name = Changes(), _name(caller, once.request_id)
        if once.request_id and (stored := _stored(await tx.answer(caller.tenant, name), once)) is not None:
            return Done(stored, repeated=True), changes
        answer = await work(tx, changes)
        told.attribute(changes, caller.subject, caller.proof)
        if caller.proven_by not in _UNASKED:
            told.tell_cause(changes, caller.subject)
        if once.request_id:
            row = AnswerRow(caller.tenant, name, once.digest, once.encode(answer), self._clock.now())
            changes.answers.append(row)
        await tx.write(changes)
        return Done(answer, repeated=False), changes


def _name(caller: Caller, request_id: str) -> str:
    """What an answer is kept under: nobody is told, or kept from writing, what another principal has chosen. Callers
    that nobody asked who they are share their names, as they did before there were others."""
    if caller.proven_by in _UNASKED:
        return request_id
    return f"{len(caller.subject)}:{caller.subject}:{request_id}"


def _stored(row: AnswerRow | None, once: Once[T]) -> T | None:
    if row is None:
        return None
    if row.digest != once.digest:
        raise RequestIdReused(once.request_id)
    return once.decode(row.answer)
