"""What may stop a database's upkeep."""

from llm_incident_manager.domain.errors import DomainError, ErrorReason


class UpkeepRefused(DomainError):
    """The database does not let this program look after its tables: it goes on, and they go on growing."""

    def __init__(self, cause: str) -> None:
        """`cause` names what was refused, without secrets."""
        message = f"the database refuses upkeep ({cause}): let the server's role own the tables"
        super().__init__(ErrorReason.STORE_UNAVAILABLE, message)
