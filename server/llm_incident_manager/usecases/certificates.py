"""Client certificates that are refused, and not refused any more."""

from llm_incident_manager.domain import access_changes
from llm_incident_manager.domain.access import DeniedCertificate
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord
from llm_incident_manager.ports.access_store import CertificateAllowed
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.usecases.caller import Caller


class Certificates:
    """Changes refusals in a unit of work, with one audit record each, in the caller's own tenant."""

    def __init__(self, clock: Clock) -> None:
        """Tells the time of changes."""
        self._clock = clock

    async def deny(
        self, tx: Transaction, changes: Changes, caller: Caller, fingerprint: bytes, reason: str
    ) -> DeniedCertificate:
        """Refuses a certificate; one that is refused already stays as it is."""
        now, revision = self._clock.now(), await tx.next_access_revision()
        before = await tx.denied_certificate(fingerprint)
        if before is not None:
            return before
        denied = DeniedCertificate(fingerprint, reason, caller.subject, now, revision)
        changes.access.append(denied)
        _record(changes, caller, "certificate.deny", None, denied, now)
        return denied

    async def allow(self, tx: Transaction, changes: Changes, caller: Caller, fingerprint: bytes) -> DeniedCertificate:
        """Ends a refusal. Raises NotFound."""
        now = self._clock.now()
        await tx.next_access_revision()
        denied = await tx.denied_certificate(fingerprint)
        if denied is None:
            raise NotFound("denied certificate", fingerprint.hex())
        changes.access.append(CertificateAllowed(fingerprint))
        _record(changes, caller, "certificate.allow", denied, None, now)
        return denied


def _record(
    changes: Changes,
    caller: Caller,
    action: str,
    before: DeniedCertificate | None,
    after: DeniedCertificate | None,
    now: Instant,
) -> None:
    denied = after or before
    assert denied is not None
    was, is_ = access_changes.between(before, after)
    resource = f"certificate/{denied.fingerprint.hex()}"
    changes.audit.append(AuditRecord(caller.tenant, now, caller.subject, action, resource, before=was, after=is_))
