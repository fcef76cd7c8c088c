"""Text that people do not see, and letters that are not what they look like."""

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from lazaret.rules.evals import Settings, Subject, eval_function, eval_test
from lazaret.rules.evals.ranges import number

_MOST = 50
"""Counts stop here."""
_WORD = re.compile(r"[A-Za-z\u0370-\u03ff\u0400-\u04ff]{3,}")
_LATIN = re.compile(r"[A-Za-z]")
_OTHER = re.compile(r"[\u0370-\u03ff\u0400-\u04ff]")
_CONTINUATIONS = bytes(range(0x80, 0xC0))
_SCRIPTS = bytes.maketrans(
    bytes([*range(0x41, 0x5B), *range(0x61, 0x7B), *range(0xCD, 0xD4)]), b"L" * 52 + b"O" * 7
)
"""In UTF-8 the octets 0xCD to 0xD3 begin all letters of `_OTHER`."""


class Sizes(NamedTuple):
    """Characters of text, blanks left out."""

    hidden: int
    all: int


class _Fewest:
    """So many characters must be hidden for any rule to want to know."""

    def __init__(self, _settings: Settings) -> None:
        self.hidden = math.inf


def _sizes(subject: Subject) -> Sizes | None:
    """None where no rule wants to know: the text of most messages need not be counted."""
    pages = subject.message.rendered
    hidden = sum([_size(page.invisible.characters) for page in pages if page.html is not None])
    if not hidden or hidden < subject.settings.once(_Fewest).hidden:
        return None
    return Sizes(hidden, sum([_size(page.text.characters) for page in pages]))


@eval_test("lz_hidden_text", of=_sizes)
def hidden_text(settings: Settings, least: str, percent: str) -> Callable[[Sizes], bool]:
    """So many characters of the HTML are hidden, and so many per cent of all text."""
    fewest, share = number(least), number(percent)
    known = settings.once(_Fewest)
    known.hidden = min(known.hidden, fewest)
    return lambda sizes: sizes.hidden >= fewest and sizes.hidden * 100 >= sizes.all * share


def _size(text: str) -> int:
    return sum(map(len, text.split()))


@eval_function("lz_mixed_script")
def mixed_script(subject: Subject) -> int:
    """How many words mix Latin with Cyrillic or Greek letters."""
    text = b"".join(subject.message.body)
    if text.isascii():
        return 0
    scripts = text.translate(_SCRIPTS, _CONTINUATIONS)
    if b"LO" not in scripts and b"OL" not in scripts:
        return 0
    count = 0
    for line in subject.message.body:
        for word in _WORD.finditer(line.decode("utf-8", "replace")):
            if _LATIN.search(word[0]) and _OTHER.search(word[0]):
                count += 1
                if count == _MOST:
                    return count
    return count
