"""Where a database server is and how to log in there: `mysql://USER@HOST:PORT/DATABASE?OPTION=…`."""

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from lazaret.model.errors import StoreUnavailable, UserError
from lazaret.store.connection import DatabaseError, Fault
from lazaret.store.database import EX_CONFIG, EX_NOINPUT, Database

CONNECT_S = 5.0
"""How long a server may take to answer a new connection."""
ANSWER_S = 30.0
"""How long a statement may take; longer than any lock is waited for."""

_PORTS = {"mysql": 3306, "postgresql": 5432}
_OPTIONS = ("socket", "tls", "tls_ca", "tls_cert", "tls_key")
_TLS = ("off", "on", "verify-ca", "verify")


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a server."""

    scheme: str
    host: str
    port: int
    user: str
    database: str
    socket: str = ""
    """The Unix socket (PostgreSQL: or its directory) instead of host and port."""
    tls: str = "off"
    """"on" encrypts, "verify-ca" asks for a certificate of a known authority, "verify" also for the name."""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """As in the URL, without options."""
        place = self.socket or f"{self.host}:{self.port}"
        return f"{self.scheme}://{self.user}@{place}/{self.database}"

    @property
    def place(self) -> str:
        return self.socket or f"{self.host} port {self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        """How the connection is encrypted; None when it is not. UserError when a file is not to be had."""
        if self.tls == "off":
            return None
        try:
            context = ssl.create_default_context(cafile=self.tls_ca or None)
            if self.tls_cert:
                context.load_cert_chain(self.tls_cert, self.tls_key or None)
        except OSError as error:
            files = " ".join(filter(None, (self.tls_ca, self.tls_cert, self.tls_key)))
            raise UserError(f"store.url: TLS with {files}: {error.strerror or error}", EX_CONFIG) from error
        context.check_hostname = self.tls == "verify"
        if self.tls == "on":
            context.verify_mode = ssl.CERT_NONE
        return context


class NoDatabase(StoreUnavailable):
    """The server is there, the database is not."""


@dataclass(frozen=True, slots=True)
class ServerDatabase(Database):
    """A database on a server, as far as the servers are alike."""

    server: Server
    data_dir: Path
    errors = (DatabaseError,)
    is_local = False

    @property
    def name(self) -> str:
        return self.server.name

    @property
    def directory(self) -> Path:
        return self.data_dir

    def create(self) -> None:
        """The tables are ours to make; database, user and rights are for whoever runs the server."""
        self.require()

    def require(self) -> None:
        try:
            self.connect().close()
        except NoDatabase as error:
            raise UserError(str(error), EX_NOINPUT) from error

    def place(self) -> str:
        return self.server.name

    def fault(self, error: Exception) -> Fault:
        return error.fault if isinstance(error, DatabaseError) else Fault.WORK

    def cause(self, error: Exception) -> str:
        return str(error)

    def no_answer(self, reason: str) -> DatabaseError:
        """Nobody is there."""
        return DatabaseError(
            Fault.DOWN, f"the server at {self.server.place} does not answer ({reason}): does it run?"
        )

    def require_version(self, product: str, found: tuple[int, ...], oldest: tuple[int, ...]) -> None:
        """UserError when the server is older than what Lazaret is tested with."""
        if found < oldest:
            has, needs = (".".join(map(str, version)) for version in (found, oldest))
            raise UserError(f"database {self.name}: {product} {has} is too old, Lazaret needs {needs}")


def parse(url: str, password: str) -> Server:
    """The server of a URL. UserError with EX_CONFIG names what cannot be."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := options.keys() - set(_OPTIONS):
        raise UserError(
            f"store.url: {sorted(unknown)[0]!r} is no option; there are {', '.join(_OPTIONS)}", EX_CONFIG
        )
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise UserError(f"store.url names no database; write {parts.scheme}://USER@HOST/DATABASE", EX_CONFIG)
    host = unquote(parts.hostname or "localhost")
    socket = options.get("socket", "")
    # What leaves this machine is encrypted unless somebody says otherwise.
    tls = options.get("tls", "off" if socket or _is_here(host) else "on")
    if tls not in _TLS:
        raise UserError(f"store.url: tls={tls} is not known; it is one of {', '.join(_TLS)}", EX_CONFIG)
    return Server(
        scheme=parts.scheme,
        host=host,
        port=parts.port or _PORTS[parts.scheme],
        user=unquote(parts.username or "lazaret"),
        database=database,
        socket=socket,
        tls=tls,
        tls_ca=options.get("tls_ca", ""),
        tls_cert=options.get("tls_cert", ""),
        tls_key=options.get("tls_key", ""),
        password=password or unquote(parts.password or ""),
    )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
