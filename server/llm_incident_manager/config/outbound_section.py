"""Where the server may connect to, and for how long."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from llm_incident_manager.config.values import MIB, Bytes, FilePath, Section
from llm_incident_manager.domain import destinations


def _entries(value: object) -> object:
    """Words in a list, or in one text with commas between them."""
    words = [word for word in value.split(",") if word.strip()] if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return value
    entries = tuple(str(word).strip() for word in words)
    destinations.policy(entries, public=True)
    return entries


Destinations = Annotated[tuple[str, ...], BeforeValidator(_entries)]


class Outbound(Section):
    """Where the server may connect to: for webhooks, for the keys of issuers, and to services that it asks."""

    allow: Destinations = ()
    """Hosts (`hooks.internal`, `*.corp.example`), addresses and networks (`127.0.0.0/8`) to connect to although not
    public; in a list, or with commas between them."""
    public: bool = True
    """Connect to any public address; when false, only to what `allow` names."""
    timeout_secs: Annotated[float, Field(gt=0, le=30)] = 10.0
    """Time a request may take, at most 30; a webhook has a limit of its own."""
    max_response_bytes: Bytes = MIB
    """Longest answer that is read."""
    ca: FilePath | None = None
    """PEM file of certificate authorities to trust beside the system's."""

    def policy(self) -> destinations.Policy:
        """What may be connected to."""
        return destinations.policy(self.allow, public=self.public)

    def remedy(self, host: str) -> str:
        """Why a host that stands in a URL cannot be connected to, with the remedy; empty for one that may be, or whose
        addresses only a name server knows."""
        if destinations.is_odd(host):
            return f"write {host} as four numbers with dots between them"
        address = "127.0.0.1" if host.lower() == "localhost" else host
        if not destinations.is_address(address) or self.policy().judge(host, address).allowed:
            return ""
        why = "is not a public address" if self.public else "is not named"
        return f"{host} {why}: add it to outbound.allow if the server may connect to it"
