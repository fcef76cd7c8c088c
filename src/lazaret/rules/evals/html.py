"""Facts about the HTML part (Mail::SpamAssassin::Plugin::HTMLEval)."""

import dataclasses
import operator
import re
from collections.abc import Callable

from lazaret.mime.html import HtmlFacts
from lazaret.rules.evals import Settings, Subject, Test, eval_function, eval_test
from lazaret.rules.evals.matching import matcher
from lazaret.rules.evals.ranges import above, number

FactsTest = Callable[[HtmlFacts], float]
NumberTest = Callable[[float], bool]

_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([+-]?\s*\d+)\s*")
_COMPARE = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_DEFAULTS = HtmlFacts()
_NUMBERS = frozenset(
    fact.name
    for fact in dataclasses.fields(HtmlFacts)
    if isinstance(getattr(_DEFAULTS, fact.name), int | float | None)
)
"""Facts that are numbers, or None where they do not apply."""


def facts(subject: Subject) -> HtmlFacts | None:
    """What is known of the HTML part; None when there is none."""
    known = subject.message.html
    return known if known.html else None


def _length_with_images(subject: Subject) -> int | None:
    known = subject.message.html
    return known.length if "img" in known.inside else None


def _text_to_image(subject: Subject) -> float | None:
    """Characters of text to square pixels of image."""
    known = subject.message.html
    return known.non_space_len / known.image_area if known.image_area > 0 else None


def _title_to_subject(subject: Subject) -> float | None:
    """How many times as long as the subject the longest title is."""
    titles = subject.message.html.title
    length = len(subject.header("Subject")) if titles else 0
    return max(len(title.encode("utf-8", "replace")) for title in titles) / length if length else None


@eval_test("html_tag_exists", of=facts)
def tag_exists(_settings: Settings, tag: str) -> FactsTest:
    return lambda known: tag in known.inside


@eval_test("html_tag_balance", of=facts)
def tag_balance(_settings: Settings, tag: str, comparison: str) -> FactsTest | None:
    """How often the tag is still open at the end, compared: `html_tag_balance('html', '> 1')`."""
    holds = _comparing(comparison)
    return (lambda known: tag in known.inside and holds(known.inside[tag])) if holds else None


@eval_test("html_image_only", of=_length_with_images)
def image_only(_settings: Settings, low: str, high: str) -> Test:
    """There is an image, and little text."""
    return above(low, high)


@eval_test("html_image_ratio", of=_text_to_image)
def image_ratio(_settings: Settings, low: str, high: str) -> Test:
    """Characters of text to square pixels of image."""
    return above(low, high)


@eval_test("html_test", of=facts)
def test(_settings: Settings, name: str) -> FactsTest:
    return lambda known: bool(getattr(known, name, None))


@eval_test("html_eval", of=facts)
def compare(_settings: Settings, name: str, comparison: str) -> FactsTest | None:
    return _of_number(name, _comparing(comparison))


@eval_test("html_range", of=facts)
def value_in_range(_settings: Settings, name: str, low: str, high: str = "inf") -> FactsTest | None:
    return _of_number(name, above(low, high))


@eval_test("html_text_match", of=facts)
def text_match(_settings: Settings, name: str, expression: str) -> Callable[[HtmlFacts], str]:
    """Some title, comment, script or anchor text matches."""
    matches = matcher(expression)

    def shown(known: HtmlFacts) -> str:
        for text in getattr(known, name, None) or ():
            if matches(text):
                return str(text.strip() or name)
        return ""

    return shown


@eval_test("html_text_not_match", of=facts)
def text_not_match(_settings: Settings, name: str, expression: str) -> FactsTest:
    matches = matcher(expression)
    return lambda known: any(not matches(text) for text in getattr(known, name, None) or ())


@eval_test("html_title_subject_ratio", of=_title_to_subject)
def title_subject_ratio(_settings: Settings, ratio: str) -> NumberTest:
    """The longest title is so many times as long as the subject."""
    least = number(ratio)
    return lambda found: found > least


@eval_function("check_iframe_src")
def iframe_source(subject: Subject) -> int:
    return any(link.tag == "iframe" for link in subject.message.links)


def _comparing(comparison: str) -> NumberTest | None:
    """`> 1` as a test; None when it is no comparison."""
    found = _COMPARISON.fullmatch(comparison)
    if not found:
        return None
    holds, other = _COMPARE[found[1]], int(found[2].replace(" ", ""))
    return lambda value: bool(holds(value, other))


def _of_number(name: str, holds: NumberTest | None) -> FactsTest | None:
    """The test of a fact that is a number; None when there is no such fact."""
    if holds is None or name not in _NUMBERS:
        return None

    def test_of_fact(known: HtmlFacts) -> bool:
        value = getattr(known, name)
        return value is not None and holds(value)

    return test_of_fact
