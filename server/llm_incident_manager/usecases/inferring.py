"""Requests for models that Edge-Agents run: kept in rows until answered, given to an agent of whatever process has one,
and waited for where they were asked."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from llm_incident_manager.domain import inference as rules
from llm_incident_manager.domain.agents import Agent, AgentState
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.inference import Inference, InferenceStatus
from llm_incident_manager.domain.time import DAY, Instant
from llm_incident_manager.ports.agent_store import AgentKey, AgentQuery, AgentReads, InferenceKey
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.usecases.agent_sessions import Ground, Session, Sessions
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.unit import Once

CLAIMED = 200
"""Requests given out in one look."""
PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Queue:
    """How many requests of a tenant may wait, and how many an agent has at once."""

    most_waiting: int
    most_each: int


class Inferring:
    """Gives requests to agents and passes results on."""

    def __init__(self, ground: Ground, sessions: Sessions, queue: Queue) -> None:
        """Nobody waits yet."""
        self._store, self._clock, self._units, self._metrics, self._server = ground
        self._sessions = sessions
        self._queue = queue
        self._waiting: dict[InferenceKey, list[asyncio.Future[Inference]]] = {}

    async def ask(self, caller: Caller, wanted: Inference) -> Inference:
        """A request as it stands: new, or as it was asked before. Raises REQUEST_ID_REUSED."""

        async def work(tx: Transaction, changes: Changes) -> Inference:
            known = await tx.inference(InferenceKey(wanted.tenant, wanted.request_id))
            if known is not None:
                if known.digest != wanted.digest:
                    raise _reused(wanted.request_id)
                return known
            made = await self._admitted(tx, wanted)
            changes.agents.append(made)
            return made

        once: Once[Inference] = Once("", b"", lambda _: b"", lambda _: wanted)
        return (await self._units.run(caller, once, work)).answer

    async def reachable(self, asked: Inference) -> bool:
        """Whether an agent that can run it is connected, as far as is known."""
        return await self._someone_can(self._store, asked)

    async def result(self, asked: Inference) -> Inference:
        """The request once it is finished; as it is when its deadline passes, or when it may wait for long."""
        if asked.finished:
            return asked
        key = InferenceKey(asked.tenant, asked.request_id)
        future: asyncio.Future[Inference] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        left = max(0.0, (asked.due_at - self._clock.now()) / 1_000_000)
        try:
            async with asyncio.timeout(left + 1.0):
                return await future
        except TimeoutError:
            return await self._store.inference(key) or asked
        finally:
            self._waiting[key].remove(future)
            if not self._waiting[key]:
                del self._waiting[key]

    async def finish(self, session: Session, caller: Caller, request_id: str, result: bytes, error: str) -> None:
        """An agent has answered. Answers to what it was not given, or what is over, change nothing."""
        key = InferenceKey(session.key.tenant, request_id)

        async def work(tx: Transaction, changes: Changes) -> Inference | None:
            known = await tx.inference(key)
            if known is None or known.finished or known.agent_id != session.key.agent_id:
                return None
            status = InferenceStatus.FAILED if error else InferenceStatus.COMPLETED
            until = Instant(self._clock.now() + DAY)
            ended = known.ended(status, until, result=result, error=error)
            changes.agents.append(ended)
            return ended

        once: Once[Inference | None] = Once("", b"", lambda _: b"", lambda _: None)
        ended = (await self._units.run(caller, once, work)).answer
        session.asked.discard(request_id)
        if ended is not None:
            self._metrics.inference_ended(ended.status)
            self._settle([ended])

    async def take_back(self, tx: Transaction, changes: Changes, key: AgentKey) -> None:
        """What an agent was given and has not answered waits for another one, or fails."""
        for given in await tx.inferences_of(key):
            if rules.may_wait(given.offline, given.priority):
                changes.agents.append(replace(given, status=InferenceStatus.QUEUED, agent_id="", server="", epoch=0))
            else:
                changes.agents.append(self._failed(given, f"agent {key.agent_id!r} went away meanwhile"))

    async def once(self) -> None:
        """Gives out what waits, and looks for results of what is waited for here. Raises StoreUnavailable."""
        agents = self._free()
        if agents and (await self._store.agents_pending(self._clock.now())).queued:
            await self._give(agents)
        if self._waiting:
            self._settle(await self._store.inference_results(list(self._waiting)))

    async def over(self, tx: Transaction, changes: Changes, limit: int) -> int:
        """Requests whose deadline has passed fail, finished ones are forgotten; returns how many there were."""
        due = await tx.due_inferences(self._clock.now(), limit)
        await tx.forget_inferences([InferenceKey(each.tenant, each.request_id) for each in due if each.finished])
        changes.agents += [self._failed(each, "no agent answered in time") for each in due if not each.finished]
        return len(due)

    def _free(self) -> list[Session]:
        """Agents of ours that run models and have not got too much to do."""
        most = self._queue.most_each
        return [each for each in self._sessions.all() if each.agent.profile.models and len(each.asked) < most]

    async def _give(self, agents: list[Session]) -> None:
        """Of what waits, the most urgent first, each to the agent that has the least to do."""

        async def work(tx: Transaction, changes: Changes) -> list[tuple[Session, Inference]]:
            given: list[tuple[Session, Inference]] = []
            load = {id(each): len(each.asked) for each in agents}
            for waiting in await tx.queued_inferences(CLAIMED):
                able = [each for each in agents if _can(each, waiting) and load[id(each)] < self._queue.most_each]
                if not able:
                    continue
                session = min(able, key=lambda each: load[id(each)])
                load[id(session)] += 1
                row = replace(
                    waiting,
                    status=InferenceStatus.PROCESSING,
                    agent_id=session.key.agent_id,
                    epoch=session.epoch,
                    server=self._server,
                )
                changes.agents.append(row)
                given.append((session, row))
            return given

        once: Once[list[tuple[Session, Inference]]] = Once("", b"", lambda _: b"", lambda _: [])
        given = (await self._units.run(Caller(TenantId(""), "edge-agents"), once, work)).answer
        for session, row in given:
            session.asked.add(row.request_id)
            session.outlet.ask(row)

    async def _admitted(self, tx: Transaction, wanted: Inference) -> Inference:
        """The request as it is kept: waiting, or failed at once."""
        offline = rules.may_wait(wanted.offline, wanted.priority)
        if not offline and not await self._someone_can(tx, wanted):
            which = f"agent {wanted.wanted_agent!r}" if wanted.wanted_agent else "agent"
            return self._failed(wanted, f"no connected {which} runs model {wanted.model_id!r}")
        if await tx.count_queued(wanted.tenant) >= self._queue.most_waiting:
            return self._failed(wanted, f"{self._queue.most_waiting} requests are waiting already: come back later")
        return wanted

    async def _someone_can(self, reads: AgentReads, wanted: Inference) -> bool:
        if any(_can(each, wanted) for each in self._sessions.all()):
            return True
        after = ""
        while True:
            query = AgentQuery(wanted.tenant, AgentState.CONNECTED, after=after, limit=PAGE)
            found = await reads.agents(query)
            if any(_runs(each, wanted) and each.connected for each in found):
                return True
            if len(found) < PAGE:
                return False
            after = found[-1].agent_id

    def _failed(self, row: Inference, error: str) -> Inference:
        self._metrics.inference_ended(InferenceStatus.FAILED)
        return row.ended(InferenceStatus.FAILED, Instant(self._clock.now() + DAY), error=error)

    def _settle(self, ended: Iterable[Inference]) -> None:
        for each in ended:
            for future in self._waiting.get(InferenceKey(each.tenant, each.request_id), ()):
                if not future.done():
                    future.set_result(each)


def _can(session: Session, wanted: Inference) -> bool:
    return session.key.tenant == wanted.tenant and _runs(session.agent, wanted)


def _runs(agent: Agent, wanted: Inference) -> bool:
    return wanted.model_id in agent.profile.models and wanted.wanted_agent in ("", agent.agent_id)


def _reused(request_id: str) -> DomainError:
    text = f"request_id {request_id!r} was used for another request: choose another one"
    return DomainError(ErrorReason.REQUEST_ID_REUSED, text, {"request_id": request_id})
