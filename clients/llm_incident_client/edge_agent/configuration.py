"""The configuration that the manager pushes: checked as a whole, applied or refused as a whole, kept over restarts."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent import disk

_NAME = "configuration.json"

Setting = Callable[[str | None], Callable[[], None]]
"""Takes a setting's text (None: back to the agent's own), raises ValueError when it is wrong, gives what applies it."""


class Configuration:
    """The last one that was applied, and how to apply the next."""

    def __init__(self, folder: Path, settings: Mapping[str, Setting]) -> None:
        """`settings` by name are all that may be pushed."""
        self.version = ""
        self.telemetry_seconds: float | None = None
        self._folder = folder
        self._settings = settings

    def load(self) -> None:
        """Applies again what was applied last; forgets it when this program does not take it any more."""
        try:
            stored = json.loads((self._folder / _NAME).read_text("utf-8"))
            self._change(stored["settings"])
        except (FileNotFoundError, ValueError, KeyError):
            return
        self.version, self.telemetry_seconds = stored["version"], stored["telemetry_seconds"]

    def apply(self, pushed: msg.EdgeAgentConfiguration) -> msg.ConfigurationApplied:
        """Applies it and says so, or says why it does not. Raises OSError when it cannot be kept."""
        try:
            self._change(pushed.settings)
        except ValueError as error:
            return msg.ConfigurationApplied(version=pushed.version, error=str(error)[:1000])
        seconds = pushed.telemetry_interval.ToNanoseconds() / 1e9
        self.version = pushed.version
        self.telemetry_seconds = seconds if seconds > 0 else None
        kept = {"version": self.version, "settings": dict(pushed.settings), "telemetry_seconds": self.telemetry_seconds}
        disk.replace(self._folder / _NAME, json.dumps(kept).encode())
        return msg.ConfigurationApplied(version=pushed.version)

    def _change(self, texts: Mapping[str, str]) -> None:
        if unknown := sorted(set(texts) - set(self._settings)):
            known = ", ".join(sorted(self._settings)) or "none"
            raise ValueError(f"{', '.join(unknown)}: unknown settings; this agent takes {known}")
        changes = []
        for name, setting in self._settings.items():
            try:
                changes.append(setting(texts.get(name)))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        for change in changes:
            change()
