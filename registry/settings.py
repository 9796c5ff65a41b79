"""The settings of a registry server. Each is declared here, once; see `registry.setting`.

`registry.configuration` reads them from flags, the environment and a file.
"""

from dataclasses import dataclass, fields
from functools import cache

from registry.errors import SettingsError
from registry.logs import LogFormat, LogLevel
from registry.model import CompatibilityLevel
from registry.registry import Limits
from registry.setting import Setting, setting

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a registry server runs. The fields say themselves what they are.

    Raises SettingsError.
    """

    host: str = setting("127.0.0.1", "the address to listen on", form="ADDRESS")
    port: int = setting(8081, "the port to listen on", least=1, most=65535)
    store: str = setting(
        "sqlite:///fivebyte.db",
        "where the schemas are kept: sqlite:///RELATIVE, sqlite:////ABSOLUTE, "
        "redis://[USER:PASSWORD@]HOST:PORT/DB (rediss:// for TLS), or memory:, which forgets",
        form="URL",
    )
    compatibility: CompatibilityLevel = setting(
        CompatibilityLevel.BACKWARD, "the level where none is set by the API"
    )
    workers: int = setting(1, "processes to serve with; they share the store", least=1, most=256)
    threads: int = setting(8, "requests that a process handles at once", least=1, most=1024)
    max_schema_bytes: int = setting(
        _LIMITS.schema_bytes, "the longest schema text, in bytes of UTF-8", least=1, most=2**31
    )
    max_references: int = setting(
        _LIMITS.references, "the schemas that one may need, directly or not", least=0, most=100_000
    )
    max_versions: int = setting(
        _LIMITS.versions, "the versions of a subject, soft-deleted ones counted", least=1, most=2**31 - 1
    )
    max_body_bytes: int = setting(16 * 1024 * 1024, "the longest request body, in bytes", least=1, most=2**31)
    mode_mutability: bool = setting(True, "whether modes can be changed by the API")
    log_format: LogFormat = setting(LogFormat.TEXT, "how a line of the server's log is written")
    log_level: LogLevel = setting(
        LogLevel.WARNING, "the least that the server's log tells; INFO has a line for each request"
    )
    validate_new_schemas: bool = setting(
        True, "whether names and default values of new schemas must be right, where no config says"
    )
    validate_fields: bool = setting(
        False, "whether fields that metadata reserve are looked after, where no config says"
    )
    incompatible_error_code: int = setting(
        409,
        "the error_code of an incompatible schema: 409, or 40901 as newer servers say",
        choices=(409, 40901),
    )
    tls_certificate: str | None = setting(
        None, "a PEM file with the server's certificate and those above it: makes it HTTPS", form="FILE"
    )
    tls_key: str | None = setting(
        None, "the PEM file with the certificate's key, in PKCS#8 and not encrypted", form="FILE"
    )
    tls_client_ca: str | None = setting(
        None, "a PEM file of roots: clients must show a certificate from one of them", form="FILE"
    )

    def __post_init__(self) -> None:
        for declared in declared_settings():
            value = getattr(self, declared.name)
            try:
                checked = declared.check(value)
            except SettingsError as fault:
                raise SettingsError(f"{declared.name}={declared.show(value)}: {fault}") from None
            object.__setattr__(self, declared.name, checked)
        if disagreement := self._disagreement():
            raise SettingsError(disagreement)

    def _disagreement(self) -> str | None:
        """What is wrong with settings that are right one by one; their names come as ``name=value``."""
        if self.workers > 1 and self.store.startswith("memory:"):
            return (
                f"workers={self.workers} with store={self.store} would be as many registries; "
                "give one worker, or a store that processes can share (sqlite:///PATH, redis://HOST)"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            given, other = "tls_certificate", "tls_key"
            if self.tls_key is not None:
                given, other = other, given
            return f"{given}={getattr(self, given)} is of no use without {other}; give both"
        if self.tls_client_ca is not None and self.tls_certificate is None:
            return (
                f"tls_client_ca={self.tls_client_ca} is of no use without TLS; "
                "give tls_certificate and tls_key as well"
            )
        return None


@cache
def declared_settings() -> tuple[Setting, ...]:
    """All settings, in the order in which they are declared."""
    return tuple(Setting.of(declared) for declared in fields(Settings))
