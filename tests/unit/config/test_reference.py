"""The table of all settings in the README says what the settings say."""

import subprocess
import sys

from llm_incident_manager.config import environment, reference, schema
from tools import shell

TABLE = reference.table()


def test_the_readme_has_the_table_as_it_is_now() -> None:
    readme = (shell.ROOT / "README.md").read_text("utf-8")
    assert TABLE in readme, "paste the output of `python -m llm_incident_manager.config` into README.md"


def test_the_module_prints_the_table() -> None:
    command = [sys.executable, "-m", "llm_incident_manager.config"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == TABLE + "\n"


def test_every_key_has_a_meaning() -> None:
    assert [key.name for key in schema.all_keys() if not key.field.description] == []


def test_every_variable_stands_beside_its_key() -> None:
    rows = {row.split("`")[1]: row for row in TABLE.splitlines() if row.startswith("| `")}
    assert set(rows) == {key.name for key in schema.all_keys()}
    for name, path in environment.NAMES.items():
        assert name in rows[schema.dotted(path)]
    for name in ("DATABASE_URL", "RUST_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER"):
        assert name in TABLE


def test_defaults_are_shown_as_they_are_written() -> None:
    for row in (
        "| `storage.path` | DATABASE_URL | `data` |",
        "| `triage.default_severity` |  | `P3` |",
        "| `ingest.linger_ms` |  | `2` |",
        "| `grpc.reflection` |  | `true` |",
        "| `storage.connection_string` | DATABASE_URL |  |",
    ):
        assert row in TABLE


def test_what_has_no_effect_yet_says_so() -> None:
    marked = [row.split("`")[1].partition(".")[0] for row in TABLE.splitlines() if row.endswith("*No effect yet.* |")]
    assert set(marked) == {"ml", "enrichment", "correlation", "escalation"}
