"""The desk: takes orders one after the other, has plug-ins obey them, reverts them in time, and reports.

At most once: what is about to be done is in the journal before it is begun, and what was begun is never begun again.
In time: a directive is reverted when its ttl is over, whether or not the manager can be reached, also by the next
process when this one has died.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent import clock
from llm_incident_client.edge_agent.directives.handling import DirectiveHandler, Refused, Registry
from llm_incident_client.edge_agent.directives.journal import Journal
from llm_incident_client.edge_agent.directives.limits import DeskOptions
from llm_incident_client.edge_agent.directives.record import (
    REPORTED_AS,
    Next,
    Record,
    Said,
    State,
    after_restart,
    on_order,
    report_of,
)

T = TypeVar("T")

_log = logging.getLogger(__name__)
_LONGEST_NAP = 30.0  # a timer looks at the clock at least so often: the machine may have slept
_MOST_REASON = 1_000


class DirectiveDesk:
    """Obeys. Its steps run one at a time, in the order in which they became due, in a task of its own."""

    def __init__(
        self,
        journal: Journal,
        registry: Registry,
        report: Callable[[msg.DirectiveReport], None],
        options: DeskOptions | None = None,
        now: clock.Clock = clock.now,
    ) -> None:
        """`report` sends a report, and keeps sending it until `recorded` is called for it."""
        self._journal = journal
        self._registry = registry
        self._report = report
        self._options = options or DeskOptions()
        self._now = now
        self._steps: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._task: asyncio.Task[None] | None = None

    # -- from outside ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Goes on with what a former process left."""
        for record in self._journal.records.values():
            self._steps.put_nowait(lambda one=record.directive.id: self._resume(one))  # type: ignore[misc]
        self._task = asyncio.create_task(self._work(), name="directives")

    def order(self, order: msg.DirectiveOrder) -> None:
        """Takes an order; what becomes of it is reported."""
        received = self._now()
        self._steps.put_nowait(lambda: self._obey(order, received))

    def recorded(self, reported: msg.DirectiveReported) -> None:
        """The manager has a report."""
        self._steps.put_nowait(lambda: self._forget_report(reported))

    def repeat_reports(self) -> None:
        """Reports again what was not recorded: a new session knows nothing of it."""
        for record in self._journal.records.values():
            for said in record.unsaid:
                self._send(record, said)

    def active(self) -> list[msg.Directive]:
        """The directives that hold, oldest first."""
        return [record.directive for record in self._journal.in_state(State.APPLIED)]

    def failure(self) -> BaseException | None:
        """What ended its work, which nothing should. Nothing is obeyed or reverted any more."""
        if self._task is None or not self._task.done() or self._task.cancelled():
            return None
        return self._task.exception()

    async def stop(self, *, revert: bool) -> None:
        """Ends after the step that runs; `revert` undoes everything that holds, otherwise it is left to the next
        process."""
        if revert:
            for record in self._journal.in_state(State.APPLIED):
                self._steps.put_nowait(
                    lambda one=record.directive.id: self._revert(one, "the agent ended")  # type: ignore[misc]
                )
        idle = asyncio.create_task(self._steps.join())
        if self._task is not None:
            await asyncio.wait((idle, self._task), return_when=asyncio.FIRST_COMPLETED)
            self._task.cancel()
            await asyncio.wait((self._task,))
        idle.cancel()
        for timer in self._timers.values():
            timer.cancel()

    # -- steps -------------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            step = await self._steps.get()
            await step()
            self._steps.task_done()

    async def _obey(self, order: msg.DirectiveOrder, received: clock.Moment) -> None:
        directive = order.directive
        known = self._journal.records.get(directive.id)
        match on_order(known, order.command):
            case Next.TAKE:
                await self._take(order, received)
            case Next.NEVER:
                record = known or Record(directive, State.ACCEPTED, received)
                await self._move(record, State.REVERTED, "it was taken back before it was applied")
            case Next.REVERT:
                await self._revert(directive.id, "the manager asked for it")
            case _ if known is not None:
                self._say_again(known)

    async def _take(self, order: msg.DirectiveOrder, received: clock.Moment) -> None:
        before = order.start_within.ToNanoseconds() / 1e9 if order.HasField("start_within") else None
        record = Record(order.directive, State.ACCEPTED, received, begin_before=before)
        try:
            self._check(record)
        except Refused as refusal:
            await self._move(record, State.REJECTED, str(refusal))
            return
        try:
            record = await self._move(record, State.ACCEPTED)
        except OSError as error:
            reason = f"nothing was done, as the journal cannot be written: {error}"
            self._send(record, Said(State.FAILED, reason, self._now().wall))
            return
        await self._begin(record)

    def _check(self, record: Record) -> None:
        if record.is_too_late(self._now()):
            raise Refused("it came after the time in which it might be begun")
        ttl = record.seconds_left(self._now())
        if not 0 < ttl <= self._options.longest:
            raise Refused(f"its ttl is {ttl:g} s: this agent takes more than 0 and at most {self._options.longest:g}")
        self._registry.find(record.directive).check(record.directive)

    async def _begin(self, record: Record) -> None:
        try:
            handler = self._registry.find(record.directive)
            record = replace(record, undo=await self._in_time(handler.prepare(record.directive)))
            record = await self._move(record, State.APPLYING)
            await self._in_time(handler.apply(record.directive, record.undo))
        except Exception as error:  # noqa: BLE001  # a plug-in's error is its answer
            await self._give_up(record, f"it could not be applied: {_text(error)}")
            return
        record = await self._move(record, State.APPLIED)
        self._set_timer(record)

    async def _give_up(self, record: Record, reason: str) -> None:
        """Nobody knows how far it came: it is undone as well as it goes."""
        if record.state is State.APPLYING:
            try:
                await self._undo(record)
            except Exception as error:  # noqa: BLE001  # as above
                reason += f"; and it could not be undone: {_text(error)}"
        await self._move(record, State.FAILED, reason[:_MOST_REASON])

    async def _resume(self, directive_id: str) -> None:
        """The first step with a record of a former process."""
        record = self._journal.records[directive_id]
        todo = after_restart(record, self._now())
        if self._journal.damaged and record.state is State.ACCEPTED:
            todo = Next.UNDO_INTERRUPTED  # the line that says it was begun may be among those that cannot be read
        match todo:
            case Next.BEGIN:
                await self._begin(record)
            case Next.REFUSE_LATE:
                await self._move(record, State.REJECTED, "the agent ended before it began, and came back too late")
            case Next.RESTORE:
                await self._restore(record)
            case Next.REVERT:
                await self._revert(directive_id, "its time was over while the agent was not running")
            case Next.UNDO_INTERRUPTED:
                await self._give_up(replace(record, state=State.APPLYING), "the agent ended while it applied it")

    async def _restore(self, record: Record) -> None:
        try:
            handler = self._registry.find(record.directive)
            await self._in_time(handler.restore(record.directive, record.undo))
        except Exception as error:  # noqa: BLE001  # as above
            await self._give_up(
                replace(record, state=State.APPLYING), f"it could not be put back after a restart: {_text(error)}"
            )
            return
        self._set_timer(record)

    async def _revert(self, directive_id: str, reason: str) -> None:
        record = self._journal.records[directive_id]
        if record.state not in {State.APPLIED, State.REVERTING}:
            return
        self._clear_timer(directive_id)
        if record.state is State.APPLIED:
            record = await self._move(record, State.REVERTING, reason)
        try:
            await self._undo(record)
        except Exception as error:  # noqa: BLE001  # as above
            await self._revert_failed(record, _text(error))
            return
        await self._move(record, State.REVERTED, record.reason)

    async def _revert_failed(self, record: Record, why: str) -> None:
        _log.error("directive %s could not be reverted: %s", record.directive.id, why)
        if not any(said.state is State.FAILED for said in record.unsaid):
            said = Said(State.FAILED, f"it could not be reverted, and will be tried again: {why}", self._now().wall)
            record = replace(record, unsaid=(*record.unsaid, said))
            await self._write(record)
            self._send(record, said)
        again = lambda: self._steps.put_nowait(lambda: self._revert(record.directive.id, record.reason))  # noqa: E731
        self._timers[record.directive.id] = asyncio.get_running_loop().call_later(self._options.again_after, again)

    async def _undo(self, record: Record) -> None:
        handler: DirectiveHandler = self._registry.find(record.directive)
        await self._in_time(handler.revert(record.directive, record.undo))

    async def _in_time(self, work: Awaitable[T]) -> T:
        async with asyncio.timeout(self._options.patience):
            return await work

    # -- the journal and the reports ---------------------------------------------------------------------------------

    async def _move(self, record: Record, state: State, reason: str = "") -> Record:
        moved = record.moved(state, self._now(), reason)
        await self._write(moved)
        _log.info("directive %s is %s%s", moved.directive.id, state, f": {reason}" if reason else "")
        if state in REPORTED_AS:
            self._send(moved, moved.unsaid[-1])
        return moved

    async def _write(self, record: Record) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._journal.write, record)
        except OSError as error:
            if record.state in {State.ACCEPTED, State.APPLYING}:
                raise
            # What is done, or undone, is not put off for a full disk; a restart would only undo it once more.
            _log.error(
                "directive %s is %s, which the journal cannot take: %s", record.directive.id, record.state, error
            )
            self._journal.remember(record)

    def _send(self, record: Record, said: Said) -> None:
        self._report(report_of(record, said))

    def _say_again(self, record: Record) -> None:
        """It was ordered although it is known: the manager does not know what became of it."""
        if record.state in REPORTED_AS:
            self._send(record, Said(record.state, record.reason, self._now().wall))

    async def _forget_report(self, reported: msg.DirectiveReported) -> None:
        record = self._journal.records.get(reported.directive_id)
        if record is not None and (heard := record.heard(reported.state)) != record:
            await self._write(heard)

    # -- timers ------------------------------------------------------------------------------------------------------

    def _set_timer(self, record: Record) -> None:
        left = record.seconds_left(self._now())
        wait = min(max(left, 0.0), _LONGEST_NAP)
        one = record.directive.id
        self._timers[one] = asyncio.get_running_loop().call_later(wait, self._look_at, one)

    def _look_at(self, directive_id: str) -> None:
        record = self._journal.records[directive_id]
        if record.seconds_left(self._now()) > 0:
            self._set_timer(record)
        else:
            self._steps.put_nowait(lambda: self._revert(directive_id, "its time was over"))

    def _clear_timer(self, directive_id: str) -> None:
        if (timer := self._timers.pop(directive_id, None)) is not None:
            timer.cancel()


def _text(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:_MOST_REASON]
