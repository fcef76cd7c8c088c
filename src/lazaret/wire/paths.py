"""Addresses in MAIL FROM and RCPT TO as they stand on the wire (RFC 5321, section 4.1.2; RFC 6531).

What an MTA may hand us is taken as it is: the local part is its receiver's business, octets beyond
ASCII are taken with or without SMTPUTF8 (the MTA has accepted that mail already; to refuse it here
would bounce it). Refused are only control characters, unquoted blanks and brackets, because the
next hop could read them as the end of the address or of the command.
"""

import re

_CTL = r"\x00-\x1f\x7f"
_QUOTED = rf'"(?>(?:[^{_CTL}"\\]++|\\[^{_CTL}])*)"'
_ADDRESS = rf'(?>(?:[^{_CTL} <>"\\]++|\\[^{_CTL}]|{_QUOTED})*)'
_SENDABLE = re.compile(_ADDRESS)
_PATH = re.compile(rf"[ \t]*(?:<({_ADDRESS})>|({_ADDRESS}))(?:[ \t]+|$)")
_ROUTE = re.compile(r'@[^:"<>]*:')


def parse_path(text: str) -> tuple[str, str] | None:
    """(address, what follows it) of the text after `FROM:` or `TO:`; None when there is no address.

    Blanks before the path and a path without brackets are taken, as Postfix takes them. A source
    route (`@a,@b:user@c`) is stripped (RFC 5321, section 4.1.1.3).
    """
    match = _PATH.match(text)
    if match is None or not match[0].strip():
        return None
    address = match[1] if match[1] is not None else match[2]
    if address.startswith("@"):
        address = _ROUTE.sub("", address, count=1)
    return address, text[match.end() :]


def is_sendable(address: str) -> bool:
    """Whether it can stand between `<` and `>` without being read as anything else."""
    return _SENDABLE.fullmatch(address) is not None


def decode(octets: bytes) -> str:
    """Octets of a command as text; what is not UTF-8 survives as surrogate escapes."""
    return octets.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The inverse of `decode`; other lone surrogates, which no octets stand for, become `?`."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
