"""Rich errors become exceptions of their own; channels keep secrets off the wire."""

import grpc
import pytest
from google.protobuf import any_pb2, message
from google.rpc import error_details_pb2, status_pb2

from llm_incident_client import ChannelOptions, Tls, errors
from llm_incident_client.core import channel

Code = grpc.StatusCode


def rpc_error(code: grpc.StatusCode, *details: message.Message, raw: bytes | None = None) -> grpc.aio.AioRpcError:
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    status = status_pb2.Status(code=code.value[0], message="m", details=packed)
    trailer = (("grpc-status-details-bin", raw if raw is not None else status.SerializeToString()),)
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailer), details="m")


def info(reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain="incidentmanager", metadata=metadata)


@pytest.mark.parametrize(("code", "reason", "kind"), [
    (Code.FAILED_PRECONDITION, "ILLEGAL_TRANSITION", errors.IllegalTransition),
    (Code.ABORTED, "STALE_ETAG", errors.StaleEtag),
    (Code.ABORTED, "PRODUCER_FENCED", errors.ProducerFenced),
    (Code.ALREADY_EXISTS, "FINGERPRINT_TAKEN", errors.FingerprintTaken),
    (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", errors.RequestIdReused),
    (Code.NOT_FOUND, "NOT_FOUND", errors.NotFound),
    (Code.UNAVAILABLE, "STORE_UNAVAILABLE", errors.Unavailable),
    (Code.RESOURCE_EXHAUSTED, "OVERLOADED", errors.Overloaded),
    (Code.UNIMPLEMENTED, "NOT_AVAILABLE", errors.NotAvailable),
    (Code.INTERNAL, "INTERNAL", errors.IncidentManagerError),
])  # fmt: skip
def test_each_common_reason_has_its_exception(code: grpc.StatusCode, reason: str, kind: type[Exception]) -> None:
    error = errors.from_rpc(rpc_error(code, info(reason, state="CLOSED")))
    assert type(error) is kind
    assert (error.code, error.reason, error.metadata) == (code, reason, {"state": "CLOSED"})


def test_every_bad_field_is_named() -> None:
    bad = error_details_pb2.BadRequest()
    for name in ("event.title", "event.source"):
        bad.field_violations.add(field=name, description=f"{name} is empty")
    error = errors.from_rpc(rpc_error(Code.INVALID_ARGUMENT, info("INVALID_FIELD"), bad))
    assert isinstance(error, errors.InvalidRequest)
    assert [violation.field for violation in error.violations] == ["event.title", "event.source"]


def test_retry_info_is_in_seconds() -> None:
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    assert errors.from_rpc(rpc_error(Code.UNAVAILABLE, info("DRAINING"), retry)).retry_after == 1.5


def test_a_damaged_trailer_still_leaves_code_and_message() -> None:
    error = errors.from_rpc(rpc_error(Code.UNAVAILABLE, raw=b"\xff\xff"))
    assert (error.reason, error.message, type(error)) == ("", "m", errors.Unavailable)


def test_a_reason_of_another_domain_is_not_ours() -> None:
    foreign = error_details_pb2.ErrorInfo(reason="STALE_ETAG", domain="example.com")
    assert errors.from_rpc(rpc_error(Code.ABORTED, foreign)).reason == ""


@pytest.mark.parametrize(("address", "local"), [
    ("localhost:50051", True), ("127.0.0.1:1", True), ("[::1]:50051", True), ("unix:/run/x.sock", True),
    ("10.0.0.7:50051", False), ("incidents.example.com:443", False), ("localhost.example.com:1", False),
])  # fmt: skip
def test_loopback_addresses_are_told_from_others(address: str, local: bool) -> None:
    assert channel.is_loopback(address) is local


def test_a_secret_does_not_cross_a_network_in_clear_text() -> None:
    with pytest.raises(ValueError, match=r"clear text: give tls"):
        ChannelOptions("incidents.example.com:50051", api_key="k")
    ChannelOptions("incidents.example.com:50051", api_key="k", tls=Tls())
    ChannelOptions("localhost:50051", api_key="k")


def test_a_secret_is_not_printed() -> None:
    options = ChannelOptions("localhost:1", api_key="s3cret", tls=Tls(private_key=b"s3cret", certificate_chain=b"c"))
    assert "s3cret" not in repr(options)


def test_half_a_client_certificate_and_two_identities_are_refused() -> None:
    with pytest.raises(ValueError, match="both or neither"):
        Tls(private_key=b"k")

    async def token() -> str:
        return "t"

    with pytest.raises(ValueError, match="one of them"):
        ChannelOptions(api_key="k", bearer=token)


async def test_the_identity_travels_as_metadata() -> None:
    async def token() -> str:
        return "t0ken"

    assert await channel.identity(ChannelOptions(api_key="k")) == (("x-api-key", "k"),)
    assert await channel.identity(ChannelOptions(bearer=token)) == (("authorization", "Bearer t0ken"),)
    assert await channel.identity(ChannelOptions()) == ()
