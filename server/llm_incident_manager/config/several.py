"""Several processes on one database."""

from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.values import Section


class Processes(Section):
    """How the processes of a deployment know of each other; for `postgresql`."""

    lease_secs: Annotated[float, Field(ge=2, le=30)] = 15.0
    """A process that was not heard of for so long is taken for dead, and others take its work; the same for all."""
