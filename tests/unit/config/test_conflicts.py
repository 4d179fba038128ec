"""Settings that are right one by one and wrong together."""

import pytest
import yaml
from pydantic import ValidationError

from llm_incident_manager import config
from llm_incident_manager.config import Settings
from llm_incident_manager.config.settings import conflicts
from llm_incident_manager.domain.access import PERMISSIONS
from llm_incident_manager.domain.destinations import is_loopback
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import TARGETS, Target
from llm_incident_manager.domain.time import HOUR, MINUTE, SECOND


def problems(**sections: object) -> list[str]:
    return [str(problem) for problem in conflicts(Settings.model_validate(sections))]


OPEN = {"allow_anonymous": True}
ASK = (
    "anybody who reaches this address could read and change incidents: let `llm-incident-manager init` write a "
    "configuration with identity.required, certificates and a key; or use 127.0.0.1; or set ALLOW_ANONYMOUS=true "
    "if a proxy or firewall decides who gets here"
)


def test_the_defaults_have_no_conflict() -> None:
    assert problems() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_a_loopback_address_needs_no_leave(host: str) -> None:
    assert is_loopback(host)
    assert problems(api={"host": host}, grpc={"host": host}) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "192.0.2.1", "example.org", "localhost.example.org", ""])
def test_any_other_address_needs_leave(host: str) -> None:
    assert problems(api={"host": host}) == [f'api.host = "{host}": {ASK}']
    assert problems(grpc={"host": host}) == [f'grpc.host = "{host}": {ASK}']


def test_with_leave_the_reachable_addresses_are_known() -> None:
    settings = Settings.model_validate({"api": {"host": "0.0.0.0"}, "grpc": {"host": "::1"}, "identity": OPEN})
    assert list(conflicts(settings)) == []
    assert settings.exposed() == ("api 0.0.0.0:3000",)


CASES = {
    "a WebSocket that is silent must have had a heartbeat": (
        {"websocket": {"timeout_secs": 30}},
        "websocket.timeout_secs = 30.0: give more than websocket.heartbeat_secs (30), better twice as much",
    ),
    "an origin has no path": (
        {"websocket": {"allowed_origins": ["https://example.com/console"]}},
        (
            'websocket.allowed_origins = "https://example.com/console": give scheme, host and port only: '
            "https://console.example.com or http://localhost:8080"
        ),
    ),
    "a bus on Redis needs to know where Redis is": (
        {"bus": {"backend": "redis"}},
        'bus.backend = "redis": it needs redis.url or REDIS_URL: redis://host:6379; or set bus.backend to database',
    ),
    "postgresql needs to know where": (
        {"storage": {"type": "postgresql"}},
        (
            'storage.type = "postgresql": postgresql needs storage.connection_string or DATABASE_URL: '
            "postgresql://user:password@host/database"
        ),
    ),
    "a connection string is for postgresql": (
        {"storage": {"connection_string": "postgresql://h/d"}},
        (
            'storage.type = "sqlite": a connection string is for postgresql: set storage.type to postgresql, '
            "or leave the string out"
        ),
    ),
    "a connection string of another database": (
        {"storage": {"type": "postgresql", "connection_string": "mysql://h/d"}},
        "storage.connection_string = (hidden): give postgresql://user:password@host/database",
    ),
    "a replica of a database that has none": (
        {"storage": {"replica_url": "postgresql://h/d"}},
        "storage.replica_url = (hidden): sqlite has no replicas: leave it out",
    ),
    "a replica that is another database": (
        {"storage": {"type": "postgresql", "connection_string": "postgresql://h/d", "replica_url": "mysql://h/d"}},
        "storage.replica_url = (hidden): give postgresql://user:password@host/database",
    ),
    "a lock that outlasts its statement": (
        {
            "storage": {
                "type": "postgresql",
                "connection_string": "postgresql://h/d",
                "statement_timeout_secs": 3,
                "lock_timeout_secs": 3.5,
            }
        },
        (
            "storage.lock_timeout_secs = 3.5: a statement ends after storage.statement_timeout_secs, "
            "which is 3: give at most that"
        ),
    ),
    "one port for two": (
        {"api": {"port": 7000}, "grpc": {"port": 7000}},
        "grpc.port = 7000: api.port is the same: give them different ports",
    ),
    "a batch larger than the buffer": (
        {"ingest": {"batch_events": 500, "buffer_events": 400, "stream_credits": 100, "max_frame_events": 100}},
        "ingest.buffer_events = 400: give at least ingest.batch_events, which is 500",
    ),
    "more credits than buffer": (
        {"ingest": {"stream_credits": 20_001}},
        "ingest.buffer_events = 20000: give at least ingest.stream_credits, which is 20001",
    ),
    "a frame larger than the credits": (
        {"ingest": {"stream_credits": 999}},
        "ingest.stream_credits = 999: give at least ingest.max_frame_events, which is 1000",
    ),
    "a webhook to nowhere": (
        {"notifications": {"channels": [{"type": "webhook"}]}},
        "notifications.channels[0].webhook_url: a webhook needs a URL that starts with https:// or http://",
    ),
    "a webhook to something else": (
        {"notifications": {"channels": [{"type": "webhook", "webhook_url": "http://h:99999/"}]}},
        "notifications.channels[0].webhook_url = (hidden): a webhook needs a URL that starts with https:// or http://",
    ),
    "two channels of one name": (
        {
            "notifications": {
                "channels": [{"type": "log"}, {"type": "webhook", "name": "log", "webhook_url": "http://h/"}]
            }
        },
        'notifications.channels[1].name = "log": another enabled channel has this name: give each its own',
    ),
    "traces to something else": (
        {"traces": {"endpoint": "collector:4318"}},
        'traces.endpoint = "collector:4318": give a URL such as http://localhost:4318/v1/traces',
    ),
}


@pytest.mark.parametrize(("sections", "problem"), CASES.values(), ids=CASES)
def test_what_does_not_go_together_is_named(sections: dict[str, object], problem: str) -> None:
    assert problems(**sections) == [problem]


WEBHOOK = "notifications.channels[0].webhook_url = (hidden): "
ADD = "is not a public address: add it to outbound.allow if the server may connect to it"
TO_THIS_MACHINE = {
    "127.0.0.1": f"127.0.0.1 {ADD}",
    "[::1]": f"::1 {ADD}",
    "localhost": f"localhost {ADD}",
    "169.254.169.254": f"169.254.169.254 {ADD}",
    "0x7f000001": "write 0x7f000001 as four numbers with dots between them",
    "user:pass@example.org": (
        "leave user and password out of the URL: a receiver checks the signature instead, see `secret`"
    ),
}


@pytest.mark.parametrize(("host", "remedy"), TO_THIS_MACHINE.items(), ids=TO_THIS_MACHINE)
def test_a_webhook_to_where_nobody_may_connect_stops_the_start(host: str, remedy: str) -> None:
    told = {"channels": [{"type": "webhook", "webhook_url": f"http://{host}:8080/hook"}]}
    assert problems(notifications=told) == [WEBHOOK + remedy]


@pytest.mark.parametrize(
    ("host", "allow"), [("127.0.0.1", "127.0.0.0/8"), ("localhost", "localhost"), ("[::1]", "::1")]
)
def test_a_webhook_to_this_machine_needs_leave(host: str, allow: str) -> None:
    told = {"channels": [{"type": "webhook", "webhook_url": f"http://{host}/hook"}]}
    assert problems(notifications=told, outbound={"allow": allow}) == []


def test_without_public_addresses_the_settings_name_each_host() -> None:
    told = {"channels": [{"type": "webhook", "webhook_url": "http://8.8.8.8/hook"}]}
    remedy = "8.8.8.8 is not named: add it to outbound.allow if the server may connect to it"
    assert problems(notifications=told, outbound={"public": False}) == [WEBHOOK + remedy]


def test_who_asks_everybody_may_listen_everywhere() -> None:
    given = {"api": {"host": "0.0.0.0"}, "identity": {"required": True}, "tls": {"terminated_by_proxy": True}}
    settings = Settings.model_validate(given)
    assert (list(conflicts(settings)), settings.exposed()) == ([], ())


def test_nobody_can_be_asked_and_not_asked() -> None:
    remedy = "identity.required refuses whoever shows no credential: leave one of the two out"
    found = problems(identity={"required": True, "allow_anonymous": True})
    assert found == [f"identity.allow_anonymous = true: {remedy}"]


ISSUER = {"issuer": "https://login.example.com", "audience": "incidents", "tenant": "default"}
CLEAR = "keys that come in clear text can be anybody's: give a URL that starts with https://"
PLAIN = "give a URL without user, password and fragment, such as https://login.example.com"
ISSUERS = {
    "clear text": (
        {"issuer": "http://login.example.com"},
        f'issuer = "http://login.example.com": {CLEAR}',
    ),
    "no URL": (
        {"issuer": "login.example.com"},
        f'issuer = "login.example.com": {PLAIN}',
    ),
    "a password": (
        {"jwks_uri": "https://a:b@login.example.com/keys"},
        f'jwks_uri = "https://a:b@login.example.com/keys": {PLAIN}',
    ),
    "not a public address": (
        {"jwks_uri": "https://10.0.0.1/keys"},
        f'jwks_uri = "https://10.0.0.1/keys": 10.0.0.1 {ADD}',
    ),
    "no tenant": (
        {"tenant": ""},
        'tenant = "": its callers need one tenant: give either tenant, such as default, or tenant_claim',
    ),
    "two tenants": (
        {"tenant_claim": "org"},
        'tenant = "default": its callers need one tenant: give either tenant, such as default, or tenant_claim',
    ),
    "an unknown permission": (
        {"scopes": {"write": ["EVENTS_WRITE"]}},
        f'scopes.write = "EVENTS_WRITE": give some of {", ".join(PERMISSIONS)}',
    ),
    "a role that cannot be one": (
        {"roles": {"sre": "On Call"}},
        'roles.sre = "On Call": give a role, such as responder',
    ),
}


@pytest.mark.parametrize(("change", "problem"), ISSUERS.values(), ids=ISSUERS)
def test_an_issuer_that_cannot_be_trusted_stops_the_start(change: dict[str, object], problem: str) -> None:
    assert problems(identity={"issuers": [ISSUER | change]}) == [f"identity.issuers[0].{problem}"]


def test_a_good_issuer_is_no_problem_and_one_on_this_machine_needs_leave() -> None:
    assert problems(identity={"issuers": [ISSUER]}) == []
    local = [ISSUER | {"issuer": "http://127.0.0.1:8080"}]
    assert len(problems(identity={"issuers": local})) == 1
    assert problems(identity={"issuers": local}, outbound={"allow": ["127.0.0.1"]}) == []


def test_an_issuer_is_listed_once() -> None:
    assert problems(identity={"issuers": [ISSUER, ISSUER]}) == [
        'identity.issuers[1].issuer = "https://login.example.com": it is listed before: leave one of them out'
    ]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "rs256", ""])
def test_an_algorithm_without_a_public_key_is_no_choice(algorithm: str) -> None:
    identity = f"identity: {{issuers: [{{issuer: 'https://a', audience: b, tenant: c, algorithm: '{algorithm}'}}]}}"
    with pytest.raises(ValidationError, match=r"RS256.*EdDSA"):
        Settings.model_validate(yaml.safe_load(identity))


def test_a_channel_that_is_off_is_not_looked_at() -> None:
    off = [{"type": "webhook", "enabled": False}, {"type": "slack", "enabled": False}, {"type": "log"}]
    assert problems(notifications={"channels": off}) == []


def test_free_ports_do_not_collide() -> None:
    assert problems(api={"port": 0}, grpc={"port": 0}) == []


def test_promises_are_by_severity_in_any_word_and_the_others_keep_theirs() -> None:
    sla = {"acknowledge_secs": {"critical": 60, "P1": 0}, "resolve_secs": {"P0": 90.5}}
    assert problems(sla=sla) == []
    targets = Settings.model_validate({"sla": sla}).sla.targets()
    assert targets[Severity.P0] == Target(MINUTE, 90 * SECOND + SECOND // 2)
    assert targets[Severity.P1] == Target(None, HOUR)
    assert targets[Severity.P2] == TARGETS[Severity.P2]


@pytest.mark.parametrize(
    ("sla", "key"),
    [
        ({"acknowledge_secs": {"urgentish": 1}}, "sla.acknowledge_secs.urgentish"),
        ({"resolve_secs": {"P0": 1000, "critical": 1000}}, "sla.resolve_secs"),
        ({"resolve_secs": {"P0": 299}}, "sla.resolve_secs.P0"),
        ({"resolve_secs": {"P4": 0}}, "sla.resolve_secs.P4"),
    ],
)
def test_promises_that_cannot_be_meant_are_refused(sla: object, key: str) -> None:
    (problem,) = problems(sla=sla)
    assert problem.startswith(f"{key} = ")


@pytest.mark.parametrize("url", ["sqlite:///data", "sqlite::memory:"])
def test_workers_need_a_database_for_several_processes(url: str) -> None:
    with pytest.raises(
        config.ConfigError, match=r"workers = .*is for one process: use postgresql, or leave workers out"
    ):
        config.load({"DATABASE_URL": url, "LLM_IM__WORKERS": "2"})


def test_workers_share_the_connections_and_each_needs_two() -> None:
    env = {"DATABASE_URL": "postgresql://localhost/im", "DATABASE_POOL_SIZE": "7", "LLM_IM__WORKERS": "4"}
    with pytest.raises(config.ConfigError, match=r"storage\.pool_size = .*4 workers share them: give at least 8"):
        config.load(env)
    settings = config.load({**env, "DATABASE_POOL_SIZE": "9"})
    second = settings.of_worker(2)
    assert (second.instance_id, second.storage.pool_size, second.workers) == ("standalone-001-w2", 2, 4)
    assert config.load({"DATABASE_URL": "postgresql://localhost/im", "DATABASE_POOL_SIZE": "1"}).workers == 1
