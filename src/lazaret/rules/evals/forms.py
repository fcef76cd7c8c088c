"""What the parts of a message look like together, in the words of Mail::SpamAssassin::Plugin::MIMEEval."""

import re
from dataclasses import dataclass, field, fields
from functools import lru_cache
from io import BytesIO

from lazaret.mime.structure import Part
from lazaret.rules.evals import Subject
from lazaret.rules.evals.charsets import all_are_read, foreign

_BLANK_LINES_AT_START = re.compile(rb"[ \t\r\f\v]*\n[ \t\r\f\v]*(?:\n|\Z)")
_BLANK_LINES = re.compile(rb"\n[ \t\r\f\v]*\n[ \t\r\f\v]*(?:\n|\Z)")
_NEEDLESS_ESCAPE = re.compile(rb"=(?:09|3[0-9ABCEF]|[2456][0-9A-F]|7[0-9A-E])")
_PIECE = 65_536
_ESCAPED_BLANKS = (b"=09", b"=20")
_LAST_ESCAPED_BLANK = re.compile(rb"=(?:09|20)[ \t\r\f\v]*(?:\n|\Z)")
_ASCII = re.compile(
    rb"us-ascii|ansi_x3\.4-19(?:68|86)|iso-ir-6|iso_646\.irv:1991|ascii|iso646-us|us|(?:ibm|cp)367|csascii"
)
_ISO = re.compile(rb"iso-\S+-\S+\b")
_KNOWN_ISO = re.compile(rb"iso-(?:8859-\d{1,2}|2022-(?:jp|kr))\b")
_ENTITY = re.compile(rb"&#x[0-9A-F]{4};")
_ENTITY_LENGTH = len("&#x0041;")
_LONGEST_CHARSET = 40
"""Of those that are remembered."""
_UNCHANGED = (b"", b"7bit", b"8bit")
_NUL, _CR = b"\0\r"
_LONG = 79
_LONG_LINE = re.compile(rb"^(?!SPAM: )[^\n]{%d}" % _LONG, re.MULTILINE)


@dataclass(slots=True)
class Forms:
    """Counts and ratios; those that rules ask for by name begin with `mime_`."""

    mime_attachment: int = 0
    mime_multipart_alternative: int = 0
    mime_body_html_count: int = 0
    mime_body_text_count: int = 0
    mime_base64_count: int = 0
    mime_base64_no_name: int = 0
    mime_base64_encoded_text: int = 0
    mime_base64_blanks: int = 0
    mime_bad_iso_charset: int = 0
    mime_faraway_charset: int = 0
    mime_missing_boundary: int = 0
    mime_qp_count: int = 0
    mime_qp_ratio: float = 0
    mime_qp_long_line: int = 0
    mime_ascii_text_illegal: bool = False
    """Some part that says it is ASCII is not."""
    mime_text_unicode_ratio: float = 0
    multipart_ratio: float = 1.0
    """Octets of the plain alternative to those of the HTML one."""
    charsets: list[bytes] = field(default_factory=list)


COUNTS = frozenset(count.name for count in fields(Forms) if count.name.startswith("mime_"))


def encodings(subject: Subject) -> tuple[tuple[Part, bytes], ...]:
    """Every part with its transfer encoding, in lower case."""
    return tuple(
        [(part, part.last("Content-Transfer-Encoding").strip().lower()) for part in subject.message.parts]
    )


def in_base64(subject: Subject) -> list[Part]:
    """The leaves that are written in it."""
    return [part for part, encoding in subject.once(encodings) if encoding == b"base64" and part.leaf]


def read(subject: Subject) -> Forms:
    """The forms of all parts together."""
    parts = subject.once(encodings)
    alone = len(parts) == 1 and not subject.message.tree.open_boundaries
    if alone and all_are_read(subject.settings):
        usual = _usual(*parts[0])
        if usual is not None:
            return usual
    forms = Forms()
    sizes: dict[str, int] = {}
    quoted = _Quoted()
    plain = _Plain()
    all_read = all_are_read(subject.settings)
    for part, encoding in parts:
        disposition = part.last("Content-Disposition").lower()
        charset = (part.type.charset or b"").lower()
        _count(forms, part, encoding, disposition, charset)
        if charset:
            forms.charsets.append(charset)
            if not all_read and foreign(subject, charset):
                forms.mime_faraway_charset = 1
        if not part.leaf:
            continue
        plain.add(part, encoding, charset)
        quoted.add(part, encoding)
        if b"base64" in encoding and not forms.mime_base64_blanks:
            forms.mime_base64_blanks = _has_blank_lines(part.body)
        if b"attachment" not in disposition and forms.mime_multipart_alternative:
            sizes[part.content_type] = len(part.body)
    quoted.note(forms)
    plain.note(forms)
    if sizes.get("text/html") and "text/plain" in sizes:
        forms.multipart_ratio = sizes["text/plain"] / sizes["text/html"]
    forms.mime_missing_boundary = any(subject.message.tree.open_boundaries.values())
    return forms


def _usual(part: Part, encoding: bytes) -> Forms | None:
    """Of a message that is one text and not encoded, as most are; None when it is anything else."""
    kind, charset = part.content_type, (part.type.charset or b"").lower()
    if encoding not in _UNCHANGED or not part.leaf or kind != part.type.name_of_type:
        return None
    if "Content-Disposition" in part.header and b"attachment" in part.last("Content-Disposition").lower():
        return None
    if kind == "text/plain" and (part.body.find(b"&#x") >= 0 or _says_ascii_and_is_not(part, charset)):
        return None
    if kind not in ("text/plain", "text/html") or len(charset) > _LONGEST_CHARSET:
        return None
    return _of_one_text(kind, charset)


@lru_cache(maxsize=256)
def _of_one_text(kind: str, charset: bytes) -> Forms:
    """Few are there, and nobody changes them."""
    return Forms(
        mime_body_html_count=int(kind == "text/html"),
        mime_body_text_count=int(kind == "text/plain"),
        mime_bad_iso_charset=int(_is_bad_iso(charset)),
        charsets=[charset] if charset else [],
    )


def _is_bad_iso(charset: bytes) -> bool:
    return bool(b"iso-" in charset and _ISO.search(charset) and not _KNOWN_ISO.search(charset))


def _count(forms: Forms, part: Part, encoding: bytes, disposition: bytes, charset: bytes) -> None:
    kind = part.content_type
    if kind == "multipart/alternative":
        forms.mime_multipart_alternative = 1
    if kind == "text/html":
        forms.mime_body_html_count += 1
    elif kind.startswith("text"):
        forms.mime_body_text_count += 1
    if b"base64" in encoding:
        forms.mime_base64_count += 1
        if not part.type.name:
            forms.mime_base64_no_name = 1
        shown = disposition.startswith((b"attachment", b"inline"))
        if kind.startswith("text") and (not charset or _ASCII.search(charset)) and not shown:
            forms.mime_base64_encoded_text = 1
    elif b"quoted-printable" in encoding:
        forms.mime_qp_count += 1
    if b"attachment" in disposition:
        forms.mime_attachment += 1
    if _is_bad_iso(charset):
        forms.mime_bad_iso_charset = 1


def _has_blank_lines(body: bytes) -> bool:
    """Whether two lines in succession are blank; what follows the last line end counts as one."""
    return bool(_BLANK_LINES_AT_START.match(body) or _BLANK_LINES.search(body))


@dataclass(slots=True)
class _Quoted:
    """What is known of the quoted-printable parts."""

    octets: int = 0
    escapes: int = 0
    """Of octets that need none."""
    long_line: bool = False

    def add(self, part: Part, encoding: bytes) -> None:
        if encoding != b"quoted-printable":
            return
        self.octets += len(part.body)
        self.escapes += _needless_escapes(part.body) - _escaped_line_ends(part.body)
        self.long_line = self.long_line or _has_long_line(part.body)

    def note(self, forms: Forms) -> None:
        # As recorded from SpamAssassin 4.0.1: where there is anything to count, what is counted is not the
        # parts but what they escape and need not.
        if self.octets:
            forms.mime_qp_count = self.escapes
            forms.mime_qp_ratio = self.escapes / self.octets
        forms.mime_qp_long_line = self.long_line


def _has_long_line(body: bytes) -> bool:
    # Few have any, and to search for one takes ten times as long as to measure all lines.
    return max(map(len, BytesIO(body)), default=0) >= _LONG and _LONG_LINE.search(body) is not None


def _needless_escapes(body: bytes) -> int:
    """How many octets are escaped that need not be; a piece at a time, since there may be millions."""
    count = start = 0
    while start < len(body):
        end = min(start + _PIECE, len(body))
        cut = body.find(b"=", end - 2, end) if end < len(body) else -1
        end = cut if cut > start else end
        count += len(_NEEDLESS_ESCAPE.findall(body, start, end))
        start = end
    return count


def _escaped_line_ends(body: bytes) -> int:
    """How many blanks at the ends of lines are escaped, as they have to be."""
    count = 0
    for last in _LAST_ESCAPED_BLANK.finditer(body):
        start = last.start()
        while body[start : start + 3] in _ESCAPED_BLANKS:
            count += 1
            start -= 3
            if start < 0:
                break
    return count


@dataclass(slots=True)
class _Plain:
    """What is known of the text/plain parts."""

    octets: int = 0
    entities: int = 0
    illegal: bool = False

    def add(self, part: Part, encoding: bytes, charset: bytes) -> None:
        if part.type.name_of_type != "text/plain":
            return
        body = part.body
        if _says_ascii_and_is_not(part, charset):
            self.illegal = True
        if encoding in _UNCHANGED:
            found = len(_ENTITY.findall(body)) if b"&#x" in body else 0
            self.entities += found
            self.octets += len(body) - _ENTITY_LENGTH * found

    def note(self, forms: Forms) -> None:
        forms.mime_ascii_text_illegal = self.illegal
        forms.mime_text_unicode_ratio = self.entities / self.octets if self.octets else 0


def _says_ascii_and_is_not(part: Part, charset: bytes) -> bool:
    return (part.type.charset is None or charset == b"us-ascii") and not _is_plain_ascii(part.body)


def _is_plain_ascii(body: bytes) -> bool:
    """Three fast passes: an expression for the same takes twenty times as long."""
    return body.isascii() and _NUL not in body and _CR not in body
