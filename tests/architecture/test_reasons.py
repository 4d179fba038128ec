"""The reasons of the contract, of the domain and of the transport are the same, and each has its status codes."""

import json
import re

import pytest
from google.rpc import code_pb2
from incidentmanager.v1 import error_reason_pb2

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.transport import errors
from tests.support import beside
from tools import shell

CASES = beside.FOLDER / "cases" / "grpc_http" / "status_mapping.json"
PROTO = shell.ROOT / "proto" / "incidentmanager" / "v1" / "error_reason.proto"
# Comment and name of a value: its comment begins with the code, and with the HTTP status where that is another.
VALUE = re.compile(
    r"// ([A-Z_]+)(?: with RetryInfo)?(?: \(HTTP ([\d or]+)\))?\..*\n(?:  //.*\n)*  ERROR_REASON_([A-Z_]+) ="
)
DOCUMENTED = {name: (code, http) for code, http, name in VALUE.findall(PROTO.read_text("utf-8"))}


def in_contract() -> set[str]:
    return {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name} - {
        "UNSPECIFIED"
    }


def test_contract_and_domain_have_the_same_reasons() -> None:
    assert in_contract() == {reason.name for reason in ErrorReason}


def test_a_reason_is_sent_by_its_name() -> None:
    assert {reason.name: reason.value for reason in ErrorReason} == {name: name for name in in_contract()}


def test_every_reason_has_a_code() -> None:
    assert set(errors.CODES) == set(ErrorReason)


def test_every_reason_is_documented_with_its_code() -> None:
    assert DOCUMENTED.keys() == in_contract()


@pytest.mark.parametrize("reason", ErrorReason)
def test_a_reason_has_the_codes_its_comment_in_the_contract_names(reason: ErrorReason) -> None:
    code, http = DOCUMENTED[reason]
    status = errors.status_error(DomainError(reason, "told"))
    assert status.code == code
    usual = errors.http_of_code(status.status.code)
    assert str(status.http_status) in (http.split(" or ") if http else [str(usual)])


def test_codes_map_to_the_http_status_the_gateways_agree_on() -> None:
    beside.needs(CASES)
    cases = [case for case in json.loads(CASES.read_text("utf-8"))["cases"] if "grpc_code" in case]
    assert cases
    expected = {case["grpc"]: case["expect_http"] for case in cases}
    assert {name: errors.http_of_code(code_pb2.Code.Value(name)) for name in expected} == expected


def test_every_code_has_an_http_status_and_an_unknown_one_counts_as_a_defect() -> None:
    assert set(code_pb2.Code.values()) == set(errors._HTTP_OF_CODE)
    assert errors.http_of_code(999) == 500
