"""Where this process looks after the Edge-Agents whose sessions it has: lets them in, tells them what is wanted of
them, notes that they live, and lets sessions go that are not the newest any more. All it knows is in rows: another
process may have the next session of the same agent."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

from llm_incident_manager.domain import agents
from llm_incident_manager.domain.agents import Agent, AgentState, Profile
from llm_incident_manager.domain.directives import Change, DirectiveState, Wanted
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.timeline import AuditRecord
from llm_incident_manager.engines.directing import Ignored
from llm_incident_manager.ports.agent_store import AgentKey, Errand
from llm_incident_manager.ports.changes import Changes, ProducerKey, ProducerRow
from llm_incident_manager.ports.hints import SESSIONS
from llm_incident_manager.ports.stores import StoreBroken, Transaction
from llm_incident_manager.telemetry import logs
from llm_incident_manager.usecases.agent_sessions import Ground, Outlet, Session, Sessions, Told
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.directives import ACTOR, Directives, Report
from llm_incident_manager.usecases.inferring import Inferring
from llm_incident_manager.usecases.unit import Once

POLL_SECONDS = 1.0
"""Between two looks when nobody says that there is something to see."""
LEAST_SECONDS = 0.005
"""Between two looks in any case: what comes together is looked at together."""
ERRANDS = 2_000
LEAVES = 25
"""Most errands of a look, and agents whose end is written in one transaction, for which others wait."""
SIGNS_A_HEARTBEAT = 3


def _never(_: Any) -> NoReturn:  # noqa: ANN401  # any answer
    raise AssertionError("units of work without a request id are not repeated")


ONCE: Once[Any] = Once("", b"", _never, _never)
"""What has no request id."""


class Opened(NamedTuple):
    """A new session, and how far the agent has come as a producer of events."""

    session: Session
    producer: ProducerRow


class AgentDesk:
    """The sessions of this process, and the work about them. `run` has to be started as a task."""

    def __init__(self, ground: Ground, directives: Directives, sessions: Sessions, inferring: Inferring) -> None:
        """No sessions yet."""
        self._store, self._clock, self._units, self._metrics, self._server = ground
        self._directives = directives
        self.sessions = sessions
        self.inferring = inferring
        self._system = Caller(TenantId(""), ACTOR)
        self._leaving: list[tuple[Session, bool]] = []
        self._wake = asyncio.Event()
        self._doubt = False
        self._flushed = Instant(0)
        self._log = logs.get("edge_agents")

    def wake(self) -> None:
        """Something about agents was committed."""
        self._wake.set()

    def heard(self, name: str) -> None:
        """Another process has committed something about agents."""
        self._doubt = self._doubt or name == SESSIONS
        self._wake.set()

    async def register(self, caller: Caller, agent_id: str, profile: Profile, outlet: Outlet) -> Opened:
        """A new session, which cuts the agent's older one wherever that is. Raises AGENT_ID_TAKEN,
        UNSUPPORTED_PROTOCOL, StoreUnavailable."""
        agents.check_protocol(profile.protocol_version)
        key, attention = AgentKey(caller.tenant, agent_id), self.sessions.attention

        async def work(tx: Transaction, changes: Changes) -> tuple[Agent, ProducerRow]:
            now = self._clock.now()
            known = await tx.agent(*key)
            agent = agents.registered(
                known, key, caller.subject, profile, self._server, now=now, due_at=attention.due(now)
            )
            changes.agents.append(agent)
            await self.inferring.take_back(tx, changes, key)
            if known is None:
                resource = f"edge_agent/{agent_id}"
                told = {"display_name": profile.display_name, "service": profile.service}
                after = {"subject": caller.subject, **{name: value for name, value in told.items() if value}}
                changes.audit.append(
                    AuditRecord(caller.tenant, now, caller.subject, "edge_agent.register", resource, {}, {}, after)
                )
            return agent, await tx.open_producer(producer_key(caller, agent_id), now)

        agent, producer = (await self._units.run(caller, ONCE, work)).answer
        session = Session(key, agent.epoch, agent, outlet, agent.last_seen_at)
        older = self.sessions.add(session)
        if older is not None:
            older.outlet.cut(agents.fenced(agent_id, older.epoch, agent.epoch))
        self.wake()
        return Opened(session, producer)

    def leave(self, session: Session, *, clean: bool) -> None:
        """The session has ended; `clean` when the agent said that it is done, so that nobody misses it."""
        self.sessions.remove(session)
        self._leaving.append((session, clean))
        self.wake()

    async def report(self, session: Session, caller: Caller, report: Report) -> Change | Ignored:
        """The agent tells what became of a directive."""

        async def work(tx: Transaction, changes: Changes) -> Change | Ignored:
            return await self._directives.report(tx, changes, session.key, caller, report)

        done: Change | Ignored = (await self._units.run(caller, ONCE, work)).answer
        if isinstance(done, Change):
            self._metrics.directive_moved(report.state)
            if report.state is DirectiveState.APPLIED and done.directive.approved_at is not None:
                self._metrics.directive_applied((self._clock.now() - done.directive.approved_at) / SECOND)
        return done

    async def configured(self, session: Session, caller: Caller, version: str, error: str) -> None:
        """The agent has taken a configuration, or says why not."""
        if (session.agent.configuration_version, session.agent.configuration_error) == (version, error):
            return

        async def work(tx: Transaction, changes: Changes) -> None:
            known = await tx.agent(*session.key)
            if known is not None and known.epoch == session.epoch:
                applied = known.configuration_version if error else version
                changes.agents.append(replace(known, configuration_version=applied, configuration_error=error))

        await self._units.run(caller, ONCE, work)

    async def run(self) -> None:
        """Looks after them until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.once()
            except StoreBroken:
                raise
            except Exception as error:  # noqa: BLE001  # one bad look must not end it: the rows are still there
                self._doubt = True
                self._log.error("edge_agents.later", error=repr(error))
            await self._clock.sleep(LEAST_SECONDS)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def once(self) -> None:
        """One look. Raises StoreUnavailable."""
        await self._write_leaves()
        if len(self.sessions):
            if self._doubt:
                await self._keep_newest()
            await self._run_errands()
            await self._note_signs()
        await self.inferring.once()

    async def close(self) -> None:
        """Writes which sessions have ended; what cannot be written is found out by the others."""
        try:
            await self._write_leaves()
        except DomainError as error:
            self._log.warning("edge_agents.not_left", error=error.message)

    async def _run_errands(self) -> None:
        """Tells agents what they have not been told on this session."""
        wanted: dict[tuple[TenantId, str], dict[str, tuple[Session, Wanted]]] = {}
        for errand in await self._store.errands(self._server, ERRANDS):
            session = self._untold(errand)
            if session is not None:
                of = wanted.setdefault((errand.key.tenant, errand.directive_id), {})
                of[errand.key.agent_id] = (session, errand.wanted)
        for (tenant, id_), sessions in wanted.items():
            change = await self._send(tenant, id_, sessions)
            for sent in () if change is None else change.deliveries:
                session, _ = sessions[sent.agent_id]
                session.told.add(Told(id_, sent.wanted))
                assert change is not None
                session.outlet.order(change.directive, sent.wanted)

    def _untold(self, errand: Errand) -> Session | None:
        session = self.sessions.get(errand.key)
        if session is None or session.epoch != errand.epoch or Told(errand.directive_id, errand.wanted) in session.told:
            return None
        return session

    async def _send(self, tenant: TenantId, id_: str, agent_ids: Collection[str]) -> Change | None:
        async def work(tx: Transaction, changes: Changes) -> Change | None:
            return await self._directives.send(tx, changes, tenant, id_, agent_ids)

        change: Change | None = (await self._units.run(self._caller(tenant), ONCE, work)).answer
        if change is not None:
            self._metrics.directive_moved(DirectiveState.SENT, len(change.deliveries))
        return change

    async def _keep_newest(self) -> None:
        """Cuts sessions whose agents have a newer one elsewhere."""
        self._doubt = False
        held = self.sessions.all()
        try:
            epochs = await self._store.epochs(self._server)
        except DomainError:
            self._doubt = True
            raise
        for session in held:
            if epochs.get(session.key) != session.epoch:
                self._fence(session)

    def _fence(self, session: Session) -> None:
        self.sessions.remove(session)
        session.outlet.cut(agents.fenced(session.key.agent_id, session.epoch, None))

    async def _note_signs(self) -> None:
        """Writes signs of life, a few times each heartbeat; lets those go that have given none for too long."""
        now, attention = self._clock.now(), self.sessions.attention
        if now < self._flushed + attention.heartbeat * SECOND / SIGNS_A_HEARTBEAT:
            return
        self._flushed = now
        signs = self.sessions.signs()
        for session, _ in signs:
            session.unwritten = False
        try:
            noted = set(await self._store.note_signs([sign for _, sign in signs])) if signs else set()
        except DomainError:
            for session, _ in signs:
                session.unwritten = True
            raise
        for session, sign in signs:
            if session.telemetry is sign.telemetry:
                session.telemetry = b""
            if session.key not in noted:
                self._fence(session)
        for session in self.sessions.all():
            if attention.due(session.seen_at) <= now:
                session.outlet.cut(_silent(attention))

    async def _write_leaves(self) -> None:
        while self._leaving:
            some = self._leaving[:LEAVES]

            async def work(tx: Transaction, changes: Changes, some: list[tuple[Session, bool]] = some) -> None:
                for session, clean in sorted(some, key=lambda each: each[0].key):
                    known = await tx.agent(*session.key)
                    if known is not None and known.epoch == session.epoch:
                        changes.agents.append(_left(known, session, clean=clean))
                        await self.inferring.take_back(tx, changes, session.key)

            await self._units.run(self._system, ONCE, work)
            del self._leaving[: len(some)]

    def _caller(self, tenant: TenantId) -> Caller:
        return Caller(tenant, ACTOR)


def producer_key(caller: Caller, agent_id: str) -> ProducerKey:
    """As whom an agent numbers its events."""
    return ProducerKey(caller.tenant, caller.subject, f"edge-agent/{agent_id}")


def _left(known: Agent, session: Session, *, clean: bool) -> Agent:
    seen_at = max(known.last_seen_at, session.seen_at)
    due_at = None if clean else known.due_at
    telemetry = session.telemetry or known.telemetry
    return replace(
        known,
        state=AgentState.DISCONNECTED,
        server="",
        last_seen_at=seen_at,
        due_at=due_at,
        telemetry=telemetry,
    )


def _silent(attention: agents.Attention) -> DomainError:
    text = f"no heartbeat for {attention.missed} x {attention.heartbeat:g} s: connect again"
    return DomainError(
        ErrorReason.DEADLINE_EXCEEDED, text, {"deadline_ms": str(int(attention.heartbeat * attention.missed * 1000))}
    )
