"""What the settings say of TLS, made into parts."""

from collections.abc import Mapping

from llm_incident_manager.adapters.certificates import reading
from llm_incident_manager.adapters.certificates.files import CredentialFiles
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.config import Settings
from llm_incident_manager.ports.access import DeniedCertificates, KnownRoles
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.authenticators.mtls import MtlsAuthenticator
from llm_incident_manager.transport.identity import Authenticator
from llm_incident_manager.transport.readiness import Probe
from llm_incident_manager.transport.tls import ServerTls, TlsPolicy


def files(settings: Settings) -> CredentialFiles | None:
    """Where our certificate is; None without TLS."""
    tls = settings.tls
    if tls.certificate_file is None or tls.key_file is None:
        return None
    return CredentialFiles(tls.certificate_file, tls.key_file, tls.client_ca_file)


def check_files(settings: Settings) -> None:
    """Whether a server would take the files of TLS. Raises BadCredentials."""
    keeper = files(settings)
    if keeper is not None:
        keeper.read(SystemClock().now())


def server_tls(settings: Settings, metrics: Metrics) -> ServerTls | None:
    """TLS of both doors, None when there is none. Raises BadCredentials."""
    keeper, tls = files(settings), settings.tls
    if keeper is None:
        return None
    policy = TlsPolicy(tls.client_certificates, tls.minimum_version, tls.reload_secs)
    return ServerTls(policy, keeper, SystemClock(), metrics)


def probes(tls: ServerTls | None) -> Mapping[str, Probe]:
    """What readiness tells of it."""
    return {} if tls is None else {"tls": tls.check}


def authenticators(settings: Settings, denied: DeniedCertificates, roles: KnownRoles) -> tuple[Authenticator, ...]:
    """What knows who clients are by their certificates; nothing where they show none."""
    if settings.tls.client_certificates == "none":
        return ()
    return (MtlsAuthenticator(settings.tls.rules(), reading.certificate, denied, roles, SystemClock()),)
