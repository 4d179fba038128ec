"""Every method and every field of a request has a place in the matrices: a new one breaks the build until it has."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from llm_incident_manager.domain.access import PERMISSIONS, ROLES
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.translate import incidents
from tests.support.access import assignment, filling, isolation, payloads

CORPUS = payloads.corpus()


def test_every_field_of_a_resource_is_set_by_the_caller_or_by_the_server() -> None:
    for _, resource in assignment.resources():
        assert resource.message_type is not None
        known = set(resource.message_type.fields_by_name)
        assert known - filling.SERVER_SET - {"id", "etag"} == set(incidents.EDITABLE)


def test_a_permission_that_no_role_has_would_lock_a_method_away() -> None:
    used = {method.permission for method in methods.all_methods()}
    assert used <= set(PERMISSIONS) == set().union(*ROLES.values())


def test_every_method_has_a_place() -> None:
    assert {isolation.placed(method) for method in methods.all_methods()} >= {"named", "found", "made"}


def test_a_request_that_names_something_new_is_refused_a_place() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="planted.proto", package="planted", syntax="proto3")
    message = file.message_type.add(name="Request")
    message.field.add(name="runbook_id", number=1, type=9, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    with pytest.raises(LookupError, match="runbook_id"):
        list(filling.ids_in(pool.FindMessageTypeByName("planted.Request")))


def test_the_corpus_is_large_and_has_no_repeats() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 400
    assert max(map(len, CORPUS)) <= 128, "also a label's key takes it"
