"""Whom identity refuses beside those without a good credential: callers of a tenant that is not served, and whoever has
failed too often. Who has called with a credential from a place before is not locked out there with the others.

An attacker chooses what comes in here, so every table is bounded, and what is told in the log is, too.
"""

from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.errors import DomainError, ErrorReason, TenantSuspended, Unauthenticated
from llm_incident_manager.domain.limits import place_of
from llm_incident_manager.domain.tenants import TenantState
from llm_incident_manager.domain.time import DAY, SECOND, Instant
from llm_incident_manager.engines import lockout
from llm_incident_manager.engines.lockout import Failures, Patience
from llm_incident_manager.ports.access import KnownTenants
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics

MOST = 10_000
"""Sources, credentials, and pairs of them that are remembered at once."""
GUESSABLE = frozenset({"api_key", "jwt"})
"""What somebody might try to guess. A certificate is none of it: whoever shows one has its private key, which the
handshake has seen, also when the certificate has expired or is revoked."""
GUESSES = frozenset({"unknown", "malformed", "bad_signature"})
"""Why a guess is refused. What was good once (expired, revoked, for another audience) is not guessed: it is an honest
caller's mistake, and must not lock out its neighbours."""
KNOWN_FOR = DAY
"""How long a place stays one that a credential was used from."""

LINES_PER_SECOND = 10
"""What is told in the log of all that fail; the rest is counted."""


class Guard:
    """Remembers failures by source and by credential, and where credentials were used."""

    def __init__(self, tenants: KnownTenants, clock: Clock, patience: Patience, metrics: Metrics) -> None:
        """Nobody has failed yet."""
        self._tenants = tenants
        self._clock = clock
        self._patience = patience
        self._metrics = metrics
        self._failures: dict[str, Failures] = {}
        self._mentioned: dict[str, Instant] = {}
        self._places: dict[tuple[str, str], Instant] = {}
        self._locked_until = Instant(0)
        self._told = (Instant(0), 0)
        self._log = logs.get("identity")

    def failed(self, kind: str, refused: Unauthenticated, source: str) -> DomainError:
        """What to tell a caller that has not proven who it is: that, or to come back later."""
        now, place = self._clock.now(), place_of(source)
        self._metrics.credential_refused(kind, refused.cause)
        names = [f"source {place}"] if place else []
        if kind in GUESSABLE and refused.cause in GUESSES:
            names += [f"credential {refused.account}"] if refused.account else []
            wait = max((self._count(name, kind, refused, now) for name in names), default=0)
        else:
            self._mention(f"source {place}", kind, refused, now)
            wait = self._wait(place, now) if kind in GUESSABLE else 0
        return _locked_out(wait, self._patience) if wait else refused

    def passed(self, principal: Principal, source: str) -> None:
        """A caller has proven who it is. Wrong guesses at its key by others, from elsewhere, do not count against it.
        Raises TenantSuspended, Unauthenticated, RATE_LIMITED."""
        self._must_be_served(principal)
        if principal.proven_by not in GUESSABLE:
            return
        now, place = self._clock.now(), place_of(source)
        pair = (place, principal.lasting)
        strange = now < self._locked_until and self._places.get(pair, Instant(0)) <= now - KNOWN_FOR
        if strange and (wait := self._wait(place, now)):
            self._metrics.credential_refused(principal.proven_by, "locked_out")
            raise _locked_out(wait, self._patience)
        self._places.pop(pair, None)
        _keep(self._places)
        self._places[pair] = now

    def admits(self, principal: Principal) -> bool:
        """Whether the tenant of an open stream is still served."""
        return self._tenants.state_of(principal.tenant) is TenantState.ACTIVE

    def _must_be_served(self, principal: Principal) -> None:
        state = self._tenants.state_of(principal.tenant)
        if state is TenantState.ACTIVE:
            return
        self._metrics.credential_refused(principal.proven_by, "tenant")
        if state is None:
            raise Unauthenticated("tenant")
        raise TenantSuspended(principal.tenant)

    def _count(self, name: str, kind: str, refused: Unauthenticated, now: Instant) -> int:
        """One guess more; for how long (microseconds) that locks out."""
        before = self._failures.pop(name, None)
        after = lockout.after_failure(before, now, self._patience)
        _keep(self._failures)
        self._failures[name] = after
        if after.until and (before is None or after.until != before.until):
            self._locked_until = max(self._locked_until, after.until)
            self._metrics.locked_out()
            self._tell("identity.locked_out", now, who=name, failures=after.count, kind=kind, cause=refused.cause)
        elif after.count == 1:
            self._tell("identity.refused", now, who=name, kind=kind, cause=refused.cause)
        return lockout.wait(after, now)

    def _wait(self, place: str, now: Instant) -> int:
        """For how long (microseconds) a place is locked out yet."""
        return lockout.wait(self._failures.get(f"source {place}"), now)

    def _mention(self, name: str, kind: str, refused: Unauthenticated, now: Instant) -> None:
        """Tells of what is no guess, of each place once in a while."""
        before = self._mentioned.get(name)
        if before is None or now - before >= self._patience.window:
            self._mentioned.pop(name, None)
            _keep(self._mentioned)
            self._mentioned[name] = now
            self._tell("identity.refused", now, who=name, kind=kind, cause=refused.cause)

    def _tell(self, event: str, now: Instant, **fields: object) -> None:
        """A line in the log, unless there were many in this second."""
        since, lines = self._told
        if now - since >= SECOND:
            since, lines = now, 0
        self._told = (since, lines + 1)
        if lines < LINES_PER_SECOND:
            self._log.warning(event, **fields)


def _keep(table: dict[str, Failures] | dict[str, Instant] | dict[tuple[str, str], Instant]) -> None:
    """Makes room for one more: what was not touched for the longest time goes."""
    if len(table) >= MOST:
        del table[next(iter(table))]  # type: ignore[arg-type]  # its own key


def _locked_out(wait: int, patience: Patience) -> DomainError:
    seconds = wait / SECOND
    text = f"too many failed attempts from where you call: come back in {seconds:.0f} s, with a credential that is good"
    limit = str(patience.failures)
    metadata = {"scope": "source", "limit": limit, "burst": limit, "remaining": "0", "reset_ms": str(wait // 1000)}
    return DomainError(ErrorReason.RATE_LIMITED, text, metadata, retry_after=seconds)
