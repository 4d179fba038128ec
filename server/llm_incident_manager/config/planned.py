"""Sections that are accepted but change nothing yet, so that a configuration written for later keeps working."""

from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.values import Count, Ratio, Seconds, Section


class Ml(Section):
    """Classification of severity by a model."""

    enabled: bool = True
    """Judge new incidents by a model as well."""
    confidence_threshold: Ratio = 0.7
    """Below this the rules decide alone."""
    model_path: str = "./models"
    """Directory of the models."""
    auto_train: bool = True
    """Train when enough feedback has come."""
    training_batch_size: Count = 100
    """How much feedback is enough."""


class Enrichment(Section):
    """Context from the history, the service catalogue and the teams."""

    enabled: bool = True
    """Add context to new incidents."""
    enable_historical: bool = True
    """Look for similar incidents."""
    enable_service: bool = True
    """Look up the service."""
    enable_team: bool = True
    """Look up the team."""
    timeout_secs: Seconds = 10.0
    """Time all sources together have."""
    cache_ttl_secs: Seconds = 300.0
    """How long an answer is kept."""
    async_enrichment: bool = True
    """Ask the sources side by side."""
    max_concurrent: Count = 5
    """Most sources asked at once."""
    similarity_threshold: Ratio = 0.5
    """How alike a similar incident is."""


class Correlation(Section):
    """Groups of incidents that belong together."""

    enabled: bool = True
    """Look for groups."""
    time_window_secs: Seconds = 300.0
    """How far apart incidents of a group may be."""
    min_incidents: Annotated[int, Field(ge=2, le=1_000)] = 2
    """The smallest group."""
    max_group_size: Annotated[int, Field(ge=2, le=10_000)] = 50
    """The largest group."""
    enable_source: bool = True
    """Compare sources."""
    enable_type: bool = True
    """Compare types."""
    enable_similarity: bool = True
    """Compare texts."""
    enable_tags: bool = True
    """Compare labels."""
    enable_service: bool = True
    """Compare services."""


class Escalation(Section):
    """What happens when nobody acts."""

    enabled: bool = True
    """Escalate."""
    default_timeout_secs: Seconds = 300.0
    """Time a level has to act unless its policy says otherwise."""
