"""Who is not let in."""

from llm_incident_manager.telemetry.instruments import Children, Instruments


class AccessMetrics:
    """Credentials that did not do."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        text = "Callers not let in, by the kind of what they showed and why."
        self._refused = Children(make.counter("credentials_refused", text, "kind", "cause"))
        text = "Times that an address or a credential was locked out after too many failures."
        self._locked_out = make.counter("credentials_locked_out", text)

    def credential_refused(self, kind: str, cause: str) -> None:
        """Counts a caller that is not let in: `kind` is an authenticator's name, `cause` a word of Unauthenticated."""
        self._refused[(kind, cause)].inc()

    def locked_out(self) -> None:
        """Counts a lock-out."""
        self._locked_out.inc()
