"""Settings from defaults, file and environment: which one wins, and what is refused with which remedy."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from llm_incident_manager import config
from llm_incident_manager.config import ConfigError, Settings
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.domain.severity import Severity

# The configuration of the product's older README, as it is printed there.
OLDER = """
instance_id: "standalone-001"
storage: {type: "postgresql", connection_string: "postgresql://localhost/incident_manager", pool_size: 20}
ml: {enabled: true, confidence_threshold: 0.7, model_path: "./models", auto_train: true, training_batch_size: 100}
enrichment: {enabled: true, enable_historical: true, enable_service: true, enable_team: true, timeout_secs: 10,
  cache_ttl_secs: 300, async_enrichment: true, max_concurrent: 5, similarity_threshold: 0.5}
correlation: {enabled: true, time_window_secs: 300, min_incidents: 2, max_group_size: 50, enable_source: true,
  enable_type: true, enable_similarity: true, enable_tags: true, enable_service: true}
escalation: {enabled: true, default_timeout_secs: 300}
deduplication: {window_secs: 900, fingerprint_enabled: true}
notifications:
  channels:
    - {type: "email", enabled: true}
    - {type: "slack", enabled: true, webhook_url: "https://hooks.slack.com/..."}
    - {type: "pagerduty", enabled: true, integration_key: "..."}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str = "", **env: str) -> Settings:
    """The settings for a config.yaml in the working directory and an environment."""
    if text:
        Path("config.yaml").write_text(text, "utf-8")
    return config.load(env)


def refused(text: str = "", **env: str) -> list[str]:
    """The problems of a configuration that must not start."""
    with pytest.raises(ConfigError) as error:
        load(text, **env)
    return str(error.value).splitlines()


def test_nothing_configured_gives_a_process_with_all_roles() -> None:
    assert load().roles == tuple(Role)


@pytest.mark.parametrize("given", ["route,api", " API , route,api", "[api, route]"], ids=["text", "spelling", "list"])
def test_roles_are_words_in_any_order(given: str) -> None:
    settings = load(f"roles: {given}", DATABASE_URL="postgresql://localhost/im")
    assert settings.roles == (Role.API, Role.ROUTE)


def test_roles_of_a_variable_win_over_the_file_and_those_of_an_option_over_both() -> None:
    env = {"DATABASE_URL": "postgresql://localhost/im", "LLM_IM__ROLES": "notify"}
    assert load("roles: api", **env).roles == (Role.NOTIFY,)
    assert config.load(env, options={"roles": "route"}).roles == (Role.ROUTE,)


@pytest.mark.parametrize("given", ["api,pager", "[pager]", "pager"])
def test_an_unknown_role_is_refused_by_name_with_those_there_are(given: str) -> None:
    (problem,) = refused(f"roles: {given}", DATABASE_URL="postgresql://localhost/im")
    assert 'there is no role "pager": give some of api, classify, route, notify, act' in problem


@pytest.mark.parametrize("given", ["[]", "''", '","'])
def test_no_role_at_all_is_refused(given: str) -> None:
    (problem,) = refused(f"roles: {given}")
    assert "a process without a role does nothing: give some of api, classify, route, notify, act" in problem


def test_an_unknown_role_of_an_option_is_said_to_come_from_there() -> None:
    with pytest.raises(ConfigError, match=r'roles = "pager" \(from --roles\): there is no role "pager"'):
        config.load({}, options={"roles": "pager"})


@pytest.mark.parametrize("url", ["sqlite:///data", "sqlite::memory:"])
def test_a_process_that_must_be_alone_needs_all_roles(url: str) -> None:
    (problem,) = refused(DATABASE_URL=url, LLM_IM__ROLES="api,route")
    assert "(from LLM_IM__ROLES)" in problem
    assert "is for one process, so nobody would do the work of classify, notify, act" in problem


def test_a_variable_may_name_a_key_of_no_section() -> None:
    assert load(LLM_IM__INSTANCE_ID="east-1").instance_id == "east-1"


def test_nothing_configured_gives_the_documented_defaults() -> None:
    settings = load()
    assert settings == Settings()
    assert (settings.api.host, settings.api.port) == ("127.0.0.1", 3000)
    assert (settings.grpc.host, settings.grpc.port) == ("127.0.0.1", 50051)
    assert (settings.storage.type, settings.storage.path) == ("sqlite", Path("data"))
    assert settings.deduplication.window_secs == 900
    assert [channel.label for channel in settings.notifications.channels] == ["log"]


def test_the_file_goes_before_the_defaults_and_the_environment_before_the_file() -> None:
    settings = load("api: {port: 4000}\ngrpc: {port: 4001}", GRPC_PORT="5001")
    assert (settings.api.port, settings.grpc.port, settings.storage.pool_size) == (4000, 5001, 20)


def test_the_nested_variable_is_the_strongest() -> None:
    assert load(LOG_LEVEL="error", LLM_IM__LOG__LEVEL="debug").log.level == "debug"


def test_config_path_names_the_file(folder: Path) -> None:
    Path("config.yaml").write_text("api: {port: 4000}", "utf-8")
    (folder / "other.yaml").write_text("api: {port: 4444}", "utf-8")
    assert load(CONFIG_PATH="other.yaml").api.port == 4444


def test_a_file_named_by_the_caller_goes_before_config_path(folder: Path) -> None:
    (folder / "mine.yaml").write_text("api: {port: 4444}", "utf-8")
    assert config.load({"CONFIG_PATH": "missing.yaml"}, folder / "mine.yaml").api.port == 4444


def test_an_empty_file_is_no_problem() -> None:
    assert load("# nothing yet\n") == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().api.port = 1  # type: ignore[misc]


def test_every_key_of_the_older_configuration_is_known() -> None:
    text = OLDER.replace('type: "email", enabled: true', 'type: "email", enabled: false')
    for kind in ("slack", "pagerduty"):
        text = text.replace(f'type: "{kind}", enabled: true', f'type: "{kind}", enabled: false')
    settings = load(text)
    given: dict[str, Any] = yaml.safe_load(text)
    shown: dict[str, Any] = settings.masked()
    for section in ("ml", "enrichment", "correlation", "escalation"):
        assert given[section] == shown[section]
    assert settings.storage.type == "postgresql"


def test_the_older_defaults_are_the_defaults() -> None:
    given: dict[str, Any] = yaml.safe_load(OLDER)
    shown = Settings().masked()
    for section in ("ml", "enrichment", "correlation", "escalation"):
        assert shown[section] == given[section]
    assert shown["deduplication"] == given["deduplication"] | {"historical_after_secs": 3600}
    assert shown["instance_id"] == given["instance_id"]


def test_channels_of_a_later_release_are_refused_with_what_to_do() -> None:
    assert refused(OLDER) == [
        f'notifications.channels[{number}].type = "{kind}" (from config.yaml): '
        "not available in this release: use webhook or log, or set enabled: false"
        for number, kind in enumerate(("email", "slack", "pagerduty"))
    ]


PROBLEMS = {
    "not a number": (
        "",
        {"GRPC_PORT": "abc"},
        'grpc.port = "abc" (from GRPC_PORT): give a whole number from 0 to 65535',
    ),
    "too large": (
        "api: {port: 70000}",
        {},
        "api.port = 70000 (from config.yaml): give a number from 0 to 65535",
    ),
    "not positive": (
        "",
        {"DATABASE_POOL_SIZE": "0"},
        'storage.pool_size = "0" (from DATABASE_POOL_SIZE): give a number from 1 to 1000',
    ),
    "half": (
        "ingest: {batch_events: 2.5}",
        {},
        "ingest.batch_events = 2.5 (from config.yaml): give a whole number from 1 to 10000",
    ),
    "not true or false": (
        "",
        {"ENABLE_ENRICHMENT": "maybe"},
        'enrichment.enabled = "maybe" (from ENABLE_ENRICHMENT): give true or false',
    ),
    "not one of the words": (
        "storage: {type: mongodb}",
        {},
        "storage.type = \"mongodb\" (from config.yaml): give 'sqlite', 'memory' or 'postgresql'",
    ),
    "no level": (
        "",
        {"LOG_LEVEL": "loud"},
        "log.level = \"loud\" (from LOG_LEVEL): give 'debug', 'info', 'warning' or 'error'",
    ),
    "no severity": (
        "notifications: {default_route: {min_severity: dire}}",
        {},
        (
            'notifications.default_route.min_severity = "dire" (from config.yaml): '
            "give P0 to P4, or critical, high, medium, low or info"
        ),
    ),
    "not text": (
        "instance_id: 7",
        {},
        "instance_id = 7 (from config.yaml): give text; put it in quotes",
    ),
    "not a section": (
        "grpc: 50051",
        {},
        "grpc = (int) (from config.yaml): give keys and values",
    ),
    "not a list": (
        "notifications: {channels: log}",
        {},
        "notifications.channels = (hidden) (from config.yaml): give a list",
    ),
    "missing": (
        "notifications: {channels: [{name: x}]}",
        {},
        "notifications.channels[0].type (from config.yaml): is missing: add it",
    ),
    "mistyped": (
        "grpc: {prot: 1}",
        {},
        "grpc.prot (from config.yaml): unknown key; did you mean grpc.port?",
    ),
    "mistyped section": (
        "storge: {type: sqlite}",
        {},
        "storge (from config.yaml): unknown key; did you mean storage?",
    ),
    "in no section": (
        "pool_size: 3",
        {},
        "pool_size (from config.yaml): unknown key; did you mean storage.pool_size?",
    ),
    "nothing like it": (
        "bus: {colour: red}",
        {},
        "bus.colour (from config.yaml): unknown key; known here: backend, shards",
    ),
    "mistyped variable": (
        "",
        {"LLM_IM__GRPC__PROT": "1"},
        "LLM_IM__GRPC__PROT: unknown key; did you mean grpc.port?",
    ),
    "one underscore": (
        "",
        {"LLM_IM_GRPC_PORT": "1"},
        "LLM_IM_GRPC_PORT: unknown variable; did you mean LLM_IM__GRPC__PORT?",
    ),
    "one underscore, then two": (
        "",
        {"LLM_IM_RETENTION__AUDIT_DAYS": "1"},
        "LLM_IM_RETENTION__AUDIT_DAYS: unknown variable; did you mean LLM_IM__RETENTION__AUDIT_DAYS?",
    ),
    "bad in a list": (
        "",
        {"LLM_IM__NOTIFICATIONS__CHANNELS": "[{"},
        "LLM_IM__NOTIFICATIONS__CHANNELS: give JSON or YAML, for instance [] or {}",
    ),
    "gap in a list": (
        "",
        {"LLM_IM__NOTIFICATIONS__CHANNELS__1__SECRET": "s"},
        (
            "LLM_IM__NOTIFICATIONS__CHANNELS__1__SECRET: there is no notifications.channels[1].secret: "
            "add the entries before it first"
        ),
    ),
    "twice": (
        "api: {}\napi: {}",
        {},
        "config.yaml: line 2, column 1: 'api' is given twice: correct the YAML there",
    ),
    "not YAML": (
        "api: [",
        {},
        ("config.yaml: line 1, column 7: expected the node content, but found '<stream end>': correct the YAML there"),
    ),
    "a list": (
        "- api",
        {},
        "config.yaml: must hold keys and values, such as `grpc:` and `  port: 50051`",
    ),
    "no file": (
        "",
        {"CONFIG_PATH": "gone.yaml"},
        "gone.yaml: No such file or directory: name a readable YAML file",
    ),
}


@pytest.mark.parametrize(("text", "env", "problem"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_names_key_value_origin_and_remedy(text: str, env: dict[str, str], problem: str) -> None:
    assert refused(text, **env) == [problem]


def test_all_problems_are_told_at_once() -> None:
    lines = refused("grpc: {prot: 1, port: x}\nstorge: {}", API_PORT="y", DATABASE_URL="mysql://h/d", RUST_LOG="loud")
    assert sorted(line.split(" ")[0].rstrip(":") for line in lines) == [
        "DATABASE_URL",
        "RUST_LOG",
        "api.port",
        "grpc.port",
        "grpc.prot",
        "storge",
    ]


def test_problems_are_values_too() -> None:
    with pytest.raises(ConfigError) as error:
        load("api: {port: x}")
    (problem,) = error.value.problems
    assert (problem.key, problem.value, problem.origin) == ("api.port", '"x"', "config.yaml")


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("storage: {type: postgresql, connection_string: 'mysql://u:hunter2@h/d'}", {}),
        ("storage: {type: postgresql, connection_string: [hunter2]}", {}),
        ("notifications: {channels: [{type: webhook, webhook_url: 'ftp://hunter2/'}]}", {}),
        ("notifications: {channels: [{type: webhook, secret: [hunter2]}]}", {}),
        ("notifications: {channels: 'https://hunter2/'}", {}),
        ("pasword: hunter2", {}),
        ("", {"DATABASE_URL": "mysql://u:hunter2@h/d"}),
        ("", {"LLM_IM__NOTIFICATIONS__CHANNELS": "[{secret: hunter2"}),
    ],
)
def test_no_problem_tells_a_secret(text: str, env: dict[str, str]) -> None:
    assert "hunter2" not in "\n".join(refused(text, **env))


def test_a_secret_may_come_from_the_environment_for_a_channel_in_the_file() -> None:
    settings = load(
        "notifications: {channels: [{type: webhook, webhook_url: 'https://h/a'}]}",
        LLM_IM__NOTIFICATIONS__CHANNELS__0__SECRET="hush",
    )
    secret = settings.notifications.channels[0].secret
    assert secret is not None
    assert secret.get_secret_value() == "hush"


def test_lists_and_maps_may_come_from_the_environment() -> None:
    settings = load(
        LLM_IM__NOTIFICATIONS__CHANNELS='[{"type": "webhook", "webhook_url": "https://h/a", "name": "ops"}]',
        LLM_IM__TRIAGE__SOURCE_DEFAULTS__PROBE="high",
        LLM_IM__INGEST__MUTES="[{name: night, labels: {team: qa}}]",
    )
    assert [channel.label for channel in settings.notifications.channels] == ["ops"]
    assert settings.triage.source_defaults == {"probe": Severity.P1}
    assert settings.ingest.mutes[0].rule().labels == {"team": "qa"}


def test_severities_are_given_in_any_spelling() -> None:
    settings = load("triage: {default_severity: SEV2}\nnotifications: {default_route: {min_severity: warning}}")
    assert (settings.triage.default_severity, settings.notifications.default_route.min_severity) == (Severity.P2,) * 2


SECRET = "postgresql://ann:hunter2@db.example.org:5432/incidents?sslpassword=hunter2"


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    settings = load(
        "notifications: {channels: [{type: webhook, webhook_url: 'https://h.example.org/hunter2', secret: hunter2}]}",
        DATABASE_URL=SECRET,
        REDIS_URL="redis://:hunter2@cache:6379",
    )
    assert "hunter2" not in json.dumps(settings.masked()) + repr(settings) + str(settings)
    assert settings.storage.connection_string is not None
    assert settings.storage.connection_string.get_secret_value() == SECRET


def test_what_is_shown_still_tells_where_things_are() -> None:
    shown: dict[str, Any] = load(DATABASE_URL=SECRET, LLM_IM__TRIAGE__DEFAULT_SEVERITY="high").masked()
    assert shown["storage"]["connection_string"] == "postgresql://**********@db.example.org:5432/incidents?**********"
    assert (shown["triage"]["default_severity"], shown["storage"]["path"]) == ("P1", "data")


def test_keys_without_effect_are_named_when_they_were_set() -> None:
    settings = load(
        "ml: {confidence_threshold: 0.9}\nescalation: {enabled: false, default_timeout_secs: 9}", REDIS_URL="redis://h"
    )
    assert settings.not_in_effect() == ("ml.confidence_threshold",)
    assert load(ENABLE_CORRELATION="true", ENABLE_ENRICHMENT="false").not_in_effect() == (
        "ml.confidence_threshold",
        "correlation.enabled",
    )


def test_nothing_set_is_nothing_without_effect() -> None:
    assert Settings().not_in_effect() == ()
