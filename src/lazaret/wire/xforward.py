"""XFORWARD: the MTA tells its filter who the real client is (Postfix, XFORWARD_README; xtext: RFC 3461)."""

import ipaddress
import re
from dataclasses import replace
from functools import lru_cache

from lazaret.model.envelope import Session
from lazaret.wire.paths import decode as decode_octets
from lazaret.wire.paths import encode as encode_octets

ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")
"""In the order of our EHLO keyword."""
UNAVAILABLE = "[UNAVAILABLE]"
MAX_VALUE = 255
"""Octets of a value as we send it, before xtext; Postfix takes no longer ones."""

_HEX = re.compile(rb"\+([0-9A-Fa-f]{2})")
_TO_QUOTE = re.compile(rb"[^!-*,-<>-~]")
_PLAIN = re.compile("[!-*,-<>-~]*")
"""Nothing to quote."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GROUPS = (("NAME", "ADDR", "PORT"), ("PROTO", "HELO", "IDENT", "SOURCE"))


class XforwardError(ValueError):
    """An attribute that does not exist, or a value that is none."""


def xtext_decode(text: str) -> str:
    """The value, control characters made harmless: it goes into logs, pages and header fields."""
    if "+" in text:
        text = decode_octets(_HEX.sub(lambda m: bytes((int(m[1], 16),)), encode_octets(text)))
    return text if text.isprintable() else _CONTROL.sub("?", text)


def xtext_encode(value: str) -> str:
    """`+XX` for every octet outside printable ASCII, for `+` and for `=`."""
    return _TO_QUOTE.sub(lambda m: b"+%02X" % ord(m[0]), encode_octets(value)).decode("ascii")


def apply(session: Session, argument: str) -> Session:
    """The session with the facts of one XFORWARD command. Raises XforwardError.

    Facts that are `[UNAVAILABLE]` become "": the client is unknown then, it is not our peer.
    """
    words = argument.split()
    if not words:
        raise XforwardError("no attribute")
    facts: dict[str, object] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise XforwardError(f"{name} without value")
        value = "" if text.upper() == UNAVAILABLE else xtext_decode(text)
        facts |= _facts(name.upper(), value)
    return replace(session, **facts)  # type: ignore[arg-type]  # the names are those of Session


def _facts(name: str, value: str) -> dict[str, object]:
    match name:
        case "NAME":
            return {"client_name": value}
        case "ADDR":
            return {"client_ip": _address(value), "forwarded": bool(value)}
        case "PORT":
            return {"client_port": _port(value)}
        case "PROTO":
            return {"client_protocol": value}
        case "HELO":
            return {"helo": value}
        case "IDENT":
            return {"queue_id": value}
        case "SOURCE":
            return {"source": value.upper()}
        case _:
            raise XforwardError(f"unknown attribute {name}")


@lru_cache(1024)
def _address(value: str) -> str:
    if not value:
        return ""
    bare = value[5:] if value[:5].upper() == "IPV6:" else value
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise XforwardError(f"{value} is no address") from None


def _port(value: str) -> int:
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= 65535):
        raise XforwardError(f"{value} is no port")
    return int(value)


def commands(session: Session, offered: tuple[str, ...]) -> list[bytes]:
    """The XFORWARD commands that tell `session` to a next hop that offers these attributes."""
    values = {
        "NAME": session.client_name or UNAVAILABLE,
        "ADDR": f"IPV6:{session.client_ip}" if ":" in session.client_ip else session.client_ip or UNAVAILABLE,
        "PORT": str(session.client_port or UNAVAILABLE),
        "PROTO": session.client_protocol or session.protocol or UNAVAILABLE,
        "HELO": session.helo or UNAVAILABLE,
        "IDENT": session.queue_id or UNAVAILABLE,
        "SOURCE": session.source or UNAVAILABLE,
    }
    joined = "".join(values.values())
    if len(joined) > MAX_VALUE or not _PLAIN.fullmatch(joined):
        values = {name: xtext_encode(value[:MAX_VALUE]) for name, value in values.items()}
    return [form.format_map(values).encode("ascii") for form in _forms(offered)]


@lru_cache(64)
def _forms(offered: tuple[str, ...]) -> tuple[str, ...]:
    """Two commands, because one with long names would pass the 512 octets of a command line."""
    groups = [[f"{name}={{{name}}}" for name in group if name in offered] for group in _GROUPS]
    return tuple(f"XFORWARD {' '.join(words)}\r\n" for words in groups if words)
