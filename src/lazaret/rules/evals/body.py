"""The text as a whole: its length, its blank lines, how far its alternatives differ (Plugin::BodyEval)."""

import math
import operator
import re
from collections import Counter
from collections.abc import Callable
from itertools import filterfalse, repeat
from typing import NamedTuple

from lazaret.mime.part import Part
from lazaret.rules.evals import Settings, Subject, eval_test
from lazaret.rules.evals.ranges import number

_WORD = re.compile(r"\w")
_MEETING = ["multipart/alternative", "text/html", "text/calendar"]
"""An invitation of Exchange: its HTML has no plain counterpart."""
_IMAGE = "\n"
"""Stands for an image in a part without words; no word is a line end."""


class Alternatives(NamedTuple):
    """How far the text and the HTML of multipart/alternative differ."""

    difference: float = 0.0
    """The greatest: words of the HTML that the plain text lacks, in per cent."""
    html: int = 0
    """Different words of the last one that has HTML."""
    text: int = 0


def _octets(subject: Subject) -> int:
    return len(subject.message.raw) - subject.message.header.body_start


@eval_test("check_body_length", of=_octets)
def body_length(_settings: Settings, most: str) -> Callable[[int], bool]:
    """The body, as it came, has at most so many octets."""
    limit = number(most)
    return lambda octets: octets <= limit


def _lines(subject: Subject) -> tuple[int, int]:
    """How many lines there are, and how many of them are blank."""
    lines = [line for chunk in subject.message.rawbody for line in chunk.split(b"\n")]
    return len(lines), sum(not line.strip() for line in lines)


@eval_test("check_blank_line_ratio", of=_lines)
def blank_line_ratio(
    _settings: Settings, low: str, high: str, least_lines: str = "1"
) -> Callable[[tuple[int, int]], bool]:
    """Blank lines in per cent of all lines; a message with fewer lines counts as -1."""
    least, most, fewest = _least(low), number(high), max(number(least_lines), 1)

    def holds(lines: tuple[int, int]) -> bool:
        ratio = -1.0 if lines[0] < fewest else 100 * lines[1] / lines[0]
        return least < ratio <= most

    return holds


_ALIKE = Alternatives()


def _alternatives(subject: Subject) -> Alternatives:
    message = subject.message
    found = _ALIKE
    kinds = [part.content_type for part in message.parts]
    if "multipart/alternative" not in kinds or kinds == _MEETING:
        return found
    texts = dict(
        zip((id(p) for p in message.parts if p.leaf and p.content_type), message.rendered, strict=True)
    )
    for alternative in message.parts:
        if alternative.content_type != "multipart/alternative":
            continue
        html: Counter[str] = Counter()
        text: Counter[str] = Counter()
        for part in alternative.walk():
            if not part.leaf or not part.content_type.startswith("text"):
                continue
            (html if _is_html(part) else text).update(_words(texts[id(part)].text.characters))
            if _is_html(part) and not html and "img" in message.html.inside:
                html[_IMAGE] = 1
        if html:
            left = sum(map(operator.gt, html.values(), map(text.get, html, repeat(0))))
            found = Alternatives(max(found.difference, 100 * left / len(html)), len(html), len(text))
    return found


def _is_html(part: Part) -> bool:
    return part.effective_type == "text/html"


def _words(text: str) -> dict[str, int]:
    """How often each word occurs; what has neither letter nor digit is none."""
    counts = Counter(text.split())
    for word in [*filterfalse(str.isalnum, counts)]:
        if not _WORD.search(word):
            del counts[word]
    return counts


@eval_test("multipart_alternative_difference", of=_alternatives)
def alternative_difference(_settings: Settings, low: str, high: str) -> Callable[[Alternatives], bool]:
    """Words of the HTML that the plain text lacks, in per cent."""
    least = _least(low)
    most = math.inf if high == "undef" else number(high)
    return lambda found: least < found.difference <= most


@eval_test("multipart_alternative_difference_count", of=_alternatives)
def alternative_difference_count(
    _settings: Settings, ratio: str, least: str
) -> Callable[[Alternatives], bool]:
    """The plain text has so many times the words of the HTML."""
    fewest, limit = number(least), number(ratio)
    return lambda found: found.html > fewest and found.html > 0 and found.text / found.html > limit


class _HighestEnd:
    """Where the range of every rule ends: of a line with more blanks, none wants to know."""

    def __init__(self, _settings: Settings) -> None:
        self.blanks = 0.0


def _blankest(subject: Subject) -> int | None:
    """Blanks in per cent of other characters, in the line where there are most; -1 without any line.

    None when no rule wants to know: one of the first lines says so of nearly all mail.
    """
    end = subject.settings.once(_HighestEnd).blanks
    most = -1
    for line in subject.message.body:
        octets = len(line)
        if octets > 5:
            blanks = line.count(b" ")
            share = 100 if 2 * blanks > octets else 100 * blanks // (octets - blanks)
            if share >= end:
                return None
            most = max(most, share)
    return most


@eval_test("tvd_vertical_words", of=_blankest)
def vertical_words(settings: Settings, low: str, high: str) -> Callable[[int], bool]:
    """So many blanks, in per cent of other characters; the most there is, 100, is below an end of 100."""
    least, end = number(low), 101 if number(high) >= 100 else number(high)
    highest = settings.once(_HighestEnd)
    highest.blanks = max(highest.blanks, end)
    return lambda most: least <= most < end


def _least(low: str) -> float:
    """The lower end of a range; one that begins at 0 has none."""
    return number(low) or -math.inf
