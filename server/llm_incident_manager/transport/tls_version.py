"""The oldest TLS that calls may come over, where a library cannot be told."""

from typing import TypeVar

from llm_incident_manager.domain.errors import Unauthenticated
from llm_incident_manager.transport.call import Call, Proceed
from llm_incident_manager.transport.tls import ServerTls

T = TypeVar("T")

_SPOKEN = {"1.3": frozenset({"TLSv1.3"}), "1.2": frozenset({"TLSv1.3", "TLSv1.2"})}


class TlsVersion:
    """Refuses calls over an older one. The handshake has done so already, if the gRPC core was prepared before it was
    loaded (rpc.environment)."""

    name = "tls_version"
    after = frozenset({"errors"})

    def __init__(self, tls: ServerTls) -> None:
        """As its policy says."""
        self._spoken = _SPOKEN[tls.policy.least]

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Raises Unauthenticated."""
        if call.tls not in self._spoken:
            call.facts["cause"] = "tls_version"
            raise Unauthenticated("tls_version")
        return await proceed()
