"""What each environment variable means."""

from pathlib import Path

import pytest

from llm_incident_manager import config
from llm_incident_manager.config import ConfigError, Settings, environment, schema


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(**env: str) -> Settings:
    return config.load(env)


VALUES = {
    "DATABASE_POOL_SIZE": ("7", 7),
    "DATABASE_REPLICA_URL": ("postgresql://h/d", "postgresql://h/d"),
    "REDIS_URL": ("redis://h:6379", "redis://h:6379"),
    "API_HOST": ("::1", "::1"),
    "API_PORT": ("0", 0),
    "GRPC_HOST": ("localhost", "localhost"),
    "GRPC_PORT": ("7001", 7001),
    "ALLOW_ANONYMOUS": ("true", True),
    "API_KEY_PEPPER": ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
    "API_KEY_PEPPER_FILE": ("/run/secrets/pepper", Path("/run/secrets/pepper")),
    "ENABLE_ML_CLASSIFICATION": ("false", False),
    "ENABLE_ENRICHMENT": ("0", False),
    "ENABLE_CORRELATION": ("no", False),
    "ENABLE_ESCALATION": ("OFF", False),
    "LOG_LEVEL": ("WARN", "warning"),
    "LOG_FORMAT": ("json", "json"),
    "OTEL_SERVICE_NAME": ("incidents", "incidents"),
}


def value_of(settings: Settings, path: schema.Path) -> object:
    found: object = settings
    for part in path:
        found = getattr(found, str(part))
    reveal = getattr(found, "get_secret_value", None)
    return reveal() if callable(reveal) else found


@pytest.mark.parametrize("name", environment.NAMES)
def test_a_variable_sets_its_key(name: str) -> None:
    given, expected = VALUES[name]
    needed = {"DATABASE_URL": "postgresql://h/d"} if name == "DATABASE_REPLICA_URL" else {}
    assert value_of(load(**{name: given}, **needed), environment.NAMES[name]) == expected


@pytest.mark.parametrize("name", environment.NAMES)
def test_an_empty_variable_counts_as_not_set(name: str) -> None:
    assert load(**{name: ""}) == Settings()


@pytest.mark.parametrize(
    ("url", "kind", "path"),
    [
        ("sqlite:///var/lib/incidents", "sqlite", "/var/lib/incidents"),
        ("sqlite:////var/lib/incidents", "sqlite", "/var/lib/incidents"),
        ("sqlite:///./data", "sqlite", "data"),
        ("sqlite:///../data", "sqlite", "../data"),
        ("sqlite://data", "sqlite", "data"),
        ("sqlite:data", "sqlite", "data"),
        ("sqlite::memory:", "memory", "data"),
        ("sqlite://:memory:", "memory", "data"),
        ("sqlite:///:memory:", "memory", "data"),
        ("postgresql://u:p@h/d", "postgresql", "data"),
        ("postgres://u:p@h/d?sslmode=require", "postgresql", "data"),
    ],
)
def test_the_database_is_named_by_a_url(url: str, kind: str, path: str) -> None:
    storage = load(DATABASE_URL=url).storage
    given = storage.connection_string and storage.connection_string.get_secret_value()
    assert (storage.type, storage.path, given) == (kind, Path(path), url if kind == "postgresql" else None)


def test_the_url_replaces_the_database_of_the_file() -> None:
    Path("config.yaml").write_text("storage: {type: postgresql, connection_string: 'postgresql://h/d', pool_size: 9}")
    storage = load(DATABASE_URL="sqlite::memory:").storage
    assert (storage.type, storage.connection_string, storage.pool_size) == ("memory", None, 9)


@pytest.mark.parametrize("url", ["mysql://h/d", "data", "sqlite:data?mode=ro", "://"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///path/to/directory, sqlite::memory: or postgresql://"):
        load(DATABASE_URL=url)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("debug", "debug"),
        ("WARN", "warning"),
        ("trace", "debug"),
        ("info,llm_incident_manager=debug", "debug"),
        ("llm_incident_manager=error,info", "error"),
        ("hyper=debug,sqlx=trace", "info"),
        ("warn,hyper=debug", "warning"),
    ],
)
def test_rust_log_gives_our_level(value: str, level: str) -> None:
    assert load(RUST_LOG=value).log.level == level


def test_log_level_goes_before_rust_log() -> None:
    assert load(RUST_LOG="debug", LOG_LEVEL="error").log.level == "error"


def test_a_word_in_rust_log_that_is_no_level_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'RUST_LOG = "verbose": give a level such as info'):
        load(RUST_LOG="verbose")


BASE, FULL = "http://c:4318", "http://c:4318/v1/traces"


@pytest.mark.parametrize(
    ("env", "endpoint"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE}, FULL),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE + "/"}, FULL),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"}, "http://c/x"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"}, "http://c/x"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, FULL),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "OTEL_SDK_DISABLED": "true"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "OTEL_TRACES_EXPORTER": "none"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "OTEL_TRACES_EXPORTER": "otlp"}, FULL),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None),
    ],
)
def test_tracing_is_on_where_opentelemetry_says_so(env: dict[str, str], endpoint: str | None) -> None:
    assert load(**env).traces.endpoint == endpoint


@pytest.mark.parametrize(
    ("env", "ratio"),
    [
        ({}, 1),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, 0),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_on"}, 1),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.05"}, 0.05),
    ],
)
def test_the_sampler_gives_the_ratio(env: dict[str, str], ratio: float) -> None:
    assert load(**env).traces.sample_ratio == ratio


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({"OTEL_TRACES_SAMPLER": "jaeger_remote"}, 'OTEL_TRACES_SAMPLER = "jaeger_remote": give always_on, always_off'),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            'OTEL_EXPORTER_OTLP_PROTOCOL = "grpc": only http/protobuf is spoken',
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "c:4318"},
            'traces.endpoint = "c:4318/v1/traces" (from OTEL_EXPORTER_OTLP_ENDPOINT)',
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"},
            'traces.sample_ratio = "2" (from OTEL_TRACES_SAMPLER): give a number from 0 to 1',
        ),
    ],
)
def test_tracing_that_cannot_work_is_refused(env: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(**env)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize("key", [key.name for key in schema.all_keys() if "[]" not in key.name])
def test_every_key_has_a_nested_variable(key: str) -> None:
    field = schema.find(tuple(key.split(".")))
    assert field is not None
    assert (
        schema.find(tuple(environment.variable(tuple(key.split("."))).removeprefix("LLM_IM__").lower().split("__")))
        is field
    )


@pytest.mark.parametrize("text", ['["10.0.0.0/8", "2001:db8::/32"]', "[10.0.0.0/8, '2001:db8::/32']"])
def test_a_list_is_json_or_yaml(text: str) -> None:
    networks = load(LLM_IM__LIMITS__ALLOW=text).limits.allow
    assert [str(network) for network in networks] == ["10.0.0.0/8", "2001:db8::/32"]


def test_a_list_of_words_may_have_commas_between_them() -> None:
    assert load(LLM_IM__IDENTITY__ORDER="mtls, api_key").identity.order == ("mtls", "api_key")
