"""What answers GraphQL, by path: requests and sockets are let in apart, since a browser opens both at one address."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_incident_manager.config import Settings
from llm_incident_manager.transport.graphql import page
from llm_incident_manager.transport.graphql.app import GraphqlApp, Line
from llm_incident_manager.transport.graphql.context import Behind
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.rest.app import Application


@dataclass(frozen=True, slots=True)
class Applications:
    """ASGI applications by path; none where GraphQL is switched off."""

    requests: Mapping[str, Application] = field(default_factory=dict)
    sockets: Mapping[str, Application] = field(default_factory=dict)


def applications(settings: Settings, behind: Behind, services: Services) -> Applications:
    """As the sections `graphql` and `websocket` have them."""
    given, websocket = settings.graphql, settings.websocket
    if not given.enabled:
        return Applications()
    line = Line(
        settings.watch.slow_after_secs, websocket.timeout_secs, websocket.max_connections, websocket.allowed_origins
    )
    app = GraphqlApp(given, behind, services.metrics, services.door, line)
    files = [f"{given.path}/{name}" for name in page.ASSETS] if given.ide else []
    return Applications(
        dict.fromkeys([given.path, *files], app.request), dict.fromkeys([given.path, f"{given.path}/ws"], app.socket)
    )
