"""Text that people do not see, and letters that are not what they look like."""

import re

from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.ranges import number

_MOST = 50
"""Counts stop here."""
_WORD = re.compile(r"[A-Za-z\u0370-\u03ff\u0400-\u04ff]{3,}")
_LATIN = re.compile(r"[A-Za-z]")
_OTHER = re.compile(r"[\u0370-\u03ff\u0400-\u04ff]")


@eval_function("lz_hidden_text")
def hidden_text(subject: Subject, least: str, percent: str) -> int:
    """So many characters of the HTML are hidden, and so many per cent of all text."""
    hidden = shown = 0
    for rendered in subject.message.rendered:
        shown += _size(rendered.text.characters)
        if rendered.html is not None:
            hidden += _size(rendered.invisible.characters)
    return hidden >= number(least) and hidden * 100 >= shown * number(percent) and hidden > 0


def _size(text: str) -> int:
    return sum(map(len, text.split()))


@eval_function("lz_mixed_script")
def mixed_script(subject: Subject) -> int:
    """How many words mix Latin with Cyrillic or Greek letters."""
    count = 0
    for line in subject.message.body:
        if line.isascii():
            continue
        for word in _WORD.finditer(line.decode("utf-8", "replace")):
            if _LATIN.search(word[0]) and _OTHER.search(word[0]):
                count += 1
                if count == _MOST:
                    return count
    return count
