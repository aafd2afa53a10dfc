"""TLS beside the usual: authorities of one's own to trust, a certificate to show."""

import ssl
from pathlib import Path

from msgspec import Struct
from pyreqwest.client import ClientBuilder
from runtime.settings import SettingsError


class Tls(Struct, frozen=True, kw_only=True):
    """PEM: `authorities` to trust beside the public ones, `identity` to show to endpoints that ask."""

    authorities: bytes | None = None
    identity: bytes | None = None

    def apply(self, builder: ClientBuilder) -> ClientBuilder:
        """Have a client trust the authorities and show the identity."""
        if self.authorities is not None:
            builder = builder.add_root_certificate_pem(self.authorities)
        if self.identity is not None:
            builder = builder.identity_pem(self.identity)
        return builder


def read_tls(ca_file: str, certificate_file: str) -> Tls:
    """Read the two files, either of which may be "". Raises SettingsError, which names the variable."""
    tls = Tls(
        authorities=read_pem("WEBHOOK_CA_FILE", ca_file),
        identity=read_pem("WEBHOOK_CERTIFICATE_FILE", certificate_file),
    )
    try:
        if tls.authorities is not None:
            # pyreqwest takes a file without a certificate for one, and trusts nobody more.
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=tls.authorities.decode())
    except (ssl.SSLError, ValueError):
        raise SettingsError("WEBHOOK_CA_FILE has no certificates in PEM") from None
    try:
        Tls(identity=tls.identity).apply(ClientBuilder()).build()
    except ValueError:
        raise SettingsError("WEBHOOK_CERTIFICATE_FILE has no certificate and its key in PEM") from None
    return tls


def read_pem(variable: str, path: str) -> bytes | None:
    """Return the file's content, None where no file is named. Raises SettingsError."""
    try:
        return Path(path).read_bytes() if path else None
    except OSError as error:
        raise SettingsError(f"{variable} cannot be read: {error.strerror}") from None
