"""A server with every layer that asks who calls: mutual TLS, API keys, limits that refuse nobody, redaction."""

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import grpc

from bench.recorder import Spec

FOLDER = "secured"
_CLIENT = "sentinel"
_UNREACHED = {"per_minute": 100_000_000, "burst": 100_000_000}
_LAYERS: dict[str, dict[str, object]] = {
    "tls": {"client_certificates": "required"},
    "limits": {"tiers": {"standard": _UNREACHED}, "source_per_minute": 100_000_000, "tenant_per_minute": 100_000_000},
}
# All channels would share one connection.
_OWN = [("grpc.use_local_subchannel_pool", 1)]


def prepared(place: Path, env: dict[str, str]) -> tuple[str, ...]:
    """Lets `init` write configuration, certificates and a first key; adds the layers to `env`. Options of `serve`."""
    made = subprocess.run(
        [sys.executable, "-m", "llm_incident_manager", "init", str(place / FOLDER)],
        env={**os.environ, **env, "XDG_CONFIG_HOME": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"init failed: {made.stderr}")
    for section, settings in _LAYERS.items():
        for name, value in settings.items():
            env[f"LLM_IM__{section}__{name}".upper()] = value if isinstance(value, str) else json.dumps(value)
    return "--config", str(place / FOLDER / "config.yaml")


def context(papers: str) -> ssl.SSLContext | None:
    """How to speak with its HTTP port; None: plainly."""
    if not papers:
        return None
    made = ssl.create_default_context(cafile=Path(papers, "certs", "ca.pem"))
    made.load_cert_chain(*_pair(papers))
    return made


def channel(spec: Spec) -> grpc.aio.Channel:
    """A connection to what the load is put on."""
    if not spec.papers:
        return grpc.aio.insecure_channel(spec.address, _OWN)
    certificate, key = (path.read_bytes() for path in _pair(spec.papers))
    root = Path(spec.papers, "certs", "ca.pem").read_bytes()
    return grpc.aio.secure_channel(spec.address, grpc.ssl_channel_credentials(root, key, certificate), _OWN)


def metadata(spec: Spec) -> tuple[tuple[str, str], ...]:
    """What each call shows beside the certificate."""
    return (("x-api-key", Path(spec.papers, "admin.key").read_text("utf-8").strip()),) if spec.papers else ()


def _pair(papers: str) -> tuple[Path, Path]:
    return Path(papers, "certs", f"{_CLIENT}.pem"), Path(papers, "certs", f"{_CLIENT}-key.pem")
