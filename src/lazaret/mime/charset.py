"""Which characters do these octets mean? UTF-8 where valid, the declared charset, Windows-1252.

The order is SpamAssassin's (normalize_charset 1): rules are written against its outcome.
"""

import codecs
import re
from functools import lru_cache
from typing import NamedTuple

from lazaret.mime import japanese

_ASCII_NAMES = re.compile(r"(?:(?:US-)?ASCII|ANSI[_ ]?X3\.4-(?:1986|1968)|ISO646-US)\Z", re.I)
_ASCII_SUPERSETS = re.compile(
    r"(?:ISO[ -]?8859(?:-\d{1,2})?|Windows-\d{4}|UTF-?8|(?:KOI8|EUC)-[A-Z]{1,2}|Big5|GBK"
    r"|GB[ -]?18030(?:-20\d\d)?)\Z",
    re.I,
)
_DECLARED_ASCII = re.compile(r"(?:US-)?ASCII\Z", re.I)
_UTF16 = re.compile(r"UTF[ -]?16", re.I)
_WINDOWS_1252 = re.compile(r"(?:ISO-?8859-1|Windows-1252|CP1252)\Z", re.I)
_NAME = re.compile(r"[\w.:+ -]{1,40}\Z", re.A)

_FAMILIES = [
    (re.compile(pattern, re.I), codec)
    for pattern, codec in (
        (r"\bGB[-_ ]?2312(?!-?raw)|euc.*cn\Z|cn.*euc\Z", "gb2312"),
        (r"GB[ -]?18030(?:-20\d\d)?\Z|gbk\Z", "gbk"),
        (r"(?:tca-?|hk-?)?big-?5(?:-?et(?:en)?|-?hk(?:scs)?)?\Z", "big5hkscs"),
        (r".*ks_c_5601-1987\Z|(?:x-)?windows-949\Z|(?:x-)?uhc\Z", "cp949"),
        (r".*kr.*euc\Z|.*euc.*kr\Z", "euc_kr"),
        (r".*\bwindows-31j\Z", "cp932"),
        (r".*\bsjis\Z|.*\bshift.*jis\Z", "shift_jis"),
        (r".*\bujis\Z|.*jp.*euc\Z|.*euc.*jp\Z", "euc_jis_2004"),
        (r".*\bkoi8[\s_-]*([ru])\Z", r"koi8_\1"),
        (r".*\b(?:cp|ibm|ms|windows)[-_ ]?(\d{2,4})\Z", r"cp\1"),
        (r".*\btis-?620\b", "iso8859_11"),
        (r".*\biso[-_]?8859[-_]?(\d+)\Z", r"iso8859_\1"),
        (r"(?:x[_-])?mac[_-]roman\Z|macintosh\Z", "mac_roman"),
        (r"(?:unicode-1-1-)?UTF-?7\Z", "utf-7"),
    )
]
"""The ways in which senders write the name of a charset, and what they mean."""
_UNKNOWN_NAMES = frozenset({"iso-2022-cn", "unicode"})
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-8-sig"}
)
"""Text codecs of Python that no mail program reads."""

_COMMON_WESTERN = (
    bytes(range(0x80))
    + b"\xa0\xa9\xad\x82\x84\x85\x99"
    + bytes(range(0x91, 0x98))
    + bytes([*range(0xC0, 0xD7), *range(0xD8, 0xDF), *range(0xE0, 0xF7), *range(0xF8, 0xFF)])
)
"""What Windows-1252 text is made of: letters, quotes, dashes."""

_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "]"
)

_IN_NONCHARACTERS = (b"\xef\xb7", b"\xbf\xbe", b"\xbf\xbf")
"""One of these stands in the UTF-8 of each of them: much cheaper to look for in a long text."""


class Text(NamedTuple):
    """Decoded text. `wide` is false when the octets were plain ASCII and no charset had to be applied."""

    characters: str
    wide: bool


def decode(octets: bytes, declared: str, *, insist: bool = False) -> Text:
    """The characters that `octets` mean; never raises.

    `insist` believes the declared charset, with replacement characters where it does not fit, as
    is right for encoded words, which are too short to guess from.
    """
    plain = octets.isascii()
    if plain and (_ASCII_SUPERSETS.match(declared) or _ASCII_NAMES.match(declared)):
        return Text(octets.decode("ascii"), False)
    if not plain and not insist:
        text = _utf8(octets)
        if text is not None:
            return Text(text, True)
    text = _as_declared(octets, declared, insist)
    if text is not None:
        return Text(text, True)
    if plain:
        return Text(octets.decode("ascii"), False)
    return Text(octets.decode("cp1252", "replace"), True)


def is_utf16(declared: str) -> bool:
    """Whether this is a name of UTF-16, in any byte order."""
    return _UTF16.match(declared) is not None


def _as_declared(octets: bytes, declared: str, insist: bool) -> str | None:
    if not insist and _DECLARED_ASCII.match(declared):
        return None
    if is_utf16(declared):
        codec = _utf16_byte_order(octets)
    elif _WINDOWS_1252.match(declared):
        codec = "cp1252"
    else:
        codec = _codec(declared.lower())
    if codec is None:
        return None
    if codec == "iso2022_jp":
        return japanese.decode(octets)
    if insist:
        return _decoded(octets, codec, "replace")
    if codec == "utf-8":
        return _utf8(octets)
    return _decoded(octets, codec, "strict")


def _decoded(octets: bytes, codec: str, errors: str) -> str | None:
    try:
        text = octets.decode(codec, errors)
    except (UnicodeError, ValueError, OverflowError):
        return None
    if codec == "utf-7":
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _utf8(octets: bytes) -> str | None:
    text = _decoded(octets, "utf-8", "strict")
    if text is None or not any(octets.find(piece) >= 0 for piece in _IN_NONCHARACTERS):
        return text
    return None if _NONCHARACTER.search(text) else text


@lru_cache(maxsize=512)
def _codec(declared: str) -> str | None:
    """The codec of a charset's name in lower case; None for a name that SpamAssassin would not know."""
    if declared in _UNKNOWN_NAMES or not _NAME.match(declared):
        return None
    try:
        codec = codecs.lookup(_family(declared))
    except (LookupError, ValueError):
        return None
    usable = codec._is_text_encoding and codec.name not in _NOT_CHARSETS
    return codec.name if usable else None


def _family(declared: str) -> str:
    for pattern, codec in _FAMILIES:
        found = pattern.match(declared)
        if found:
            return found.expand(codec)
    return declared


def _utf16_byte_order(octets: bytes) -> str | None:
    """Guesses the byte order from the spaces, and from which half of the octets is nearly empty."""
    if octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    even = _weight(octets[0::2])
    odd = _weight(octets[1::2])
    little = octets.decode("utf-16-le", "replace").count(" ") + (even > odd * 4)
    big = octets.decode("utf-16-be", "replace").count(" ") + (odd * 4 > even)
    if little == big:
        return None
    return "utf-16-le" if little > big else "utf-16-be"


_NIBBLE_SUMS = bytes((octet >> 4) + (octet & 15) for octet in range(256))


def _weight(octets: bytes) -> int:
    return sum(octets.translate(_NIBBLE_SUMS))
