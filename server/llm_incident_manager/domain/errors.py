"""Expected refusals. Each knows its reason and the facts a caller needs; only the transport knows status codes."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from llm_incident_manager.domain.disposition import Violation


class ErrorReason(StrEnum):
    """The contract's reasons, without prefix (error_reason.proto documents each with its metadata)."""

    INVALID_FIELD = "INVALID_FIELD"
    MALFORMED_MESSAGE = "MALFORMED_MESSAGE"
    NOT_FOUND = "NOT_FOUND"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    STALE_ETAG = "STALE_ETAG"
    FINGERPRINT_TAKEN = "FINGERPRINT_TAKEN"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    PRODUCER_FENCED = "PRODUCER_FENCED"
    SEQUENCE_GAP = "SEQUENCE_GAP"
    STREAM_PROTOCOL = "STREAM_PROTOCOL"
    OVERLOADED = "OVERLOADED"
    CREDITS_EXCEEDED = "CREDITS_EXCEEDED"
    TOO_LARGE = "TOO_LARGE"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    DRAINING = "DRAINING"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_AVAILABLE = "NOT_AVAILABLE"
    INVALID_FILTER = "INVALID_FILTER"
    INVALID_PAGE_TOKEN = "INVALID_PAGE_TOKEN"
    INVALID_RESUME_TOKEN = "INVALID_RESUME_TOKEN"
    SLOW_SUBSCRIBER = "SLOW_SUBSCRIBER"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    INTERNAL = "INTERNAL"
    NO_ROUTE = "NO_ROUTE"
    CANCELLED = "CANCELLED"
    SLOW_REQUEST = "SLOW_REQUEST"
    MERGED = "MERGED"
    COUNT_CHANGED = "COUNT_CHANGED"
    TOO_MANY_MATCHES = "TOO_MANY_MATCHES"
    RATE_LIMITED = "RATE_LIMITED"
    SOURCE_DENIED = "SOURCE_DENIED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    IN_USE = "IN_USE"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    TENANT_SUSPENDED = "TENANT_SUSPENDED"
    AGENT_ID_TAKEN = "AGENT_ID_TAKEN"
    UNSUPPORTED_PROTOCOL = "UNSUPPORTED_PROTOCOL"
    SESSION_FENCED = "SESSION_FENCED"
    ILLEGAL_DIRECTIVE_MOVE = "ILLEGAL_DIRECTIVE_MOVE"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"


class DomainError(Exception):
    """A refusal with its reason, a sentence for people, and metadata for programs."""

    def __init__(
        self,
        reason: ErrorReason,
        message: str,
        metadata: Mapping[str, str] | None = None,
        *,
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
    ) -> None:
        """`violations` names bad fields; `retry_after` (seconds) says when to come back, if coming back helps."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after


class InvalidFields(DomainError):
    """One or more request fields break their rules."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        """Takes at least one violation; the message is the first one's, and says how many there are."""
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        metadata = {"field": first.field, "violations": str(len(violations))}
        super().__init__(ErrorReason.INVALID_FIELD, first.message + more, metadata, violations=violations)


class NotFound(DomainError):
    """No such resource in the caller's tenant."""

    def __init__(self, resource: str, name: str, hint: str = "") -> None:
        """`resource` is a word of the contract, for instance "incident"; `hint` says why it may be so."""
        message = f"{resource} {name!r} does not exist" + (f": {hint}" if hint else "")
        super().__init__(ErrorReason.NOT_FOUND, message, {"resource": resource, "id": name})


class IllegalTransition(DomainError):
    """The verb is not allowed in this state."""

    def __init__(
        self, state: str, verb: str, allowed: Sequence[str], *, forcible: bool = False, incident: str = ""
    ) -> None:
        """`allowed` are the verbs that are; `forcible` says that `force` would do; `incident` tells it from others."""
        hint = " (or set force)" if forcible else ""
        now = ", ".join(allowed) or "none"
        message = f"cannot {verb} {incident or 'an incident'} that is {state}{hint}; allowed now: {now}"
        metadata = {"state": state, "verb": verb, "allowed": ",".join(allowed)}
        metadata |= {"incident": incident} if incident else {}
        super().__init__(ErrorReason.ILLEGAL_TRANSITION, message, metadata)


class Merged(DomainError):
    """The incident ended in another one."""

    def __init__(self, incident: str, into: str, remedy: str) -> None:
        """`into` is the id of the other one; `remedy` says what to do about it."""
        message = f"{incident} was merged into incident {into}: {remedy}"
        super().__init__(ErrorReason.MERGED, message, {"incident": incident, "merged_into": into})


class CountChanged(DomainError):
    """Another number of incidents, or of what else is changed many at once, matches than the caller expected."""

    def __init__(self, expected: int, matched: int, what: str = "incidents") -> None:
        """How many the caller expected, and how many match."""
        message = f"{matched} {what} match, not {expected}: nothing was changed; preview again"
        metadata = {"expected": str(expected), "matched": str(matched)}
        super().__init__(ErrorReason.COUNT_CHANGED, message, metadata)


class TooManyMatches(DomainError):
    """More incidents, or whatever it is, match than one call changes."""

    def __init__(self, matched: int, limit: int, what: str = "incidents") -> None:
        """How many match, and how many one call changes."""
        message = f"{matched} {what} match and one call changes {limit}: narrow the filter, or give a limit and repeat"
        super().__init__(ErrorReason.TOO_MANY_MATCHES, message, {"matched": str(matched), "limit": str(limit)})


class StaleEtag(DomainError):
    """Somebody changed the incident, or whatever it is, since the caller read it."""

    def __init__(self, name: str, given: str, current: str, resource: str = "incident") -> None:
        """`given` is the caller's etag, `current` the resource's."""
        message = f"etag {given!r} is not the current one: read {resource} {name} again and repeat the change"
        super().__init__(ErrorReason.STALE_ETAG, message, {resource: name, "etag": given, "current": current})


class FingerprintTaken(DomainError):
    """An open incident already holds the fingerprint."""

    def __init__(self, fingerprint: str, holder: str) -> None:
        """`holder` is the id of the open incident; empty when the caller must not see that one."""
        who = f"open incident {holder}" if holder else "an open incident that you do not see"
        remedy = "use or resolve that one" if holder else "ask those whose it is"
        message = f"{who} already holds fingerprint {fingerprint!r}: {remedy}"
        super().__init__(ErrorReason.FINGERPRINT_TAKEN, message, {"fingerprint": fingerprint, "holder": holder})


class RequestIdReused(DomainError):
    """A request id came back with another body."""

    def __init__(self, request_id: str) -> None:
        """`request_id` as the caller gave it."""
        message = f"request_id {request_id!r} was used for another request within 24 hours: use a new one"
        super().__init__(ErrorReason.REQUEST_ID_REUSED, message, {"request_id": request_id})


class ProducerFenced(DomainError):
    """A newer stream of the same producer has taken over."""

    def __init__(self, producer: str, epoch: int, current: int) -> None:
        """`epoch` is the refused stream's, `current` the one that holds."""
        message = f"producer {producer!r} has a newer stream (epoch {current}, this one is {epoch}): close this one"
        metadata = {"producer_id": producer, "epoch": str(epoch), "current": str(current)}
        super().__init__(ErrorReason.PRODUCER_FENCED, message, metadata)


class SequenceGap(DomainError):
    """A producer's frame does not continue what is stored of its stream."""

    def __init__(self, expected: int, got: int) -> None:
        """The sequence number that may come next, and the one that came."""
        text = f"the frame starts at {got} instead of {expected}: sequence numbers count events without a gap"
        super().__init__(ErrorReason.SEQUENCE_GAP, text, {"expected": str(expected), "got": str(got)})


class StoreUnavailable(DomainError):
    """The database does not answer. Unless it failed in the very moment of the commit, nothing was written."""

    def __init__(self, cause: str, remedy: str = "repeat it with the same request_id or idempotency_key") -> None:
        """`cause` names what failed, without secrets; `remedy` says what to do."""
        message = f"the database does not answer ({cause}): {remedy}"
        super().__init__(ErrorReason.STORE_UNAVAILABLE, message, retry_after=1.0)


class Overloaded(DomainError):
    """Something bounded is full."""

    def __init__(self, what: str, limit: int, retry_after: float, cause: str = "buffer") -> None:
        """`what` is full, `limit` its size, `retry_after` in seconds; `cause` is a word for programs."""
        message = f"{what} is full ({limit}): come back in {retry_after:g} s"
        metadata = {"limit": str(limit), "cause": cause}
        super().__init__(ErrorReason.OVERLOADED, message, metadata, retry_after=retry_after)


class SlowSubscriber(DomainError):
    """A stream's caller has not taken a reply for too long."""

    def __init__(self, seconds: float, resume_token: str = "") -> None:
        """For how long; `resume_token` is that of the reply it did not take, which it still gets if it reads on."""
        remedy = "open the watch again with resume_token" if resume_token else "open the stream again, and read it"
        message = f"no reply was taken for {seconds:g} s: {remedy}"
        metadata = {"limit_ms": str(int(seconds * 1000)), "resume_token": resume_token}
        super().__init__(ErrorReason.SLOW_SUBSCRIBER, message, metadata, retry_after=1.0)


class Unauthenticated(DomainError):
    """The caller did not prove who it is. The same words for every cause, so that they tell an attacker nothing; the
    log and a metric have the cause."""

    def __init__(self, cause: str = "none", *, again: bool = False, account: str = "") -> None:
        """`cause` is a word for the log: none, unknown, expired, revoked, malformed, …; `again` on an open stream;
        `account` is the id of the credential that was tried, when there is such a one."""
        message = (
            "the credential is not let in any more: open the stream again with one that is"
            if again
            else "show who you are: an API key (x-api-key), a bearer token (authorization) or a client certificate"
        )
        super().__init__(ErrorReason.UNAUTHENTICATED, message)
        self.cause = "revoked" if again else cause
        self.account = account


class TenantSuspended(DomainError):
    """The caller has proven who it is, and its tenant is not served."""

    def __init__(self, tenant: str) -> None:
        """The tenant's id."""
        message = f"tenant {tenant} is suspended: ask those who run this installation"
        super().__init__(ErrorReason.TENANT_SUSPENDED, message, {"tenant": tenant})


class AlreadyExists(DomainError):
    """Something of this name is there already."""

    def __init__(self, resource: str, name: str) -> None:
        """`resource` is a word of the contract, for instance "role"."""
        message = f"{resource} {name!r} exists already, or existed: choose another name"
        super().__init__(ErrorReason.ALREADY_EXISTS, message, {"resource": resource, "id": name})


class InUse(DomainError):
    """It cannot go, or change so, while it is used."""

    def __init__(self, resource: str, name: str, used_by: str) -> None:
        """`used_by` says by whom, for instance "api_key 01J…"."""
        message = f"{resource} {name!r} is used by {used_by}: change that first"
        super().__init__(ErrorReason.IN_USE, message, {"resource": resource, "id": name, "used_by": used_by})
