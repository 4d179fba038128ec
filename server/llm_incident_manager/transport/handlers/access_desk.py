"""What handlers of access ask, and how: in a unit of work, after which the change counts in this process at once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message

from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import writes
from llm_incident_manager.usecases.access_book import AccessBook
from llm_incident_manager.usecases.api_keys import ApiKeys
from llm_incident_manager.usecases.certificates import Certificates
from llm_incident_manager.usecases.custom_roles import CustomRoles
from llm_incident_manager.usecases.granting import Giver
from llm_incident_manager.usecases.tenancy import Tenancy
from llm_incident_manager.usecases.unit import Done, Units

M = TypeVar("M", bound=Message)
DEFAULT, MOST = 100, 1_000
"""Sizes of pages."""


@dataclass(frozen=True, slots=True)
class AccessDesk:
    """The use cases that are about who is let in."""

    book: AccessBook
    keys: ApiKeys
    roles: CustomRoles
    tenancy: Tenancy
    certificates: Certificates

    async def change(
        self,
        units: Units,
        call: Call,
        request: Any,
        reply: type[M],
        work: Callable[[Transaction, Changes], Awaitable[M]],
        keep: Callable[[M], bytes] | None = None,
    ) -> Done[M]:
        """A write as `writes.done` does it."""
        done = await writes.done(units, call, request, reply, work, keep=keep)
        await self.book.settle()
        return done


def giver(call: Call) -> Giver:
    """The caller as one that gives permissions. Raises LookupError before identity."""
    caller = call.caller
    assert call.principal is not None
    return Giver(caller, call.principal)
