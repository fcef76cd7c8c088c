"""Charsets of languages that are not read here (`ok_locales`), and those that look like shouting.

Names and languages are those of Mail::SpamAssassin::Locales; without `ok_locales` every language is read.
"""

import os
import re
from functools import lru_cache

from lazaret.rules.evals import Settings, Subject, Test, eval_test

_NAME = re.compile(rb"[-_a-z0-9]*", re.IGNORECASE)
_IN_CAPITALS = re.compile(
    rb"koi|jp|jis|euc|gb|big5|isoir|cp1251|windows-1251|georgianps|pt154|tis", re.IGNORECASE
)
_DECLARED = re.compile(rb"""charset=(?:"([^"]+)"|'([^']+)'|(\S+))""", re.IGNORECASE)
_ENCODED_WORD = re.compile(rb"=\?(.+?)\?.\?.*?\?=")
_NO_NAME = re.compile(r"[^A-Z0-9]")
_EVERYWHERE = re.compile(
    r"USASCII|ASCII|ISO|XUNKNOWN|IBM852|(?:ISO8859|ISO10646|UTF|UCS|CP125|WINDOWS|UNICODE11UTF[78]).*"
)
_CYRILLIC = frozenset(["KOI8R", "KOI8U", "KOI8T", "ISOIR111", "CP1251", "GEORGIANPS", "PT154", "CP866"])
_SIMPLIFIED = frozenset(["GB1988", "GB2312", "GB231219800", "GB18030", "GBK", "ISO2022CN"])
_TRADITIONAL = frozenset(["BIG5HKSCS", "BIG5", "EUCTW"])
_JAPANESE = (
    "EUCJP JISX020119760 JISX020819830 JISX020819900 JISX020819970 JISX021219900 JISX021320001 JISX021320002 "
    "SHIFT_JIS SHIFTJIS ISO2022JP SJIS JIS7 JISX0201 JISX0208 JISX0212"
)
_OF_LANGUAGE = {
    **dict.fromkeys(("ru", "ka", "tg", "be", "uk", "bg"), _CYRILLIC),
    "ja": frozenset(_JAPANESE.split()),
    "ko": frozenset(("EUCKR", "KSC56011987")),
    "th": frozenset(("TIS620",)),
    "zh": _SIMPLIFIED | _TRADITIONAL,
}


def declared(content_type: bytes) -> bytes:
    """The charset that a Content-Type names; b"" when it names none."""
    found = _DECLARED.search(content_type) if content_type.lower().find(b"charset=") >= 0 else None
    return next((group for group in found.groups() if group), b"") if found else b""


@lru_cache(maxsize=512)
def in_capitals(charset: bytes) -> bool:
    """Whether it is one whose encoded letters look like capitals once the rest is thrown away."""
    return _NAME.fullmatch(charset) is not None and _IN_CAPITALS.search(charset) is not None


def all_are_read(settings: Settings) -> bool:
    """Whether no charset is foreign."""
    return not settings.once(_languages)


def foreign(subject: Subject, charset: bytes) -> bool:
    """Whether it is the charset of a language that is not read here."""
    languages = subject.settings.once(_languages)
    return bool(languages) and not _is_ours(charset.decode("latin-1"), languages)


@eval_test("check_for_faraway_charset_in_headers")
def faraway_in_headers(settings: Settings) -> Test | None:
    """From or Subject is written in the charset of a language that is not read here."""
    return None if all_are_read(settings) else _foreign_in_header


@eval_test("html_charset_faraway")
def faraway_in_html(settings: Settings) -> Test | None:
    """The charsets that the HTML names are for the most part of such languages."""
    return None if all_are_read(settings) else _foreign_in_html


def _foreign_in_header(subject: Subject) -> str:
    for selector in ("From:raw", "Subject:raw"):
        for charset in _ENCODED_WORD.findall(subject.header(selector)):
            if foreign(subject, charset):
                return str(charset.decode("latin-1"))
    return ""


def _foreign_in_html(subject: Subject) -> bool:
    for page in subject.message.pages:
        named = [charset.encode("utf-8", "replace") for charset in page.charsets.split()]
        bad = sum(foreign(subject, charset) for charset in named)
        if bad and bad >= len(named) - bad:
            return True
    return False


def _languages(settings: Settings) -> tuple[str, ...]:
    """Those read here; none of them: all are."""
    lines = settings.lines("ok_locales")
    named = lines[-1].split() if lines else ["all"]
    if "all" in named:
        return ()
    own = (os.environ.get(name, "") for name in ("LC_ALL", "LANGUAGE", "LC_MESSAGES", "LANG"))
    return (*named, *[next(filter(None, own), "en")])


@lru_cache(maxsize=512)
def _is_ours(charset: str, languages: tuple[str, ...]) -> bool:
    name = _NO_NAME.sub("", charset.upper()).removeprefix("3D")
    if _EVERYWHERE.fullmatch(name):
        return True
    return any(name in _OF_LANGUAGE.get(language[:2].lower(), ()) for language in languages)
