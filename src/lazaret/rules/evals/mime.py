"""The parts of a message and how they are encoded (Mail::SpamAssassin::Plugin::MIMEEval)."""

import re
from dataclasses import dataclass, field

from lazaret.mime.structure import Part
from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.charsets import CAPITALS_CHARSET, declared, foreign
from lazaret.rules.evals.ranges import above, number, within

_BLANK_LINES = re.compile(rb"^[ \t\r\f\v]*\n[ \t\r\f\v]*$", re.MULTILINE)
_LONG_LINE = re.compile(rb"^(?!SPAM: )[^\n]{79}", re.MULTILINE)
_NEEDLESS_ESCAPE = re.compile(rb"=(?:09|3[0-9ABCEF]|[2456][0-9A-F]|7[0-9A-E])")
_TRAILING_BLANKS = re.compile(rb"((?:=09|=20)+)[ \t\r\f\v]*$", re.MULTILINE)
_ASCII = re.compile(
    rb"us-ascii|ansi_x3\.4-19(?:68|86)|iso-ir-6|iso_646\.irv:1991|ascii|iso646-us|us|(?:ibm|cp)367|csascii"
)
_ISO = re.compile(rb"iso-\S+-\S+\b")
_KNOWN_ISO = re.compile(rb"iso-(?:8859-\d{1,2}|2022-(?:jp|kr))\b")
_USUAL_ALTERNATIVES = ("multipart/related", "application/rtf")
_HTML = re.compile(rb"text/html", re.IGNORECASE)
_FORWARDED_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/=]{60,76} ){2}")
_INNER_BLANK = re.compile(rb"\S\s+\S")
_JIS = re.compile(rb"\x1b\$B.*\x1b\(B", re.DOTALL)
_LETTERS = re.compile(rb"[A-Z]+")
_SMALL = re.compile(rb"[a-z0-9]+")
_IN_CAPITALS = re.compile(CAPITALS_CHARSET, re.IGNORECASE)
_ENTITY = re.compile(rb"&#x[0-9A-F]{4};")
_NOT_ASCII_TEXT = re.compile(rb"[\x00\r\x80-\xff]")
_ENTITY_LENGTH = len("&#x0041;")
_RATIO = re.compile(r"\d{0,3}\.\d{1,3}")


@dataclass(slots=True)
class Forms:
    """What all parts together look like, in SpamAssassin's words."""

    counts: dict[str, float] = field(default_factory=dict)
    multipart_ratio: float = 1.0
    charsets: list[bytes] = field(default_factory=list)


@eval_function("check_for_mime")
def check_for_mime(subject: Subject, test: str) -> float:
    """One of the counts of `Forms`, by name."""
    return subject.once(_forms).counts.get(test, 0)


@eval_function("check_for_mime_html")
def mime_html(subject: Subject) -> int:
    """There is an HTML part."""
    return bool(
        _HTML.match(subject.header("Content-Type"))
        or subject.once(_forms).counts.get("mime_body_html_count", 0)
    )


@eval_function("check_for_mime_html_only")
def mime_html_only(subject: Subject) -> int:
    """There is an HTML part and no other text."""
    counts = subject.once(_forms).counts
    only = counts.get("mime_body_html_count", 0) > 0 and not counts.get("mime_body_text_count", 0)
    return bool(_HTML.match(subject.header("Content-Type")) or only)


@eval_function("check_mime_multipart_ratio")
def multipart_ratio(subject: Subject, low: str, high: str) -> int:
    """Octets of the plain alternative to those of the HTML one."""
    return within(subject.once(_forms).multipart_ratio, low, high)


@eval_function("check_msg_parse_flags")
def parse_flags(subject: Subject, flag: str) -> int:
    """Something is wrong with the form of the message; `structure.Flag` has the names."""
    return flag in subject.message.tree.flags


@eval_function("check_ma_non_text")
def alternative_is_no_text(subject: Subject) -> int:
    """A multipart/alternative offers something that is no text."""
    for part in subject.message.parts:
        if part.content_type == "multipart/alternative":
            for child in part.children:
                kind = child.content_type
                if not kind.startswith("text/") and kind not in _USUAL_ALTERNATIVES:
                    return 1
    return 0


@eval_function("check_for_uppercase")
def uppercase(subject: Subject, low: str, high: str) -> int:
    """Capitals in per cent of all letters and digits, in longer texts."""
    return above(subject.once(_uppercase), low, high)


@eval_function("check_for_ascii_text_illegal")
def ascii_text_illegal(subject: Subject) -> int:
    """A part that says it is plain ASCII is not."""
    return subject.once(_forms).counts.get("mime_ascii_text_illegal", 0) > 0


@eval_function("check_abundant_unicode_ratio")
def abundant_unicode_ratio(subject: Subject, ratio: str) -> int:
    """References such as `&#x0430;` in plain text, where they mean nothing, to all its octets."""
    if not _RATIO.fullmatch(ratio):
        return 0
    return subject.once(_forms).counts.get("mime_text_unicode_ratio", 0) >= number(ratio)


@eval_function("check_qp_ratio")
def quoted_printable_ratio(subject: Subject, least: str) -> int:
    """Needless escapes to octets in quoted-printable parts."""
    return subject.once(_forms).counts.get("mime_qp_ratio", 0) >= number(least)


@eval_function("check_base64_length")
def base64_length(subject: Subject, low: str, high: str = "undef") -> int:
    """The octets of the longest line of base64, its end included; RFC 2045 allows 76 and the end."""
    longest = subject.once(_longest_base64_line)
    return longest >= number(low) and (high == "undef" or longest <= number(high))


@eval_function("check_for_faraway_charset")
def faraway_charset(subject: Subject) -> int:
    """The message declares a charset of a language that is not read here, and uses it."""
    charset = declared(subject.header("Content-Type"))
    if not charset or not foreign(subject, charset):
        return 0
    text = b"\n".join(subject.message.body)
    high = len(text) - len(text.translate(None, bytes(range(0x80, 0x100))))
    return high > 3 and len(text) - high <= high


def _longest_base64_line(subject: Subject) -> int:
    longest = 0
    for part in subject.message.parts:
        encoding = part.last("Content-Transfer-Encoding").strip().lower()
        if part.leaf and encoding == b"base64" and part.content_type != "application/ics":
            longest = max([longest, *map(len, part.body.splitlines(keepends=True))])
    return longest


def _uppercase(subject: Subject) -> float:
    charsets = [declared(subject.header("Content-Type")), *subject.once(_forms).charsets]
    if any(_IN_CAPITALS.fullmatch(charset) for charset in charsets):
        return 0.0
    length = lower = upper = 0
    for line in subject.message.body:
        if not _INNER_BLANK.search(line) or _FORWARDED_BASE64.match(line):
            continue
        text = _JIS.sub(b"", line)
        length += len(text)
        lower += sum(map(len, _SMALL.findall(text)))
        upper += sum(map(len, _LETTERS.findall(text)))
    if length < 200 or not upper + lower:
        return 0.0
    return 100 * upper / (upper + lower)


def _forms(subject: Subject) -> Forms:
    forms = Forms()
    counts = forms.counts
    sizes: dict[str, int] = {}
    quoted = Quoted()
    plain = Plain()
    for part in subject.message.parts:
        encoding = part.last("Content-Transfer-Encoding").strip().lower()
        disposition = part.last("Content-Disposition").lower()
        _count_part(counts, part, encoding, disposition)
        charset = (part.type.charset or b"").lower()
        if charset:
            forms.charsets.append(charset)
            if foreign(subject, charset):
                counts["mime_faraway_charset"] = 1
        if not part.leaf:
            continue
        plain.add(part, encoding)
        quoted.add(part, encoding)
        if b"base64" in encoding and _BLANK_LINES.search(part.body):
            counts["mime_base64_blanks"] = 1
        if b"attachment" not in disposition and counts.get("mime_multipart_alternative"):
            sizes[part.content_type] = len(part.body)
    quoted.note(counts)
    plain.note(counts)
    if sizes.get("text/html") and "text/plain" in sizes:
        forms.multipart_ratio = sizes["text/plain"] / sizes["text/html"]
    if any(subject.message.tree.open_boundaries.values()):
        counts["mime_missing_boundary"] = 1
    return forms


@dataclass(slots=True)
class Quoted:
    """What is known of the quoted-printable parts."""

    parts: int = 0
    octets: int = 0
    escapes: float = 0.0
    """Of octets that need none."""
    long_line: bool = False

    def add(self, part: Part, encoding: bytes) -> None:
        if encoding != b"quoted-printable":
            return
        self.parts += 1
        self.octets += len(part.body)
        self.escapes += len(_NEEDLESS_ESCAPE.findall(part.body))
        self.escapes -= sum(len(blanks) / 3 for blanks in _TRAILING_BLANKS.findall(part.body))
        self.long_line = self.long_line or _LONG_LINE.search(part.body) is not None

    def note(self, counts: dict[str, float]) -> None:
        # As recorded from SpamAssassin 4.0.1: it counts where it escapes what need not be, or is empty.
        counts["mime_qp_count"] = self.parts > 0 and (self.escapes > 0 or not self.octets)
        counts["mime_qp_ratio"] = self.escapes / self.octets if self.octets else 0
        counts["mime_qp_long_line"] = self.long_line


@dataclass(slots=True)
class Plain:
    """What is known of the text/plain parts."""

    octets: int = 0
    entities: int = 0
    illegal_lines: int = 0
    """Lines that are not ASCII in parts that say they are."""

    def add(self, part: Part, encoding: bytes) -> None:
        if part.type.name_of_type != "text/plain":
            return
        if part.type.charset is None or part.type.charset.lower() == b"us-ascii":
            body = part.body
            if not body.isascii() or b"\x00" in body or b"\r" in body:
                self.illegal_lines += sum(1 for line in body.split(b"\n") if _NOT_ASCII_TEXT.search(line))
        if encoding in (b"", b"7bit", b"8bit"):
            found = len(_ENTITY.findall(part.body)) if b"&#x" in part.body else 0
            self.entities += found
            self.octets += len(part.body) - _ENTITY_LENGTH * found

    def note(self, counts: dict[str, float]) -> None:
        counts["mime_ascii_text_illegal"] = self.illegal_lines
        counts["mime_text_unicode_ratio"] = self.entities / self.octets if self.octets else 0


def _count_part(counts: dict[str, float], part: Part, encoding: bytes, disposition: bytes) -> None:
    def count(name: str) -> None:
        counts[name] = counts.get(name, 0) + 1

    kind = part.content_type
    charset = (part.type.charset or b"").lower()
    if kind == "multipart/alternative":
        counts["mime_multipart_alternative"] = 1
    if kind == "text/html":
        count("mime_body_html_count")
    elif kind.startswith("text"):
        count("mime_body_text_count")
    if b"base64" in encoding:
        count("mime_base64_count")
        if not part.type.name:
            counts["mime_base64_no_name"] = 1
        shown = disposition.startswith((b"attachment", b"inline"))
        if kind.startswith("text") and (not charset or _ASCII.search(charset)) and not shown:
            counts["mime_base64_encoded_text"] = 1
    if b"attachment" in disposition:
        count("mime_attachment")
    if _ISO.search(charset) and not _KNOWN_ISO.search(charset):
        counts["mime_bad_iso_charset"] = 1
