"""A message marked up as SpamAssassin marks it: its header fields, and its report around spam.

Which fields and which report, the rule files say: `add_header`, `rewrite_header`, `report_safe`, `report` and
their like. The octets of the message's own body are never touched.
"""

import base64
import re
import secrets
from email.utils import formatdate

from lazaret.rules.book import Book
from lazaret.rules.tags import Marks, Place, Tags, setting, settings, template, unquoted, wrap

_FIELD = re.compile(rb"([^\s:]+)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")
_OLD_MARK = re.compile(rb"X-Spam-(?!Prev-)", re.IGNORECASE)
_WORDS_8BIT = re.compile(r"[^\s]*[\x80-\xff][^\s]*(?: +[^\s]*[\x80-\xff][^\s]*)*")
_LINE_END = re.compile(rb"\r?\n")
_FOLD_AT = r"(?<=[\s,])"
_FOLD_WIDTH = 79
_COPIED = ("From", "To", "Cc", "Subject", "Date", "Message-Id")
_BOUNDARY_START = "----------=_"
_DEFAULT_FIELDS = (
    "all Checker-Version SpamAssassin _VERSION_ (_SUBVERSION_) on _HOSTNAME_",
    "spam Flag _YESNOCAPS_",
    "all Level _STARS(*)_",
    "all Status _YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_ autolearn=_AUTOLEARN_ version=_VERSION_",
)


def mark_up(book: Book, marks: Marks, place: Place) -> bytes:
    """The marked message; `book` says how. Ham is never wrapped into a report."""
    return _Markup(book, marks, place).made()


class _Markup:
    def __init__(self, book: Book, marks: Marks, place: Place) -> None:
        self._book = book
        self._marks = marks
        self._place = place
        self._tags = Tags(book, marks, place)
        raw = marks.message.raw
        fields = marks.message.header.fields
        start, end = (fields[0].start, fields[-1].end) if fields else (0, 0)
        self._before, self._header, self._rest = raw[:start], raw[start:end], raw[end:]
        self._original = raw[start:]
        self._line_end = b"\r\n" if self._header.partition(b"\n")[0].endswith(b"\r") else b"\n"

    def made(self) -> bytes:
        safe = setting(self._book, "report_safe", "1")
        if self._marks.is_spam and safe != "0":
            return self._before + self._wrapped("text/plain" if safe == "2" else "message/rfc822")
        return self._before + self._with_fields()

    # Fields only

    def _with_fields(self) -> bytes:
        """Ours come after a leading Return-Path, before everything else."""
        own = [m[0] for m in _FIELD.finditer(self._header) if not _OLD_MARK.match(m[0])]
        own = self._rewritten(own)
        leading = 0
        while leading < len(own) and own[leading].lower().startswith(b"return-path:"):
            leading += 1
        fields = [*own[:leading], *self._fields(), *own[leading:]]
        return self._ended(b"".join(fields)) + self._rest

    def _rewritten(self, fields: list[bytes]) -> list[bytes]:
        """Subject, From and To with their tag; each original follows at the end."""
        wanted = {name: text for name in ("Subject", "From", "To") if (text := self._rewriting(name))}
        created = "Subject" in wanted and not any(f.lower().startswith(b"subject:") for f in fields)
        if created:
            fields = [*fields, b"Subject: \n"]
        changed, before = [], []
        for field in fields:
            name = field.partition(b":")[0].strip().decode("latin-1").capitalize()
            if name not in wanted:
                changed.append(field)
                continue
            nothing = created and name == "Subject"
            before.append(b"X-Spam-Prev-" + (b"Subject: (nonexistent)\n" if nothing else field))
            changed.append(_tagged(field, wanted[name] if name == "Subject" else f"({wanted[name]})"))
        return changed + before

    def _rewriting(self, name: str) -> str:
        """What is put into this field; "" when it stays."""
        lines = [line.split(None, 1) for line in settings(self._book, "rewrite_header")]
        texts = [words[1] if len(words) > 1 else "" for words in lines if words[0].capitalize() == name]
        if not texts:
            return ""
        tag = self._tags.fill(texts[-1]).replace("\n", " ") if self._marks.is_spam else ""
        prefix = self._tags.subject_prefix() if name == "Subject" else ""
        return " ".join(filter(None, (tag, prefix)))

    # A report around the original

    def _wrapped(self, kind: str) -> bytes:
        boundary = self._boundary()
        content_type = b"".join(self._marks.message.header.values("Content-Type")).lower()
        plain = not content_type.strip() or b"text/plain" in content_type
        report = template(self._book, "report", self._tags).rstrip("\n") + "\n\n"
        if not plain:
            report += template(self._book, "unsafe_report", self._tags)
        head = b"".join([self._received(), *self._copied(), *self._fields()])
        body = (
            f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{boundary}"\n\n'
            f"This is a multi-part message in MIME format.\n\n--{boundary}\n"
            f"Content-Type: text/plain; charset={setting(self._book, 'report_charset', 'UTF-8')}\n"
            "Content-Disposition: inline\nContent-Transfer-Encoding: 8bit\n\n"
            f"{report}\n\n--{boundary}\n"
            f"Content-Type: {kind}; x-spam-type=original\n"
            "Content-Description: original message before SpamAssassin\n"
            f"Content-Disposition: {'inline' if plain else 'attachment'}\n"
            "Content-Transfer-Encoding: 8bit\n\n"
        )
        end = f"\n--{boundary}--\n\n".encode("latin-1")
        return self._ended(head + body.encode("latin-1")) + self._original + self._ended(end)

    def _received(self) -> bytes:
        place = self._place
        text = (
            f"Received: from localhost by {place.host}\n\twith SpamAssassin (version {place.version});\n"
            f"\t{formatdate(place.now)[:-5]}+0000\n"
        )
        return text.encode("latin-1")

    def _copied(self) -> list[bytes]:
        """Fields of the original that a reader needs, in the order that SpamAssassin gives them."""
        extra = " ".join(settings(self._book, "report_safe_copy_headers")).replace(",", " ").split()
        fields = [m[0] for m in _FIELD.finditer(self._header)]
        copied = []
        for name in (*_COPIED, *(n for n in extra if n.capitalize() not in _COPIED)):
            start = name.lower().encode("latin-1", "replace")
            named = [f for f in fields if f.partition(b":")[0].strip().lower() == start]
            tag = self._rewriting(name)
            if name == "Subject" and tag and not named:
                named = [b"Subject: \n"]
            for field in named if name in extra else named[-1:]:
                value = field.partition(b":")[2].lstrip(b" \t")
                copied.append(self._retold(name, value, tag))
        return copied

    @staticmethod
    def _retold(name: str, value: bytes, tag: str) -> bytes:
        octets = tag.encode("latin-1")
        if tag and name == "Subject":
            value = octets + b" " + value.removeprefix(octets + b" ")
        elif tag:
            value = value.rstrip(b"\r\n") + b"\t(" + octets + b")\n"
        return name.encode("latin-1") + b": " + value

    def _boundary(self) -> str:
        """One that does not stand in the message."""
        while True:
            boundary = f"{_BOUNDARY_START}{int(self._place.now):08X}.{secrets.token_hex(4).upper()}"
            if boundary.encode() not in self._original:
                return boundary

    # Both

    def _fields(self) -> list[bytes]:
        """The X-Spam fields that the rule files ask for."""
        kind = "spam" if self._marks.is_spam else "ham"
        wanted: dict[str, tuple[str, str]] = {}
        for line in self._book.settings.get("add_header", _DEFAULT_FIELDS):
            when, name, text = (*line.split(None, 2), "", "")[:3]
            if when.lower() in (kind, "all") and name:
                wanted.pop(name.lower(), None)
                wanted[name.lower()] = (name, text)
        fields = [self._field(name, unquoted(text)) for name, text in wanted.values()]
        if self._marks.is_spam and setting(self._book, "report_safe", "1") == "0" and "report" not in wanted:
            fields.append(self._field("Report", "_REPORT_"))
        return fields

    def _field(self, name: str, text: str) -> bytes:
        value = self._tags.fill(text.replace("\\t", "\t").replace("\\n", "\n")).rstrip("\r\n")
        value = _encoded(value, setting(self._book, "report_charset", "UTF-8"))
        if setting(self._book, "fold_headers", "1") == "0":
            value = value.replace("\n", " ")
        elif "\n" in value:
            value = re.sub(r"\s*\n\s*", "\n\t", value)
            value = " " + value.lstrip(" ") if value.startswith("\n") else value
            return f"X-Spam-{name}:{'' if value.startswith(' ') else ' '}{value}\n".encode("latin-1")
        else:
            # Not ": ", or the line could be broken at that space.
            folded = wrap(f"X-Spam-{name}!!{value}", _FOLD_WIDTH, prefix="\t", breaks=_FOLD_AT)
            value = folded.partition("!!")[2]
        return f"X-Spam-{name}: {value}\n".encode("latin-1")

    def _ended(self, octets: bytes) -> bytes:
        """With the line ends of the message."""
        return octets if self._line_end == b"\n" else _LINE_END.sub(self._line_end, octets)


def _tagged(field: bytes, tag: str) -> bytes:
    name, _, value = field.partition(b":")
    octets = tag.encode("latin-1") + b" "
    return name + b": " + octets + value.lstrip(b" \t").removeprefix(octets)


def _encoded(text: str, charset: str) -> str:
    """Words beyond ASCII as encoded words (RFC 2047)."""

    def word(match: re.Match[str]) -> str:
        return f"=?{charset}?B?{base64.b64encode(match[0].encode('latin-1')).decode()}?="

    return _WORDS_8BIT.sub(word, text)
