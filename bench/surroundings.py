"""What a figure depends on beside the program: the machine, who else uses it, and the server's configuration."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw
import grpc
import psutil

from llm_incident_manager import config
from llm_incident_manager.config.settings import NOT_YET

_PLACES = (("api", "port"), ("grpc", "port"), ("storage", "path"), ("storage", "connection_string"))


def machine(folder: Path) -> dict[str, Any]:
    """The machine and the versions that matter; `folder` is where data will lie."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total >> 20,
        "system": f"{platform.system()} {platform.release()}",
        "filesystem": _filesystem(folder),
        "python": platform.python_version(),
        "grpc": grpc.__version__,
        "sqlite": apsw.sqlite_lib_version(),
    }


def configuration(env: Mapping[str, str]) -> dict[str, Any]:
    """Which features a server with this environment has on, and a hash of all settings but places."""
    settings = config.load(env)
    shown: dict[str, Any] = settings.masked()
    for section, key in _PLACES:
        shown[section].pop(key, None)
    shown.pop("instance_id", None)
    text = json.dumps(shown, sort_keys=True)
    features: dict[str, Any] = {
        "channels": [channel.label for channel in settings.notifications.channels if channel.enabled],
        "fingerprints": settings.deduplication.fingerprint_enabled,
        "traces": settings.traces.endpoint is not None,
    }
    switches = {
        name: section["enabled"]
        for name, section in shown.items()
        if isinstance(section, dict) and "enabled" in section
    }
    features |= {name: on for name, on in switches.items() if name not in NOT_YET}
    return {"features": features, "config_hash": hashlib.sha256(text.encode()).hexdigest()[:16]}


def busy_seconds() -> float:
    """Processor seconds that anybody has used since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def load_average() -> float:
    """Processes that ran or wanted to, over the last minute."""
    return round(os.getloadavg()[0], 2)


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _filesystem(folder: Path) -> str:
    mounted = [part for part in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(part.mountpoint)]
    return max(mounted, key=lambda part: len(part.mountpoint)).fstype if mounted else "unknown"
