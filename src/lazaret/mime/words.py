"""What does a header value say? Encoded words (RFC 2047) and parameters with continuations (RFC 2231)."""

import re
import urllib.parse

from lazaret.mime import charset, transfer

_FOLD = re.compile(rb"\n[ \t]+")
_LF = 0x0A
_LINE_END = re.compile(rb"\r?\n")
_NEVER_ENCODED = re.compile(
    r"(?:Received|(?:Resent-)?(?:Message-ID|Date)|MIME-Version|References|In-Reply-To|List-.*)\Z", re.I | re.S
)
_WORD = rb"=\?[A-Za-z0-9*_-]+\?[bqBQ]\?[^?]*\?="
_BETWEEN_WORDS = re.compile(rb"(" + _WORD + rb")[ \t\n\r\f\v]+(?=" + _WORD + rb")")
_SECTION = re.compile(rb"=\?([A-Za-z0-9*_-]+)\?([bqBQ])\?([^?]*)\?=|([^=]++|.)", re.S)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""What a terminal or a log would act on, and what turns the direction of writing."""

_PARAMETER = re.compile(
    r""";\s*([^\s=;"*]++)(\*\d{1,4})?(\*)?\s*=\s*(?:"((?>(?:[^"\\]|\\.)*))"?|([^;\s]*+))""", re.S
)
_ESCAPED = re.compile(r"\\(.)", re.S)


def decode(value: bytes, name: str = "", *, people: bool = False) -> bytes:
    """The value of the field `name` as header rules see it: unfolded, trimmed, decoded to UTF-8.

    For `people` words in UTF-16 are decoded too; rules see their octets as characters of Windows-1252.
    """
    return decode_line(unfold(value), name, people=people)


def unfold(value: bytes) -> bytes:
    """The value on one line, without blanks round it."""
    value = value.strip()
    return _LINE_END.sub(b"", _FOLD.sub(b" ", value).strip()) if _LF in value else value


def decode_line(value: bytes, name: str = "", *, people: bool = False) -> bytes:
    """`decode` of what is unfolded already."""
    if not value.isascii():
        value = charset.decode(value, "UTF-8").characters.encode("utf-8", "replace")
    if value.find(b"=?") < 0 or _NEVER_ENCODED.match(name):
        return value
    return _decode_words(_BETWEEN_WORDS.sub(rb"\1", value), people)


def for_people(value: bytes, name: str = "") -> str:
    """The value on one line, without control characters: safe for a log, a terminal, a page."""
    line = value.strip()
    if _LF in line or line.find(b"=?") >= 0 or not line.isascii():
        line = decode(line, name, people=True)
    text = line.decode("utf-8", "replace")
    # Nothing printable is a control character, and Python says so ten times as fast.
    return " ".join((text if text.isprintable() else _CONTROL.sub(" ", text)).split())


def parameters(value: bytes) -> dict[str, str]:
    """The parameters of a Content-Type or Content-Disposition, names in lower case, values for people.

    Continuations are put together, charsets and encoded words decoded; of a parameter that is
    given twice the first counts, as it does for SpamAssassin.
    """
    text = decode(value, people=True).decode("utf-8", "replace")
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, number, encoded, quoted, bare in _PARAMETER.findall(
        text[text.find(";") :] if ";" in text else ""
    ):
        content = _ESCAPED.sub(r"\1", quoted) if quoted else bare
        if number or encoded:
            pieces.setdefault(name.lower(), []).append((int(number[1:] or 0), bool(encoded), content))
        else:
            plain.setdefault(name.lower(), content)
    for name, found in pieces.items():
        plain[name] = _join_pieces(sorted(found, key=lambda piece: piece[0]))
    return {name: " ".join(_CONTROL.sub(" ", content).split()) for name, content in plain.items()}


def _decode_words(value: bytes, people: bool) -> bytes:
    """Neighbours of one charset are joined before it is applied: senders cut words inside a character."""
    sections: list[tuple[bytes, list[bytes]]] = []
    for label, encoding, content, plain in _SECTION.findall(value):
        octets = plain or _word_octets(encoding, content)
        key = label.lower()
        if sections and sections[-1][0] == key:
            sections[-1][1].append(octets)
        else:
            sections.append((key, [octets]))
    return b"".join(_section_text(label, b"".join(octets), people) for label, octets in sections)


def _word_octets(encoding: bytes, content: bytes) -> bytes:
    if encoding in b"bB":
        return transfer.base64(content)
    return transfer.quoted_printable(content.replace(b"_", b"=20"))


def _section_text(label: bytes, octets: bytes, people: bool) -> bytes:
    if not label:
        return octets
    name = label.partition(b"*")[0].decode("latin-1")
    if charset.is_utf16(name) and not people:
        name = "Windows-1252"
    return charset.decode(octets, name, insist=True).characters.encode("utf-8", "replace")


def _join_pieces(pieces: list[tuple[int, bool, str]]) -> str:
    """RFC 2231, section 4.1: the first piece names the charset, each says whether it is escaped."""
    label = "utf-8"
    octets = bytearray()
    for index, (_, encoded, content) in enumerate(pieces):
        if encoded and index == 0 and content.count("'") >= 2:
            label, _, content = content.split("'", 2)
        octets += urllib.parse.unquote_to_bytes(content) if encoded else content.encode("utf-8", "replace")
    return charset.decode(bytes(octets), label or "utf-8").characters
