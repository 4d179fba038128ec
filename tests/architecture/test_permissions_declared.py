"""Every method says who may call it: one that does not breaks the build."""

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from incidentmanager.v1 import admin_service_pb2, incident_service_pb2, options_pb2

from tools import contract


def described(*files: FileDescriptorProto) -> FileDescriptorSet:
    return FileDescriptorSet(file=files)


def test_every_method_declares_its_permission() -> None:
    assert contract.permissions() == 0


def test_a_method_without_a_permission_is_told_by_name() -> None:
    planted = FileDescriptorProto(name="planted.proto", package="planted.v1", syntax="proto3")
    service = planted.service.add(name="PlantedService")
    service.method.add(name="Forgotten", input_type=".x.A", output_type=".x.B")
    declared = service.method.add(name="Declared", input_type=".x.A", output_type=".x.B")
    declared.options.Extensions[options_pb2.permission] = options_pb2.PERMISSION_SELF_READ
    assert contract.undeclared(described(planted)) == ["planted.v1.PlantedService/Forgotten"]


def test_an_option_that_is_taken_away_is_missed() -> None:
    file = FileDescriptorProto()
    incident_service_pb2.DESCRIPTOR.CopyToProto(file)
    assert contract.undeclared(described(file)) == []
    file.service[0].method[0].options.ClearExtension(options_pb2.permission)
    assert contract.undeclared(described(file)) == ["incidentmanager.v1.IncidentService/CreateIncident"]


def test_planned_methods_declare_theirs_as_well() -> None:
    file = FileDescriptorProto()
    admin_service_pb2.DESCRIPTOR.CopyToProto(file)
    assert len(file.service[0].method) > 20
    assert contract.undeclared(described(file)) == []
