"""AdminService: API keys. A secret is in the reply that makes it, and neither kept nor told again."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import api_key_pb2

from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.ports.access_store import KeyQuery
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import access_desk, writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import access as translate
from llm_incident_manager.transport.translate import times
from llm_incident_manager.usecases.api_keys import Issued, Wish

pb = api_key_pb2


class ApiKeyHandlers:
    """Some methods of AdminService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "CreateApiKey": self.create,
            "GetApiKey": self.get,
            "ListApiKeys": self.list_api_keys,
            "RotateApiKey": self.rotate,
            "RevokeApiKey": self.revoke,
        }

    async def create(self, request: pb.CreateApiKeyRequest, call: Call) -> pb.CreateApiKeyResponse:
        """Makes a key."""
        wish = Wish(
            display_name=request.display_name,
            roles=tuple(request.roles),
            condition=translate.condition_in(request.condition),
            subject=request.subject,
            expires_at=times.instant(request.expire_time) if request.HasField("expire_time") else None,
            tier=request.tier,
            tenant=request.tenant_id,
        )

        async def work(tx: Transaction, changes: Changes) -> pb.CreateApiKeyResponse:
            issued = await self._on.access.keys.create(tx, changes, access_desk.giver(call), wish)
            return pb.CreateApiKeyResponse(api_key=self._shown(issued), secret=issued.text)

        done = await self._on.access.change(
            self._on.units, call, request, pb.CreateApiKeyResponse, work, _without_secret
        )
        return done.answer

    async def get(self, request: pb.GetApiKeyRequest, call: Call) -> pb.GetApiKeyResponse:
        """One key."""
        found = await self._on.store.api_key(call.caller.tenant, request.api_key_id)
        if found is None:
            raise NotFound("api key", request.api_key_id)
        return pb.GetApiKeyResponse(api_key=translate.api_key(found, self._on.clock.now()))

    async def list_api_keys(self, request: pb.ListApiKeysRequest, call: Call) -> pb.ListApiKeysResponse:
        """A page of keys."""
        tenant, now, tokens = call.caller.tenant, self._on.clock.now(), self._on.pages.tokens
        scope = ("api keys", tenant, str(request.show_revoked))
        size = paging.size_of(request.page_size, access_desk.DEFAULT, access_desk.MOST)
        before = str(tokens.open(scope, request.page_token)[0]) if request.page_token else ""
        found = await self._on.store.api_keys(KeyQuery(tenant, now, before, size + 1, request.show_revoked))
        token = tokens.seal(scope, (found[size - 1].id,)) if len(found) > size else ""
        shown = [translate.api_key(key, now) for key in found[:size]]
        return pb.ListApiKeysResponse(api_keys=shown, next_page_token=token)

    async def rotate(self, request: pb.RotateApiKeyRequest, call: Call) -> pb.RotateApiKeyResponse:
        """Gives a key another secret."""
        overlap = request.overlap.seconds * SECOND

        async def work(tx: Transaction, changes: Changes) -> pb.RotateApiKeyResponse:
            giver = access_desk.giver(call)
            issued = await self._on.access.keys.rotate(tx, changes, giver, request.api_key_id, overlap)
            return pb.RotateApiKeyResponse(api_key=self._shown(issued), secret=issued.text)

        done = await self._on.access.change(
            self._on.units, call, request, pb.RotateApiKeyResponse, work, _without_secret
        )
        return done.answer

    async def revoke(self, request: pb.RevokeApiKeyRequest, call: Call) -> pb.RevokeApiKeyResponse:
        """Revokes a key for ever."""

        async def work(tx: Transaction, changes: Changes) -> pb.RevokeApiKeyResponse:
            key = await self._on.access.keys.revoke(tx, changes, call.caller, request.api_key_id, request.reason)
            return pb.RevokeApiKeyResponse(api_key=translate.api_key(key, self._on.clock.now()))

        return (await self._on.access.change(self._on.units, call, request, pb.RevokeApiKeyResponse, work)).answer

    def _shown(self, issued: Issued) -> pb.ApiKey:
        return translate.api_key(issued.key, self._on.clock.now())


def _without_secret(reply: pb.CreateApiKeyResponse | pb.RotateApiKeyResponse) -> bytes:
    kept = type(reply).FromString(writes.encode(reply))
    kept.ClearField("secret")
    return writes.encode(kept)
