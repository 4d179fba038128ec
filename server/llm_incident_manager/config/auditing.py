"""The audit trail: who signs for it, and where that is kept."""

from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.values import FilePath, Section


class Audit(Section):
    """How the audit trail is proven. Records themselves are always kept."""

    signing_key_file: FilePath | None = None
    """Ed25519 key (PEM) that signs checkpoints; `sqlite` makes one in `storage.path`, otherwise they are off."""
    former_keys: tuple[FilePath, ...] = ()
    """Keys that signed earlier; their public halves are enough."""
    export_directory: FilePath | None = None
    """Where checkpoints are also kept, best on another medium; with `sqlite` `checkpoints` in `storage.path`."""
    checkpoint_records: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000
    """A checkpoint is made after so many new records of a tenant …"""
    checkpoint_secs: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    """… or so many seconds after the last one, when there is anything new."""
