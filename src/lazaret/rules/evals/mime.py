"""The parts of a message and how they are encoded (Mail::SpamAssassin::Plugin::MIMEEval)."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence

from lazaret.mime import kernel
from lazaret.rules.evals import Settings, Subject, Test, eval_function, eval_test, forms
from lazaret.rules.evals.charsets import all_are_read, declared, foreign, in_capitals
from lazaret.rules.evals.forms import Forms
from lazaret.rules.evals.ranges import above, between, number, within

_USUAL_ALTERNATIVES = ("multipart/related", "application/rtf")
_HTML = b"text/html"
_FORWARDED_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/=]{60,76} ){2}")
_ESC = 0x1B
"""As a number: whether octets hold a single octet is found ten times as fast so."""
_JIS = re.compile(rb"\x1b\$B.*\x1b\(B", re.DOTALL)
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SMALL = b"abcdefghijklmnopqrstuvwxyz0123456789"
_HIGH = bytes(range(0x80, 0x100))
_SHORTEST_SHOUT = 200
_RATIO = re.compile(r"\d{0,3}\.\d{1,3}")


@eval_test("check_for_mime", of=forms.read)
def check_for_mime(_settings: Settings, count: str) -> Callable[[Forms], bool] | None:
    """Whether one of the counts of `Forms`, by name, is not 0."""
    if count not in forms.COUNTS:
        return None
    counted = operator.attrgetter(count)
    return lambda found: bool(counted(found))


@eval_function("check_for_mime_html")
def mime_html(subject: Subject) -> int:
    """There is an HTML part."""
    return _says_html(subject) or subject.once(forms.read).mime_body_html_count > 0


@eval_function("check_for_mime_html_only")
def mime_html_only(subject: Subject) -> int:
    """There is an HTML part and no other text."""
    found = subject.once(forms.read)
    return _says_html(subject) or (found.mime_body_html_count > 0 and not found.mime_body_text_count)


def _says_html(subject: Subject) -> bool:
    return subject.header("Content-Type")[: len(_HTML)].lower() == _HTML


@eval_test("check_mime_multipart_ratio", of=forms.read)
def multipart_ratio(_settings: Settings, low: str, high: str) -> Callable[[Forms], bool]:
    """Octets of the plain alternative to those of the HTML one."""
    fits = within(low, high)
    return lambda found: fits(found.multipart_ratio)


def _flags(subject: Subject) -> object:
    return subject.message.tree.flags or None


@eval_test("check_msg_parse_flags", of=_flags)
def parse_flags(_settings: Settings, flag: str) -> Callable[[frozenset[str]], bool]:
    """Something is wrong with the form of the message; `structure.Flag` has the names."""
    return lambda flags: flag in flags


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


def _uppercase(subject: Subject) -> float:
    """Capitals in per cent of all letters and digits; 0 of short texts, and of those that only look so."""
    charsets = [declared(subject.header("Content-Type")), *subject.once(forms.read).charsets]
    if any(map(in_capitals, charsets)):
        return 0.0
    octets, upper, lower = _letters(subject.message.body)
    return 100 * upper / (upper + lower) if octets >= _SHORTEST_SHOUT and upper + lower else 0.0


def _letters(lines: Sequence[bytes]) -> tuple[int, int, int]:
    """The octets of sentences, their capitals, and their other letters and digits."""
    counted: tuple[int, int, int] | None = kernel.text.sentences(lines) if kernel.text else None
    return _letters_in(b"".join(_sentences(lines))) if counted is None else counted


def _letters_in(text: bytes) -> tuple[int, int, int]:
    others = text.translate(None, _SMALL)
    return len(text), len(others) - len(others.translate(None, _CAPITALS)), len(text) - len(others)


def _sentences(lines: Iterable[bytes]) -> list[bytes]:
    """The lines without what is Japanese, and without those that are a single word, or forwarded base64."""
    found = []
    for line in lines:
        words = line.split(None, 1)
        if len(words) == 2 and (len(words[0]) < 60 or not _FORWARDED_BASE64.match(line)):
            found.append(_JIS.sub(b"", line) if _ESC in line else line)
    return found


@eval_test("check_for_uppercase", of=_uppercase)
def uppercase(_settings: Settings, low: str, high: str) -> Test:
    """Capitals in per cent of all letters and digits, in longer texts."""
    return above(low, high)


@eval_test("check_for_ascii_text_illegal", of=forms.read)
def ascii_text_illegal(_settings: Settings) -> Callable[[Forms], bool]:
    """A part that says it is plain ASCII is not."""
    return lambda found: found.mime_ascii_text_illegal


@eval_test("check_abundant_unicode_ratio", of=forms.read)
def abundant_unicode_ratio(_settings: Settings, ratio: str) -> Callable[[Forms], bool] | None:
    """References such as `&#x0430;` in plain text, where they mean nothing, to all its octets."""
    least = number(ratio)
    return (lambda found: found.mime_text_unicode_ratio >= least) if _RATIO.fullmatch(ratio) else None


@eval_test("check_qp_ratio", of=forms.read)
def quoted_printable_ratio(_settings: Settings, ratio: str) -> Callable[[Forms], bool]:
    """Needless escapes to octets in quoted-printable parts."""
    least = number(ratio)
    return lambda found: found.mime_qp_ratio >= least


def _longest_base64_line(subject: Subject) -> int:
    longest = 0
    for part in subject.once(forms.in_base64):
        if part.content_type != "application/ics":
            longest = max(longest, max(map(len, part.body.splitlines(keepends=True)), default=0))
    return longest


@eval_test("check_base64_length", of=_longest_base64_line)
def base64_length(_settings: Settings, low: str, high: str = "undef") -> Test:
    """The octets of the longest line of base64, its end included; RFC 2045 allows 76 and the end."""
    return between(low, high)


@eval_test("check_for_faraway_charset")
def faraway_charset(settings: Settings) -> Test | None:
    """The message declares a charset of a language that is not read here, and uses it."""
    return None if all_are_read(settings) else _is_faraway


def _is_faraway(subject: Subject) -> bool:
    charset = declared(subject.header("Content-Type"))
    if not charset or not foreign(subject, charset):
        return False
    text = b"\n".join(subject.message.body)
    high = len(text) - len(text.translate(None, _HIGH))
    return high > 3 and len(text) - high <= high
