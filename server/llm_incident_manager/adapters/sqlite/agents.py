"""What the store, and a unit of work, is asked about Edge-Agents, directives and requests for models."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from llm_incident_manager.adapters.sql import agent_rows, agents
from llm_incident_manager.adapters.sqlite.statements import bulk, rows
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.agent_store import AgentKey, AgentRow, Sign
from llm_incident_manager.ports.stores import KeyTaken

T = TypeVar("T")


class AgentsHeld(agents.Held):
    """Implements ports.agent_store.AgentHolding: whoever has a unit of work is alone."""

    async def _ask(self, name: str, *values: object) -> Sequence[Sequence[Any]]:
        return await self._run(lambda connection: rows(connection, name, values))

    @abstractmethod
    async def _run(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a function in the unit of work."""


class AgentLists(agents.Lists):
    """Implements ports.agent_store.AgentStore."""

    _writer: Writer

    async def note_signs(self, signs: Sequence[Sign]) -> Sequence[AgentKey]:
        """Writes signs of life; those agents are answered whose session is the newest."""
        return await self._writer.unit(partial(_note_signs, signs=signs))

    async def _ask(self, name: str, *values: object) -> Sequence[Sequence[Any]]:
        return await self._read(lambda connection: rows(connection, name, values))

    @abstractmethod
    async def _read(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a reading function."""


def write(connection: apsw.Connection, changed: Iterable[AgentRow]) -> None:
    """Writes what a unit of work changes of agents. Raises KeyTaken."""
    for name, values, taken in agent_rows.statements(changed):
        if not rows(connection, name, values) and taken:
            raise KeyTaken(taken)


def _note_signs(connection: apsw.Connection, *, signs: Sequence[Sign]) -> list[AgentKey]:
    noted = bulk("note_signs").run(connection, [(*key, *rest) for key, *rest in signs])
    return [AgentKey(TenantId(tenant), agent_id) for tenant, agent_id in noted]
