"""Prints the table of all settings, for the manual."""

import sys

from llm_incident_manager.config import reference

sys.stdout.write(reference.table() + "\n")
