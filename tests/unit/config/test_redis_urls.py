"""Redis URLs: what each form means, and what is said about one that means nothing. No refusal repeats the URL."""

from pathlib import Path

import pytest

from llm_incident_manager.config import redis_urls
from llm_incident_manager.config.redis_urls import Kind, RedisTarget

GOOD = {
    "redis://cache": RedisTarget(Kind.SINGLE, (("cache", 6379),)),
    "redis://:p%40ss@cache:7000/3": RedisTarget(Kind.SINGLE, (("cache", 7000),), password="p@ss", database=3),
    "redis://app:x@[::1]:7000/": RedisTarget(Kind.SINGLE, (("::1", 7000),), username="app", password="x"),
    "rediss://cache": RedisTarget(Kind.SINGLE, (("cache", 6379),), tls=True),
    "redis+sentinel://a,b:1/mymaster": RedisTarget(Kind.SENTINEL, (("a", 26379), ("b", 1)), master="mymaster"),
    "redis+sentinel://:x@a/m/2": RedisTarget(Kind.SENTINEL, (("a", 26379),), password="x", master="m", database=2),
    "redis+sentinel://a/m?sentinel_password=y": RedisTarget(
        Kind.SENTINEL, (("a", 26379),), master="m", options={"sentinel_password": "y"}
    ),
    "redis+cluster://a:1,b": RedisTarget(Kind.CLUSTER, (("a", 1), ("b", 6379))),
    "rediss+cluster://a/0": RedisTarget(Kind.CLUSTER, (("a", 6379),), tls=True),
}


@pytest.mark.parametrize(("url", "target"), GOOD.items(), ids=GOOD)
def test_a_url_says_which_servers_and_how_they_belong_together(url: str, target: RedisTarget) -> None:
    assert redis_urls.parse(url) == target
    assert redis_urls.wrong(url) == ""


HOST = "each host needs a name and may have a port from 1 to 65535"
NUMBER = "the path ends with the number of the database"
BAD = {
    "http://h": "give redis://",
    "redis:h": "give redis://",
    "redis+other://h": "give redis://",
    "redis+://h": "give redis://",
    "unix:///run/redis.sock": "give redis://",
    "redis://": HOST,
    "redis://:hunter2@": HOST,
    "redis://h:0": HOST,
    "redis://h:65536": HOST,
    "redis://h:6379:1": HOST,
    "redis://h:²": HOST,
    "redis+cluster://a,,b": HOST,
    "redis://hunter2@h": "a password stands behind a colon",
    "redis://a,b": "several hosts are for",
    "redis://h/x": NUMBER,
    "redis://h/1/2": NUMBER,
    "redis://h/-1": NUMBER,
    "redis+sentinel://h": "behind the sentinels stands the master's name",
    "redis+sentinel://h/": "behind the sentinels stands the master's name",
    "redis+sentinel://h/m/x": NUMBER,
    "redis+cluster://h/1": "a cluster has only database 0",
    "redis://h?hunter2=1": "an option behind the question mark is unknown; none is known here",
    "rediss://h?ssl_verify=no": "an option behind the question mark is unknown; known here: ssl_ca_certs",
    "redis://h?ssl_ca_certs=/ca.pem": "options that start with ssl_ are for rediss://",
    "rediss://h?ssl_cert_reqs=maybe": "ssl_cert_reqs must be none, optional or required",
    "rediss://h?ssl_check_hostname=0": "ssl_check_hostname must be true or false",
    "rediss://h?ssl_ca_certs=/no/such/file": "there is no file where ssl_ca_certs says",
}


@pytest.mark.parametrize(("url", "remedy"), BAD.items(), ids=BAD)
def test_a_wrong_url_is_answered_with_the_remedy(url: str, remedy: str) -> None:
    told = redis_urls.wrong(url)
    assert told.startswith(remedy)
    assert "hunter2" not in told


def test_tls_options_reach_the_connection(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    url = f"rediss://h?ssl_ca_certs={tmp_path}/ca.pem&ssl_check_hostname=false"
    assert redis_urls.wrong(url) == ""
    assert redis_urls.parse(url).tls_options == {
        "ssl_ca_certs": f"{tmp_path}/ca.pem",
        "ssl_check_hostname": False,
    }


def test_a_certificate_that_nobody_asks_for_needs_no_name() -> None:
    assert redis_urls.parse("rediss://h?ssl_cert_reqs=none").tls_options == {
        "ssl_cert_reqs": "none",
        "ssl_check_hostname": False,
    }


def test_a_target_does_not_show_its_secrets() -> None:
    assert "hunter2" not in repr(redis_urls.parse("redis+sentinel://:hunter2@h/m?sentinel_password=hunter2"))
