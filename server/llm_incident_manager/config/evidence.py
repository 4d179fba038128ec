"""What reports may take as evidence of how this server is set up. No secrets, and nothing that names a machine."""

from collections.abc import Mapping

from llm_incident_manager.config.settings import Settings
from llm_incident_manager.domain.evidence import Value


def values(settings: Settings, *, signing: bool) -> Mapping[str, Value]:
    """Settings by name. `signing`: whether checkpoints of the audit are signed."""
    kept, storage = settings.retention, settings.storage
    reaching = [each for each in settings.notifications.channels if each.enabled and each.type != "log"]
    durable = storage.type != "memory" and not storage.allow_unsafe_durability
    return {
        "identity.required": _flag(settings.asks_who_calls, "nobody is served without a credential"),
        "tls.clients": Value(_tls(settings), "on: this server speaks TLS with clients; proxy: a proxy before it does"),
        "tls.minimum_version": Value(settings.tls.minimum_version, "the oldest TLS that is spoken"),
        "audit.signed": _flag(signing, "checkpoints of the audit are signed"),
        "redaction.personal": _flag(settings.redaction.personal, "personal data are hidden before they are stored"),
        "retention.events_days": Value(str(kept.events_days), "events are kept so many days; 0 keeps them"),
        "retention.incidents_days": Value(
            str(kept.incidents_days), "incidents are kept so many days after their end; 0 keeps them"
        ),
        "retention.audit_days": Value(str(kept.audit_days), "audit records are kept so many days; 0 keeps them"),
        "storage.durable": _flag(durable, "what was acknowledged outlives a crash"),
        "notifications.channels": Value(str(len(reaching)), "so many channels reach somebody"),
    }


def silent(settings: Settings) -> frozenset[str]:
    """The names of channels that reach nobody."""
    return frozenset(each.label for each in settings.notifications.channels if each.type == "log")


def _flag(value: bool, meaning: str) -> Value:
    return Value("true" if value else "false", meaning)


def _tls(settings: Settings) -> str:
    if settings.tls.on:
        return "on"
    return "proxy" if settings.tls.terminated_by_proxy else "off"
