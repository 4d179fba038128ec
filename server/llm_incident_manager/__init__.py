"""The LLM Incident Manager server: events in, incidents out, somebody told."""

__version__ = "0.2.0"
