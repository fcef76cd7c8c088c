"""Header edits on raw octets: fields taken out, the subject marked, every other octet as it was."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from email.header import Header
from functools import lru_cache

from lazaret.mime import headers
from lazaret.mime.headers import HeaderSection

_FIELD_END = re.compile(rb"\n(?![ \t])")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_MARKED = re.compile(rb"^subject[ \t]*:[ ]*", re.I | re.M)


def edited(raw: bytes, header: HeaderSection, *, without: AbstractSet[str], subject_tag: str = "") -> bytes:
    """The message without the fields named in `without` (lower case), and with a marked subject.

    The tag goes before the subject as it is written, encoded words and all, so that nothing of it is
    recoded; a subject that begins with the tag already stays. A message without a subject gets one.

    Readers differ on where a malformed header section ends; the fields go up to the first empty line.
    """
    tag = _encoded(subject_tag) if subject_tag else b""
    pieces: list[bytes] = []
    position = 0
    unwanted = header.present & without
    subjects = header.places("subject") if tag and "subject" not in without else ()
    for place in sorted([*subjects, *[place for name in unwanted for place in header.places(name)]]):
        field = header.fields[place]
        if header.names[place] in unwanted:
            pieces.append(raw[position : field.start])
            position = field.end
        elif not raw[field.value_start : field.end].lstrip().startswith(tag):
            pieces += (raw[position : field.value_start], b" ", tag)
            position = field.value_start
            if raw[position : position + 1] not in (b" ", b"\t", b"\r", b"\n"):
                pieces.append(b" ")
    if without and (header.missing_separator or header.cut_off):
        empty = _EMPTY_LINE.search(raw, max(position - 1, 0))
        end = empty.start() + 1 if empty else len(raw)
        for match in _names(frozenset(without)).finditer(raw, position, end):
            if match.start() >= position:
                pieces.append(raw[position : match.start()])
                closing = _FIELD_END.search(raw, match.end(), end)
                position = closing.end() if closing else end
    pieces.append(raw[position:])
    if tag and not subjects:
        pieces.insert(0, b"Subject: %b\r\n" % tag)
    return b"".join(pieces)


@lru_cache(8)
def _names(names: frozenset[str]) -> re.Pattern[bytes]:
    """The names of these fields at the beginning of a line."""
    alternatives = "|".join(map(re.escape, sorted(names)))
    return re.compile(rf"(?im)^(?:{alternatives})[ \t]*:".encode("ascii"))


def without_tag(raw: bytes, tags: Sequence[re.Pattern[bytes]]) -> bytes:
    """The message as it was before `edited` has marked its subject with one of these (`tag_pattern`)."""
    # Of many messages few are marked: their headers are not read for it.
    marked = _MARKED.search(raw) if tags else None
    if not marked or not any(tag.match(raw, marked.end()) for tag in tags):
        return raw
    for field in headers.parse(raw).named("subject")[:1]:
        value = raw[field.value_start : field.end].lstrip(b" ")
        for tag in tags:
            found = tag.match(value)
            if found:
                return raw[: field.value_start] + value[found.end() :] + raw[field.end :]
    return raw


def tag_pattern(tag: str, words: re.Pattern[str] | None = None) -> re.Pattern[bytes]:
    """Matches the tag as `edited` writes it; what `words` matches in it stands for anything else.

    A tag outside ASCII is encoded as a whole: with such words in it, it is not recognised; nor is one of
    which nothing stays the same.
    """
    literal = words.split(tag.strip()) if words and tag.isascii() else [tag]
    parts = [_encoded(part) for part in literal]
    return re.compile(rb"[^\n]{1,80}?".join(map(re.escape, parts)) + rb"(?=\s)" if any(parts) else rb"(?!)")


def _encoded(tag: str) -> bytes:
    """The tag as it may stand in a header field: ASCII, or an encoded word (RFC 2047)."""
    tag = tag.strip()
    if tag.isascii():
        return tag.encode("ascii")
    return Header(tag, "utf-8").encode().encode("ascii")
