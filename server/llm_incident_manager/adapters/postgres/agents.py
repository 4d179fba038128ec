"""What the store, and a unit of work, is asked about Edge-Agents, directives and requests for models."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from llm_incident_manager.adapters.postgres.pool import Connection, Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import agent_rows, agents
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.agent_store import AgentKey, AgentRow, Sign
from llm_incident_manager.ports.stores import KeyTaken


class AgentsHeld(agents.Held):
    """Implements ports.agent_store.AgentHolding."""

    AGENT, DIRECTIVE, INFERENCE = "lock_agent", "lock_directive", "lock_inference"

    async def _ask(self, name: str, *values: object) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in await self._fetch(name, *values)]

    @abstractmethod
    async def _fetch(self, name: str, *values: object) -> Rows:
        """What a statement answers."""


class AgentLists(agents.Lists):
    """Implements ports.agent_store.AgentStore, on the primary: a replica may not know yet what is wanted."""

    async def note_signs(self, signs: Sequence[Sign]) -> Sequence[AgentKey]:
        """Writes signs of life; those agents are answered whose session is the newest."""
        if not signs:
            return []
        columns = zip(*((*key, *rest) for key, *rest in signs), strict=True)
        return [AgentKey(TenantId(row[0]), row[1]) for row in await self._fetch("note_signs", *map(list, columns))]

    async def _ask(self, name: str, *values: object) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in await self._fetch(name, *values)]

    @abstractmethod
    async def _fetch(self, name: str, *values: object) -> Rows:
        """What a statement answers."""


async def write(connection: Connection, changed: Iterable[AgentRow]) -> None:
    """Writes what a unit of work changes of agents. Raises KeyTaken."""
    for name, values, taken in agent_rows.statements(changed):
        if not await connection.fetch(SQL[name], *values) and taken:
            raise KeyTaken(taken)
