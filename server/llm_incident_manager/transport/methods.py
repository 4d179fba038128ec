"""The methods of the contract as their descriptors declare them: shapes, permission, success status."""

from dataclasses import dataclass, replace
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from incidentmanager.v1 import (
    admin_service_pb2,
    analytics_service_pb2,
    audit_service_pb2,
    edge_agent_service_pb2,
    governance_service_pb2,
    incident_service_pb2,
    ingest_service_pb2,
    options_pb2,
)

_FILES = (
    ingest_service_pb2,
    incident_service_pb2,
    analytics_service_pb2,
    audit_service_pb2,
    governance_service_pb2,
    admin_service_pb2,
    edge_agent_service_pb2,
)


_WHO_AM_I = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"].methods_by_name["WhoAmI"]


@dataclass(frozen=True, slots=True)
class Method:
    """One method. `permission` is the contract's word without prefix; empty where being known is enough."""

    descriptor: MethodDescriptor
    service: str
    name: str
    permission: str
    success_status: int
    request_streaming: bool
    response_streaming: bool
    request: type[Message]
    response: type[Message]

    @property
    def full_name(self) -> str:
        """package.Service/Method, as gRPC spells its path without the leading slash."""
        return f"{self.service}/{self.name}"


def graphql() -> Method:
    """A GraphQL request as a whole, which is no method of the contract and needs no permission: it asks who calls, and
    its fields call methods."""
    return replace(_method(_WHO_AM_I), service="graphql", name="GraphQL", permission="")


def services() -> tuple[ServiceDescriptor, ...]:
    """The services of the contract."""
    pool = descriptor_pool.Default()
    names = (service.full_name for file in _FILES for service in file.DESCRIPTOR.services_by_name.values())
    return tuple(pool.FindServiceByName(name) for name in names)


def all_methods() -> tuple[Method, ...]:
    """Every method of every service. Raises ValueError for one that declares no permission."""
    return tuple(_method(descriptor) for service in services() for descriptor in service.methods)


def _method(descriptor: MethodDescriptor) -> Method:
    options: Any = descriptor.GetOptions()  # extensions are typed by their own registry
    number = options.Extensions[options_pb2.permission]
    if number == options_pb2.PERMISSION_UNSPECIFIED:
        raise ValueError(f"{descriptor.full_name} declares no permission: add (permission) to its proto")
    return Method(
        descriptor=descriptor,
        service=descriptor.containing_service.full_name,
        name=descriptor.name,
        permission=options_pb2.Permission.Name(number).removeprefix("PERMISSION_"),
        success_status=options.Extensions[options_pb2.success_status] or 200,
        request_streaming=descriptor.client_streaming,
        response_streaming=descriptor.server_streaming,
        request=message_factory.GetMessageClass(descriptor.input_type),
        response=message_factory.GetMessageClass(descriptor.output_type),
    )
