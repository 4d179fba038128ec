"""What a driver is given: its profile, its own seeded chance, a folder, and databases. All of it ends with the run."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.support.postgres import DURABLE, Cluster


class Profile(StrEnum):
    """How big the faults are."""

    CI = "ci"
    LONG = "long"
    FULL = "full"


@dataclass(slots=True)
class Databases:
    """A PostgreSQL server that keeps what it confirms, started when the first row asks for it. Rows run one by one and
    leave it running."""

    _cluster: Cluster | None = None

    async def cluster(self) -> Cluster:
        """The server."""
        if self._cluster is None:
            self._cluster = await asyncio.to_thread(Cluster.in_new_folder, DURABLE)
        return self._cluster

    async def close(self) -> None:
        """Removes it."""
        if self._cluster is not None:
            await asyncio.to_thread(self._cluster.remove)


@dataclass(slots=True)
class Run:
    """One run of one fault."""

    profile: Profile
    seed: str
    folder: Path
    databases: Databases
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """The same seed gives the same schedule."""
        self.chance = random.Random(self.seed)

    def size(self, ci: int, long: int, full: int | None = None) -> int:
        """The number for this profile; without `full` the long one counts there as well."""
        sizes = {Profile.CI: ci, Profile.LONG: long, Profile.FULL: long if full is None else full}
        return sizes[self.profile]

    @asynccontextmanager
    async def postgres(self) -> AsyncIterator[tuple[Cluster, str]]:
        """The server and a new database in it, dropped afterwards."""
        cluster = await self.databases.cluster()
        name = await asyncio.to_thread(cluster.create)
        try:
            yield cluster, name
        finally:
            await asyncio.to_thread(cluster.drop, name)
