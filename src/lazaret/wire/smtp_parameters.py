"""The arguments of MAIL and RCPT: path and parameters (RFC 5321, RFC 1870, RFC 3461, RFC 6152, RFC 6531).

Parameters are read whether or not EHLO offered them: what the MTA says about its mail is kept, and
the relay passes on as much as the next hop takes.
"""

import re
from functools import lru_cache

from lazaret.model.envelope import Envelope, Recipient
from lazaret.model.errors import Reply
from lazaret.wire.paths import decode, parse_path

_BAD_PARAMETERS = Reply(501, "5.5.4", "Error: bad parameters")
_VISIBLE = re.compile("[!-~\u0080-\U0010ffff]+")
_DIGITS = re.compile("[0-9]{1,20}")
_SPACE = re.compile(r"[ \t]+")
_CONDITIONS = frozenset(("SUCCESS", "FAILURE", "DELAY"))


def parse_mail(argument: bytes) -> Envelope | Reply:
    """An envelope without recipients, or the reply that says what is wrong."""
    text = decode(argument)
    parsed = parse_path(text[5:]) if text[:5].upper() == "FROM:" else None
    if parsed is None:
        return Reply(501, "5.1.7", "Error: syntax: MAIL FROM:<address>")
    sender, rest = parsed
    if not rest:
        return Envelope(sender)
    values = _parameters(rest)
    if values is None:
        return _BAD_PARAMETERS
    return _envelope(sender, values)


def _envelope(sender: str, values: dict[str, str]) -> Envelope | Reply:
    size = values.pop("SIZE", "0")
    body = values.pop("BODY", "").upper()
    ret = values.pop("RET", "").upper()
    envid = values.pop("ENVID", "")
    flag = values.pop("SMTPUTF8", None)
    # The MTA names its user although we offer no AUTH (smtpd_proxy_filter does): nothing to us.
    values.pop("AUTH", None)
    if values:
        return Reply(504, "5.5.4", f"Error: MAIL parameter {next(iter(values))} is not implemented")
    if not _DIGITS.fullmatch(size) or body not in ("", "7BIT", "8BITMIME") or ret not in ("", "FULL", "HDRS"):
        return _BAD_PARAMETERS
    if flag or (envid and not _VISIBLE.fullmatch(envid)):
        return _BAD_PARAMETERS
    return Envelope(sender, (), int(size), body, flag is not None, ret, envid)


@lru_cache(1024)
def parse_rcpt(argument: bytes) -> Recipient | Reply:
    """The recipient, or the reply that says what is wrong. A site's recipients come again and again."""
    text = decode(argument)
    parsed = parse_path(text[3:]) if text[:3].upper() == "TO:" else None
    if parsed is None or not parsed[0]:
        return Reply(501, "5.1.3", "Error: syntax: RCPT TO:<address>")
    address, rest = parsed
    if not rest:
        return Recipient(address)
    values = _parameters(rest)
    if values is None:
        return _BAD_PARAMETERS
    notify = values.pop("NOTIFY", "").upper()
    orcpt = values.pop("ORCPT", "")
    if values:
        return Reply(555, "5.5.4", f"Error: RCPT parameter {next(iter(values))} is not recognized")
    if (notify and not _is_notify(notify)) or (orcpt and not _is_orcpt(orcpt)):
        return _BAD_PARAMETERS
    return Recipient(address, notify, orcpt)


def _parameters(text: str) -> dict[str, str] | None:
    """Keyword in upper case -> value; None when one stands twice or holds what is not visible."""
    values: dict[str, str] = {}
    for word in _SPACE.split(text.strip(" \t")):
        keyword, _, value = word.partition("=")
        keyword = keyword.upper()
        if keyword in values or not _VISIBLE.fullmatch(word):
            return None
        values[keyword] = value
    return values


def _is_notify(value: str) -> bool:
    return value == "NEVER" or _CONDITIONS.issuperset(value.split(","))


def _is_orcpt(value: str) -> bool:
    kind, semicolon, address = value.partition(";")
    return bool(kind and semicolon and address)
