"""How wss:// connections are protected: one context for all of them, made from the plan's options."""

from __future__ import annotations

import ssl
from pathlib import Path

from nightbench.errors import ConfigurationError
from nightbench.plan.conversation import TlsOptions


def tls_context(options: TlsOptions) -> ssl.SSLContext:
    """The context of all connections of a load test.

    Raises:
        ConfigurationError: A file of the options cannot be read, or does not hold what it should.
    """
    for setting, name in (
        ("tls.ca_file", options.ca_file),
        ("tls.certificate_file", options.certificate_file),
        ("tls.key_file", options.key_file),
    ):
        if name is not None:
            _check_readable(setting, name)
    context = _trusting(options.ca_file)
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    _show_certificate(context, options)
    return context


def _check_readable(setting: str, name: str) -> None:
    try:
        with Path(name).open("rb"):
            pass
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigurationError(setting, name, why, "give the path of a PEM file") from None


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise ConfigurationError(
            "tls.ca_file", ca_file, "holds no certificate", "give a PEM file with the authority's certificate"
        ) from None


def _show_certificate(context: ssl.SSLContext, options: TlsOptions) -> None:
    if options.certificate_file is None:
        if options.key_file is not None:
            raise ConfigurationError(
                "tls.key_file",
                options.key_file,
                "a key without its certificate",
                "set tls.certificate_file too",
            )
        return
    try:
        context.load_cert_chain(options.certificate_file, options.key_file, password=_refuse)
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
