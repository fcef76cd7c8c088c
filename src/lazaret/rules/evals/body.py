"""The text as a whole: its length, its blank lines, how far its alternatives differ (Plugin::BodyEval)."""

import re
from collections import Counter

from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.ranges import number

_WORD = re.compile(r"\w")
_MEETING = ["multipart/alternative", "text/html", "text/calendar"]
"""An invitation of Exchange: its HTML has no plain counterpart."""
_IMAGE = "\n"
"""Stands for an image in a part without words; no word is a line end."""


@eval_function("check_body_length")
def body_length(subject: Subject, most: str) -> int:
    """The body, as it came, has at most so many octets."""
    return len(subject.message.raw) - subject.message.header.body_start <= number(most)


@eval_function("check_blank_line_ratio")
def blank_line_ratio(subject: Subject, low: str, high: str, least_lines: str = "1") -> int:
    """Blank lines in per cent of all lines; a message with fewer lines counts as -1."""
    lines = [line for chunk in subject.message.rawbody for line in chunk.split(b"\n")]
    blank = sum(not line.strip() for line in lines)
    ratio = -1.0 if len(lines) < max(number(least_lines), 1) else 100 * blank / len(lines)
    return (number(low) == 0 and ratio <= number(high)) or number(low) < ratio <= number(high)


@eval_function("multipart_alternative_difference")
def alternative_difference(subject: Subject, low: str, high: str) -> int:
    """Words of the HTML that the plain text lacks, in per cent."""
    difference = subject.once(_alternatives)[0]
    return (number(low) == 0 or difference > number(low)) and (high == "undef" or difference <= number(high))


@eval_function("multipart_alternative_difference_count")
def alternative_difference_count(subject: Subject, ratio: str, least: str) -> int:
    """The plain text has so many times the words of the HTML."""
    _, html, text = subject.once(_alternatives)
    return html > number(least) and text / html > number(ratio)


@eval_function("tvd_vertical_words")
def vertical_words(subject: Subject, low: str, high: str) -> int:
    """Blanks in per cent of other characters, in the line where there are most."""
    most = -1
    for line in subject.message.body:
        if len(line) > 5:
            blanks = line.count(b" ")
            others = len(line) - blanks
            most = max(most, 100 if blanks > others else 100 * blanks // others)
    return number(low) <= most < (101 if number(high) >= 100 else number(high))


def _alternatives(subject: Subject) -> tuple[float, int, int]:
    """The greatest difference, and the different words of HTML and text of the last alternative."""
    message = subject.message
    texts = dict(zip((id(p) for p in message.parts if p.leaf), message.rendered, strict=True))
    alternatives = [p for p in message.parts if p.content_type == "multipart/alternative"]
    if [p.content_type for p in message.parts] == _MEETING:
        return 0.0, 0, 0
    greatest, html_words, text_words = 0.0, 0, 0
    for alternative in alternatives:
        html: Counter[str] = Counter()
        text: Counter[str] = Counter()
        for part in alternative.walk():
            if not part.leaf or not part.content_type.startswith("text"):
                continue
            shown = texts[id(part)].text.characters
            words = (w for w in shown.split() if _WORD.search(w))
            (html if part.effective_type == "text/html" else text).update(words)
            if part.effective_type == "text/html" and not html and "img" in message.html.inside:
                html[_IMAGE] = 1
        if html:
            html_words, text_words = len(html), len(text)
            left = sum(1 for word, count in html.items() if count > text.get(word, 0))
            greatest = max(greatest, 100 * left / len(html))
    return greatest, html_words, text_words
