"""Certificates of our own listeners: that one cannot be used is said at the start, not to a client."""

import ssl
from pathlib import Path

from lazaret.config.options import Config
from lazaret.config.problems import EX_CONFIG
from lazaret.model.errors import UserError


def certified(option: str, certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """A server's context; None without a certificate. UserError (78) when it or its key cannot be used."""
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # A key with a password would be asked for on the terminal, which a service has none of.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ssl.SSLError, ValueError) as e:
        raise UserError(f"{option} = {certificate}: {e}", EX_CONFIG) from e
    return context


def starttls_context(config: Config) -> ssl.SSLContext | None:
    """What STARTTLS uses."""
    return certified("listen.tls_certificate", config.listen.tls_certificate, config.listen.tls_key)


def check_page_certificate(config: Config) -> None:
    """UserError (78) when the page could not speak TLS."""
    certified("web.tls_certificate", config.web.tls_certificate, config.web.tls_key)
