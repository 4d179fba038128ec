"""The product's own command line, believing whoever says who they are: what lies behind the proof is the real thing."""

from collections.abc import Mapping
from typing import Any

from llm_incident_manager import entrance
from llm_incident_manager.__main__ import main
from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.errors import Unauthenticated
from llm_incident_manager.transport.call import Call
from tests.support.access import who
from tools.shell import ROOT

PROGRAM = "tests.support.access.trusting"
ENVIRONMENT: Mapping[str, str] = {"PYTHONPATH": str(ROOT)}
"""What a server of this program has to be started with."""


class Trusting:
    """Believes a header. Implements Authenticator."""

    name = "api_key"

    def shown(self, call: Call) -> bool:
        return who.HEADER in call.metadata

    async def principal(self, call: Call) -> Principal:
        try:
            return who.read(call.metadata[who.HEADER])
        except (TypeError, ValueError, KeyError) as error:
            raise Unauthenticated("malformed") from error

    async def still(self, principal: Principal) -> bool:
        return bool(principal.permissions)


def _trusting(*_: Any, **__: Any) -> tuple[Trusting, ...]:  # noqa: ANN401  # whatever the real one is given
    return (Trusting(),)


if __name__ == "__main__":
    entrance.authenticators = _trusting
    main()
