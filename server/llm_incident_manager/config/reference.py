"""Prints all settings as a table for the manual, from the settings themselves, so that neither can forget the other."""

from collections.abc import Iterator

from pydantic_core import PydanticUndefined

from llm_incident_manager.config import environment, schema
from llm_incident_manager.config.settings import NOT_YET
from llm_incident_manager.domain.severity import Severity

BEGIN = "<!-- settings: `python -m llm_incident_manager.config` prints this table -->"
END = "<!-- end of settings -->"

_ALSO = {
    "storage.type": "DATABASE_URL",
    "storage.path": "DATABASE_URL",
    "storage.connection_string": "DATABASE_URL",
    "log.level": "LOG_LEVEL, RUST_LOG",
    "traces.endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "traces.sample_ratio": "OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG",
}


def table() -> str:
    """The Markdown table of all keys, between the marks that a test looks for."""
    head = "| Key | Environment | Default | Meaning |\n| --- | --- | --- | --- |"
    return "\n".join([BEGIN, head, *_rows(), END])


def _rows() -> Iterator[str]:
    names = {schema.dotted(path): name for name, path in environment.NAMES.items()} | _ALSO
    for key in schema.all_keys():
        cells = (f"`{key.name}`", names.get(key.name, ""), _default(key), _meaning(key))
        yield f"| {' | '.join(cells)} |"


def _default(key: schema.Key) -> str:
    default = key.field.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined or default in ("", (), {}):
        return ""
    match default:
        case bool():
            return f"`{str(default).lower()}`"
        case Severity():
            return f"`{default.name}`"
        case float():
            return f"`{default:g}`"
        case tuple():
            return f"`{','.join(map(str, default))}`"
    return f"`{default}`"


def _meaning(key: schema.Key) -> str:
    text = " ".join((key.field.description or "").split()).replace("|", "\\|")
    return f"{text} *No effect yet.*" if key.name.partition(".")[0] in NOT_YET else text
