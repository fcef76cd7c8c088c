"""Addresses to listen on (`127.0.0.1:10024`, `unix:path`) and to send to (`smtp:[host]:port`)."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from lazaret.config.problems import Unfit

_TCP = re.compile(r"(?:\[(?P<literal>[^\[\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A TCP address, or with `path` a Unix socket."""

    host: str = ""
    """An IP address or a name, without brackets; "" for a Unix socket."""
    port: int = 0
    """0 lets the system choose."""
    path: str = ""
    """Absolute once the configuration is loaded; "" for TCP."""

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Reads `host:port`, `[address]:port` or `unix:path`; Unfit with what to write instead."""
        if text.startswith("unix:"):
            return cls(path=_socket_path(text.removeprefix("unix:")))
        match = _TCP.fullmatch(text)
        if match is None:
            raise Unfit(f'"{text}" is no address; write "127.0.0.1:10024", "[::1]:10024" or "unix:path"')
        return cls(host=_host(match["literal"] or match["host"]), port=_port(match["port"]))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def below(self, directory: Path) -> "Endpoint":
        """The same, a relative socket path taken as below `directory`."""
        return replace(self, path=str(directory / self.path)) if self.path else self

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Protocol(StrEnum):
    """What is spoken with a next hop."""

    SMTP = "smtp"
    LMTP = "lmtp"


@dataclass(frozen=True, slots=True)
class NextHop:
    """Who takes the mail after us."""

    protocol: Protocol
    endpoint: Endpoint

    @classmethod
    def parse(cls, text: str) -> "NextHop":
        """Reads `smtp:[host]:port`, `lmtp:[host]:port`, `unix:/path` (LMTP) or `smtp:unix:/path`."""
        if text.startswith("unix:"):
            return cls(Protocol.LMTP, Endpoint.parse(text))
        word, _, rest = text.partition(":")
        if word not in list(Protocol) or not rest.startswith(("[", "unix:")):
            raise Unfit(f'"{text}" is no next hop; write {_likely_hop(text)}')
        endpoint = Endpoint.parse(rest)
        if not (endpoint.path or endpoint.port):
            raise Unfit(f'"{text}" has no port to connect to; write for example "{word}:[127.0.0.1]:10025"')
        return cls(Protocol(word), endpoint)

    @property
    def lmtp(self) -> bool:
        """It answers for each recipient."""
        return self.protocol is Protocol.LMTP

    def below(self, directory: Path) -> "NextHop":
        """The same, a relative socket path taken as below `directory`."""
        return replace(self, endpoint=self.endpoint.below(directory))

    def __str__(self) -> str:
        if self.endpoint.path:
            return str(self.endpoint) if self.protocol is Protocol.LMTP else f"smtp:{self.endpoint}"
        return f"{self.protocol}:[{self.endpoint.host}]:{self.endpoint.port}"


def _likely_hop(text: str) -> str:
    """What was probably meant, for the error: brackets are often forgotten."""
    bare = re.fullmatch(r"(?:(smtp|lmtp):)?\[?([A-Za-z0-9.-]+)\]?:([0-9]+)", text)
    if bare is None:
        return '"smtp:[127.0.0.1]:10025", "lmtp:[host]:port" or "unix:/path"'
    return f'"{bare[1] or "smtp"}:[{bare[2]}]:{bare[3]}"'


def _socket_path(path: str) -> str:
    if not path or "\0" in path:
        raise Unfit('a Unix socket needs a path; write for example "unix:ampdp.sock"')
    return path


def _host(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        if _NAME.fullmatch(host) and not re.fullmatch(r"[0-9.]+", host):
            return host
    raise Unfit(f'"{host}" is neither an IP address nor a host name')


def _port(digits: str) -> int:
    if int(digits) > 65535:
        raise Unfit(f"{digits} is no port; the highest is 65535")
    return int(digits)
