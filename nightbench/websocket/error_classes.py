"""What went wrong with a connection, as a class in the ledger."""

from __future__ import annotations

import errno
import socket
import ssl

_CERTIFICATE_CLASSES = {
    9: "tls_certificate_not_yet_valid",
    10: "tls_certificate_expired",
    62: "tls_wrong_host",
    64: "tls_wrong_host",  # an address instead of a name
}
"""By OpenSSL's X509_V_ERR_… codes (x509_vfy.h); every other one means that nobody vouches for the server."""

_OPENING_CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "connect_timeout"),
    (socket.gaierror, "connect_unknown_host"),
    (ConnectionRefusedError, "connection_refused"),
    (EOFError, "handshake_closed"),
    (ConnectionError, "handshake_reset"),
)
_LOSS_CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLError, "tls_error"),
    (ConnectionError, "connection_reset"),
    (TimeoutError, "connection_timed_out"),  # what was sent was never acknowledged
)
ABNORMAL_CLOSURE = "close_1006"


class ConnectionFailedError(Exception):
    """A connection that could not be opened; `error` is its class in the ledger."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def opening_class(error: Exception) -> str:
    """The class of what kept a connection from being opened."""
    if isinstance(error, ConnectionFailedError):
        return error.error
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_CLASSES.get(error.verify_code, "tls_untrusted")
    if isinstance(error, ssl.SSLError):
        return "tls_error"
    for kind, name in _OPENING_CLASSES:
        if isinstance(error, kind):
            return name
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return f"connect_{errno.errorcode[error.errno].lower()}"
    return f"connect_{type(error).__name__.lower()}"


def loss_class(error: Exception | None) -> str:
    """The class of the loss of an open connection whose socket ended, with this error or none."""
    for kind, name in _LOSS_CLASSES:
        if isinstance(error, kind):
            return name
    return ABNORMAL_CLOSURE
