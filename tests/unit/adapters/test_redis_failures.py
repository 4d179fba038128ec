"""Which errors of a client say that Redis is gone, and which are defects of ours."""

import pytest
from redis import exceptions

from llm_incident_manager.adapters.redis.failures import GONE, why_gone

CLOSED = "unable to perform operation on <TCPTransport closed=True reading=False 0x5596da89c7f0>; the handler is closed"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(RuntimeError(CLOSED), "the connection failed", id="uvloop, between an end and its notice"),
        pytest.param(RuntimeError("Event loop is closed"), "", id="any other mistake in a coroutine"),
        pytest.param(exceptions.ConnectionError("reset"), "the connection failed", id="a reset"),
        pytest.param(TimeoutError(), "no answer in time", id="silence"),
        pytest.param(exceptions.ResponseError("WRONGTYPE of a key"), "", id="a command that is refused"),
        pytest.param(exceptions.ResponseError("OOM command not allowed"), "it has no memory left", id="no memory"),
    ],
)
def test_an_error_says_whether_redis_is_gone(error: Exception, why: str) -> None:
    assert isinstance(error, GONE)
    assert why_gone(error) == why
