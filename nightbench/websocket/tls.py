"""How wss:// connections are protected: one context for all of them, made from the plan's options."""

from __future__ import annotations

import ssl
from pathlib import Path

from nightbench.errors import ConfigurationError
from nightbench.files import read_file
from nightbench.plan.conversation import TlsOptions


def tls_context(options: TlsOptions) -> ssl.SSLContext:
    """The context of all connections of a load test.

    Raises:
        ConfigurationError: A file of the options cannot be read, or does not hold what it should.
    """
    for field in ("ca_file", "certificate_file", "key_file"):
        name = getattr(options, field)
        if name is not None:  # OpenSSL reads it by its name, and to its end
            read_file(name, f"tls.{field}", most=_MOST_BYTES, way_out="give the path of a PEM file")
    context = _trusting(options.ca_file)
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    _show_certificate(context, options)
    return context


_MOST_BYTES = 16 * 2**20


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name).expanduser()


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=_path(ca_file))
    except ssl.SSLError:
        raise ConfigurationError(
            "tls.ca_file", ca_file, "holds no certificate", "give a PEM file with the authority's certificate"
        ) from None


def _show_certificate(context: ssl.SSLContext, options: TlsOptions) -> None:
    certificate = _path(options.certificate_file)
    if certificate is None:
        return
    try:
        context.load_cert_chain(certificate, _path(options.key_file), password=_refuse)
    except _EncryptedKeyError:
        raise ConfigurationError(
            "tls.key_file" if options.key_file else "tls.certificate_file",
            options.key_file or options.certificate_file,
            "its key is encrypted",
            "give a key without a passphrase, as `openssl pkey` writes it",
        ) from None
    except ssl.SSLError as error:
        raise ConfigurationError(
            "tls.certificate_file",
            options.certificate_file,
            _CHAIN_PROBLEMS.get(error.reason, "holds no certificate and key"),
            "give PEM files of a certificate and its own key, the key in tls.key_file or in the same file",
        ) from None


class _EncryptedKeyError(Exception):
    pass


def _refuse() -> str:
    raise _EncryptedKeyError  # rather than to ask at the terminal


_CHAIN_PROBLEMS = {"KEY_VALUES_MISMATCH": "the key is of another certificate"}
