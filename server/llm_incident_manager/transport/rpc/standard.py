"""The two services every gRPC server should have: health (who serves) and reflection (what there is)."""

from collections.abc import Sequence

from google.protobuf.descriptor_pool import DescriptorPool
from grpc.aio import Server
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

REFLECTION = reflection.SERVICE_NAME
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
Health = health.HealthServicer


def add_health(server: Server) -> Health:
    """Adds the health service, which knows a service once its status is `set`; "" is the server itself."""
    servicer = Health()
    add_HealthServicer_to_server(servicer, server)
    return servicer


def add_reflection(server: Server, services: Sequence[str], pool: DescriptorPool | None = None) -> None:
    """Adds reflection: lists these services, and describes what the pool (the process's own) knows."""
    reflection.enable_server_reflection(services, server, pool=pool)
