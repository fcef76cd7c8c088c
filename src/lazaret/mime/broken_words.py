"""Does a tag stand inside a word? That is how HTML hides words from filters: v<b>i</b>agra."""

import re
from typing import NamedTuple

_WORD = r"[^\s\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]"
_NO_WORD = " \t\n\r\f\v!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_WIDE_SPACE = "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


class _Words(NamedTuple):
    """What makes a word, in text that is ASCII but for references, and in other text."""

    breaks: frozenset[str]
    end: re.Pattern[str]
    start: re.Pattern[str]


_WORDS = {
    wide: _Words(
        frozenset(_NO_WORD + _WIDE_SPACE if wide else _NO_WORD),
        re.compile(rf"\b({_WORD}{{1,7}})\Z", 0 if wide else re.A),
        re.compile(rf"({_WORD}{{1,7}})\b", 0 if wide else re.A),
    )
    for wide in (False, True)
}


class BrokenWords:
    """Counts the tags that stand inside words. `wide`: see charset.Text."""

    def __init__(self, wide: bool) -> None:
        self.breaks = _WORDS[wide].breaks
        """The characters that belong to no word."""
        self.count = 0
        self.lengths: set[tuple[int, int]] = set()
        """Lengths of the two halves, where both are short."""
        self._wide = wide

    def note(self, last: str, text: str) -> None:
        """`text` begins with a letter of a word; does the piece before it end with one?"""
        if not last or last[-1] in self.breaks:
            return
        self.count += 1
        before = _WORDS[self._wide or max(last) > "\xff"].end.search(last, max(0, len(last) - 7))
        after = _WORDS[self._wide or max(text) > "\xff"].start.match(text)
        if before and after:
            self.lengths.add((len(before[1]), len(after[1])))
