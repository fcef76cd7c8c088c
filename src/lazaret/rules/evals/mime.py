"""The parts of a message and how they are encoded (Mail::SpamAssassin::Plugin::MIMEEval)."""

import re
from dataclasses import dataclass, field

from lazaret.mime.structure import Part
from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.ranges import above, within

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
_CAPITALS_CHARSET = re.compile(
    rb"koi[78]|euc-(?:jp|kr|tw)|shift.?jis|big5|gb[k23]|gb18030|iso-2022|ks_c|hz-gb|windows-125[13456]"
    rb"|iso-8859-[5678]",
    re.IGNORECASE,
)


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


def _uppercase(subject: Subject) -> float:
    if any(_CAPITALS_CHARSET.match(charset) for charset in subject.once(_forms).charsets):
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
    escapes = quoted = 0.0
    any_quoted = False
    for part in subject.message.parts:
        encoding = part.last("Content-Transfer-Encoding").strip().lower()
        disposition = part.last("Content-Disposition").lower()
        _count_part(counts, part, encoding, disposition)
        charset = (part.type.charset or b"").lower()
        if charset:
            forms.charsets.append(charset)
        if not part.leaf:
            continue
        if b"base64" in encoding and _BLANK_LINES.search(part.body):
            counts["mime_base64_blanks"] = 1
        if b"attachment" not in disposition and counts.get("mime_multipart_alternative"):
            sizes[part.content_type] = len(part.body)
        if encoding == b"quoted-printable":
            any_quoted = True
            quoted += len(part.body)
            escapes += len(_NEEDLESS_ESCAPE.findall(part.body))
            escapes -= sum(len(blanks) / 3 for blanks in _TRAILING_BLANKS.findall(part.body))
            if _LONG_LINE.search(part.body):
                counts["mime_qp_long_line"] = 1
    # As recorded from SpamAssassin 4.0.1: it counts where it escapes what need not be, or where it is empty.
    counts["mime_qp_count"] = any_quoted and (escapes > 0 or not quoted)
    counts["mime_qp_ratio"] = escapes / quoted if quoted else 0
    if sizes.get("text/html") and "text/plain" in sizes:
        forms.multipart_ratio = sizes["text/plain"] / sizes["text/html"]
    if any(subject.message.tree.open_boundaries.values()):
        counts["mime_missing_boundary"] = 1
    return forms


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
