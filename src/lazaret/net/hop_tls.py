"""Whether and how a connection to a next hop is put under TLS (RFC 3207; the words are Postfix's)."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lazaret.config.endpoint import NextHop
from lazaret.config.words import RelayTls
from lazaret.model.errors import UserError


@dataclass(frozen=True, slots=True)
class HopTls:
    """TLS where it is offered; with `required` nothing goes without."""

    context: ssl.SSLContext
    required: bool = False

    def wanted(self, hop: NextHop) -> bool:
        """Not for what stays on this machine, unless it is required; never over a Unix socket."""
        return _wanted(hop, self.required)


def hop_tls(wish: RelayTls, authorities: Path | None, hops: Iterable[NextHop]) -> HopTls | None:
    """What `relay.tls` and `relay.tls_ca` ask for; None when no hop wants it.

    UserError (78) when the authorities cannot be read.
    """
    required = wish not in (RelayTls.NONE, RelayTls.MAY)
    if wish is RelayTls.NONE or not any(_wanted(hop, required) for hop in hops):
        return None
    if wish is RelayTls.VERIFY:
        try:
            return HopTls(ssl.create_default_context(cafile=authorities), required)
        except OSError as e:
            raise UserError(f"relay.tls_ca = {authorities}: {e}", 78) from e
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HopTls(context, required)


def _wanted(hop: NextHop, required: bool) -> bool:
    return not hop.endpoint.path and (required or not hop.endpoint.loopback)
