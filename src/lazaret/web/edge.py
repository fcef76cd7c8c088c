"""Before any page: is this request for us, who asks, and by which way did it come?

What X-Forwarded-For, -Proto and -Host say counts from the peers in `web.proxies` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lazaret.config.options import Config
from lazaret.model.network import NetworkSet

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
OPEN_TO_ALL = ("/healthz", "/readyz", "/metrics")
"""Asked by machines, which know an address and no name; nothing in them is secret."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a request came."""

    remote: str
    """The address of whoever asks."""
    secure: bool
    """It came over TLS."""
    host: str
    """The name that was asked for, with its port."""
    prefix: str


class Edge:
    """Lets in what is for us, and notes in `scope["way"]` how it came."""

    def __init__(self, application: ASGIApp, config: Config, hostname: str) -> None:
        self._application = application
        self._proxies = NetworkSet(str(n) for n in config.web.proxies)
        self._hosts = frozenset(h.lower() for h in (*_LOOPBACK_NAMES, hostname, *config.web.hosts))
        self._prefix = config.web.prefix
        self._only_proxies = bool(config.listen.http and not config.listen.http.loopback) and (
            config.web.tls_certificate is None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else "127.0.0.1"
        behind_proxy = peer in self._proxies
        way = self._way(scope, headers, peer, behind_proxy)
        path = scope["path"]
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            path = path[len(self._prefix) :] or "/"
        refusal = ""
        if self._only_proxies and not behind_proxy and not ip_address(peer).is_loopback:
            refusal = "This page is reached through its proxy.\n"
        elif path not in OPEN_TO_ALL and not self._known(way.host, scope):
            refusal = "There is no page under this name; web.hosts lists the names there are.\n"
        if refusal:
            await PlainTextResponse(refusal, 421)(scope, receive, send)
            return
        await self._application(dict(scope) | {"path": path, "way": way}, receive, send)

    def _way(self, scope: Scope, headers: Mapping[str, str], peer: str, behind_proxy: bool) -> Way:
        remote, secure, host = peer, scope["scheme"] == "https", headers.get("host", "")
        if behind_proxy:
            remote = self._forwarded_for(headers.get("x-forwarded-for", ""), peer)
            secure = headers.get("x-forwarded-proto", "").strip().lower() == "https"
            host = headers.get("x-forwarded-host", "").rpartition(",")[2].strip() or host
        return Way(remote, secure, host.lower(), self._prefix)

    def _forwarded_for(self, field: str, peer: str) -> str:
        """The last address in the field that is no proxy of ours: whatever stands before it is hearsay."""
        for piece in reversed(field.split(",")[-20:]):
            try:
                address = str(ip_address(piece.strip()))
            except ValueError:
                return peer
            if address not in self._proxies:
                return address
            peer = address
        return peer

    def _known(self, host: str, scope: Scope) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name in self._hosts:
            return True
        server = scope.get("server")
        return server is not None and name.strip("[]") == server[0]
