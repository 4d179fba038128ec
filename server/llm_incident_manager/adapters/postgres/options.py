"""How to reach PostgreSQL and how long to wait for it. Values only; reads no environment."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Options:
    """`dsn` may hold a password and is never shown.

    Each of `workers` processes has `pool_size` connections. A call waits at most `acquire_within` for one of them and
    `statement_timeout` + `grace` for each answer. `pooled` is for PgBouncer in transaction mode: no prepared statement
    outlives its transaction, no session setting is relied on. `may_lose_commits` accepts a server that confirms commits
    it could lose in a crash. `replica` is the URL of a standby that reads may be served from, if there is one.
    """

    dsn: str = field(repr=False)
    pool_size: int = 10
    workers: int = 1
    acquire_within: timedelta = timedelta(seconds=2)
    statement_timeout: timedelta = timedelta(seconds=8)
    lock_timeout: timedelta = timedelta(seconds=4)
    idle_timeout: timedelta = timedelta(seconds=30)
    grace: timedelta = timedelta(seconds=1)
    pooled: bool = False
    may_lose_commits: bool = False
    replica: str = field(default="", repr=False)

    @property
    def settings(self) -> dict[str, str]:
        """Session settings. Plans are made anew each time: one made for an empty table would scan a full one."""
        return {
            "statement_timeout": _milliseconds(self.statement_timeout),
            "lock_timeout": _milliseconds(self.lock_timeout),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle_timeout),
            "plan_cache_mode": "force_custom_plan",
            "jit": "off",
        }

    @property
    def begin(self) -> str:
        """The statement that opens a transaction; behind a pooler it brings the settings along."""
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
        if not self.pooled:
            return begin
        return "; ".join((begin, *(f"SET LOCAL {name} = '{value}'" for name, value in self.settings.items())))


def _milliseconds(duration: timedelta) -> str:
    return str(max(1, duration // timedelta(milliseconds=1)))
