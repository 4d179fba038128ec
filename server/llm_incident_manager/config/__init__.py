"""What the operator decides: one frozen tree of settings, one section for each word of the vocabulary.

`load` reads defaults, config.yaml and the environment, later ones winning, and refuses to give anything back while a
single key is unknown or a single value is unusable. It opens no connection and creates no file.
"""

from llm_incident_manager.config.loading import load
from llm_incident_manager.config.problems import ConfigError, Problem
from llm_incident_manager.config.settings import Settings

__all__ = ["ConfigError", "Problem", "Settings", "load"]
