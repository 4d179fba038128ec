"""AdminService: who calls, and client certificates that are refused."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import denied_certificate_pb2, principal_pb2

from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import access_desk
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import access as translate

pb = denied_certificate_pb2


class AccessHandlers:
    """Some methods of AdminService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "WhoAmI": self.who_am_i,
            "DenyCertificate": self.deny,
            "AllowCertificate": self.allow,
            "ListDeniedCertificates": self.list_denied,
        }

    async def who_am_i(self, _: principal_pb2.WhoAmIRequest, call: Call) -> principal_pb2.WhoAmIResponse:
        """The caller as the server sees it."""
        return principal_pb2.WhoAmIResponse(principal=translate.principal(access_desk.giver(call).principal))

    async def deny(self, request: pb.DenyCertificateRequest, call: Call) -> pb.DenyCertificateResponse:
        """Refuses a certificate."""

        async def work(tx: Transaction, changes: Changes) -> pb.DenyCertificateResponse:
            fingerprint = translate.fingerprint_in(request.fingerprint)
            denied = await self._on.access.certificates.deny(tx, changes, call.caller, fingerprint, request.reason)
            return pb.DenyCertificateResponse(certificate=translate.denied_certificate(denied))

        return (await self._on.access.change(self._on.units, call, request, pb.DenyCertificateResponse, work)).answer

    async def allow(self, request: pb.AllowCertificateRequest, call: Call) -> pb.AllowCertificateResponse:
        """Ends the refusal of a certificate."""

        async def work(tx: Transaction, changes: Changes) -> pb.AllowCertificateResponse:
            fingerprint = translate.fingerprint_in(request.fingerprint)
            denied = await self._on.access.certificates.allow(tx, changes, call.caller, fingerprint)
            return pb.AllowCertificateResponse(certificate=translate.denied_certificate(denied))

        return (await self._on.access.change(self._on.units, call, request, pb.AllowCertificateResponse, work)).answer

    async def list_denied(
        self, request: pb.ListDeniedCertificatesRequest, _: Call
    ) -> pb.ListDeniedCertificatesResponse:
        """A page of refused certificates."""
        tokens, scope = self._on.pages.tokens, ("denied certificates",)
        size = paging.size_of(request.page_size, access_desk.DEFAULT, access_desk.MOST)
        before: tuple[Instant, bytes] | None = None
        if request.page_token:
            at, fingerprint = tokens.open(scope, request.page_token)
            before = Instant(int(at or 0)), bytes.fromhex(str(fingerprint))
        found = await self._on.store.denied_certificates(before, size + 1)
        last = found[size - 1] if len(found) > size else None
        token = "" if last is None else tokens.seal(scope, (last.created_at, last.fingerprint.hex()))
        shown = [translate.denied_certificate(each) for each in found[:size]]
        return pb.ListDeniedCertificatesResponse(certificates=shown, next_page_token=token)
