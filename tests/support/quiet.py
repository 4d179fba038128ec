"""A logger that nobody hears, for parts that are driven without a server around them."""

from llm_incident_manager.telemetry.logs import Logger


class _Quiet:
    def debug(self, event: str, **fields: object) -> None:
        """Nothing."""

    def bind(self, **fields: object) -> Logger:
        return self

    info = warning = error = exception = debug


QUIET: Logger = _Quiet()
