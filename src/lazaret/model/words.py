"""How text is cut into words for the full-text index, and a search into the words to look for.

Lazaret does this itself so that every database gives the same answer: NFKC, case-folded, split at
what is neither letter nor digit, runs of Chinese, Japanese and Korean characters as overlapping pairs.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TEXT = 65_536
"""Characters of a text that are looked at."""
MAX_WORD = 64
"""Longer words are cut here: they are encoded data, and databases limit the length of a token."""

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(r"[^\W_]+")
_WORD = re.compile(rf"([^\W_]{{1,{MAX_WORD}}}+)[^\W_]*+")
"""Of which a word is what counts."""
_HAS_CJK = re.compile(f"[{_CJK}]")
_RUNS = re.compile(f"[{_CJK}]+|[^{_CJK}]+")
# Normalising sorts combining marks by insertion: a message of nothing but marks would take quadratic
# time. A space after so many characters without one keeps each sort short.
_LONG_RUN = re.compile(r"\S{256}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that must follow each other; with `prefix` the last may be the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool = False


def split(text: str) -> list[str]:
    """The words of a text, in order, as they are indexed."""
    text = fold(text)
    if text.isascii() or _HAS_CJK.search(text) is None:
        return _WORD.findall(text)
    return [word for run in _RUN.findall(text) for word in _with_pairs(run)]


def phrase(text: str) -> Phrase:
    """What to look for in order to find `text`; no words when it has neither letter nor digit.

    A single character of a script that is indexed in pairs finds every pair that begins with it.
    """
    words = split(text)
    last = words[-1] if words else ""
    if len(last) != 1 or _HAS_CJK.match(last) is None:
        return Phrase(tuple(words))
    before = words[-2] if len(words) > 1 else ""
    if len(before) == 2 and before[1] == last and _HAS_CJK.match(before):
        return Phrase(tuple(words[:-1]))
    return Phrase(tuple(words), prefix=True)


def fold(text: str) -> str:
    """NFKC and case-folded, at most `MAX_TEXT` characters."""
    text = text[:MAX_TEXT]
    if text.isascii():
        return text.lower()
    text = _LONG_RUN.sub(r"\g<0> ", text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())[:MAX_TEXT]


def _with_pairs(run: str) -> Iterator[str]:
    """The words of one run of letters and digits; a run of CJK characters as pairs, then its last one."""
    for part in _RUNS.findall(run):
        if _HAS_CJK.match(part) is None:
            yield part[:MAX_WORD]
            continue
        for at in range(len(part) - 1):
            yield part[at : at + 2]
        yield part[-1]
