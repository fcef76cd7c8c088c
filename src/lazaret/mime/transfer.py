"""What did the sender encode? Base64 and quoted-printable (RFC 2045, section 6), damaged ones too."""

import binascii
import re

import pybase64

from lazaret.mime import kernel

_BLANKS = b" \t\n\r\f\v"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_JUNK = bytes(octet for octet in range(256) if octet not in _ALPHABET + b"=")
_PADDING_AS_0 = bytes.maketrans(b"=", b"A")
_PADDING_AS_63 = bytes.maketrans(b"=", b"/")

_TRAILING_BLANKS = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")
"""The look-behind lets each run of blanks be tried once only."""
_SOFT_BREAK = re.compile(rb"=\r?\n")
"""Taken out in one pass, so that what comes together does not become a soft break."""
_STRAY_EQUALS = re.compile(rb"=(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")


def decode(octets: bytes, encoding: str) -> bytes:
    """Takes off the transfer encoding; an unknown one is left as it is. Line ends stay as they come out."""
    if encoding == "quoted-printable":
        return quoted_printable(octets)
    if encoding == "base64":
        return base64(octets)
    return octets


def base64(octets: bytes) -> bytes:
    """Every octet that can be saved: junk is skipped, a lone last character dropped."""
    text = octets.translate(None, _BLANKS)
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return _damaged_base64(text)


def _damaged_base64(text: bytes) -> bytes:
    """Padding inside counts as a digit: as 0 in text that is else clean, as 63 in other text."""
    clean = text.translate(None, _JUNK)
    inner = _PADDING_AS_0 if len(clean) == len(text) and len(text) % 4 == 0 else _PADDING_AS_63
    clean = clean.rstrip(b"=").translate(inner)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return pybase64.b64decode(clean + b"A" * (-len(clean) % 4), validate=True)[: len(clean) * 3 // 4]


def quoted_printable(octets: bytes) -> bytes:
    """Soft breaks and trailing blanks go; an equals sign that begins no escape stays."""
    return kernel.text.quoted_printable(octets) if kernel.text else _quoted_printable(octets)


def _quoted_printable(octets: bytes) -> bytes:
    text = octets
    if any(blank in octets for blank in (b" \n", b"\t\n", b" \r", b"\t\r")):
        text = _TRAILING_BLANKS.sub(b"", octets)
    if b"=" not in text:
        return text
    if b"==" in text:
        text = _SOFT_BREAK.sub(b"", text)
    else:
        text = text.replace(b"=\r\n", b"").replace(b"=\n", b"")
    if _STRAY_EQUALS.search(text):
        return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode("ascii")), text)
    return binascii.a2b_qp(text)
