"""The messages of the bus and of dead letters; use them as `pb.DeadLetter` and so on."""

from incidentmanager.v1.admin_service_pb2 import (
    BusTopic,
    DeadLetter,
    DeadLetterFilter,
    DeadLetterIds,
    DeadLetterSelection,
    DropDeadLettersRequest,
    DropDeadLettersResponse,
    GetBusStatusRequest,
    GetBusStatusResponse,
    GetDeadLetterRequest,
    GetDeadLetterResponse,
    ListDeadLettersRequest,
    ListDeadLettersResponse,
    ReplayDeadLettersRequest,
    ReplayDeadLettersResponse,
)

__all__ = [
    "BusTopic",
    "DeadLetter",
    "DeadLetterFilter",
    "DeadLetterIds",
    "DeadLetterSelection",
    "DropDeadLettersRequest",
    "DropDeadLettersResponse",
    "GetBusStatusRequest",
    "GetBusStatusResponse",
    "GetDeadLetterRequest",
    "GetDeadLetterResponse",
    "ListDeadLettersRequest",
    "ListDeadLettersResponse",
    "ReplayDeadLettersRequest",
    "ReplayDeadLettersResponse",
]
