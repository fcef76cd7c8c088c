"""Facts about the HTML parts, of which any may pass (Mail::SpamAssassin::Plugin::HTMLEval)."""

import dataclasses
import operator
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from lazaret.mime.html import HtmlFacts
from lazaret.rules.evals import Answer, Settings, Subject, Test, eval_function, eval_test
from lazaret.rules.evals.matching import matcher
from lazaret.rules.evals.ranges import above, number

PagesTest = Callable[[Sequence[HtmlFacts]], Answer]
NumberTest = Callable[[float], bool]
T = TypeVar("T")

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


def _pages(subject: Subject) -> tuple[HtmlFacts, ...] | None:
    """What is known of each HTML part; None when there is none."""
    return tuple(page for page in subject.message.pages if page.html) or None


def _lengths_with_images(subject: Subject) -> tuple[int, ...] | None:
    return tuple(page.length for page in subject.message.pages if "img" in page.inside) or None


def _texts_to_images(subject: Subject) -> tuple[float, ...] | None:
    """Characters of text to square pixels of image."""
    with_images = (page for page in subject.message.pages if page.image_area > 0)
    return tuple(page.non_space_len / page.image_area for page in with_images) or None


def _titles_to_subject(subject: Subject) -> tuple[float, ...] | None:
    """How many times as long as the subject the longest title is."""
    titles = [page.title for page in subject.message.pages if page.title]
    length = len(subject.header("Subject")) if titles else 0
    return tuple(_longest(of_page) / length for of_page in titles) if length else None


def _longest(titles: Sequence[str]) -> int:
    return max(len(title.encode("utf-8", "replace")) for title in titles)


def _of_any(test: Callable[[T], Answer]) -> Callable[[Sequence[T]], Answer]:
    """What the test says of the first page that passes it. Nearly all messages have one page at most."""

    def of_any(found: Sequence[T]) -> Answer:
        if len(found) == 1:
            return test(found[0])
        return next((answer for answer in map(test, found) if answer), False)

    return of_any


@eval_test("html_tag_exists", of=_pages)
def tag_exists(_settings: Settings, tag: str) -> PagesTest:
    return _of_any(lambda page: tag in page.inside)


@eval_test("html_tag_balance", of=_pages)
def tag_balance(_settings: Settings, tag: str, comparison: str) -> PagesTest | None:
    """How often the tag is still open at the end, compared: `html_tag_balance('html', '> 1')`."""
    holds = _comparing(comparison)
    return _of_any(lambda page: tag in page.inside and holds(page.inside[tag])) if holds else None


@eval_test("html_image_only", of=_lengths_with_images)
def image_only(_settings: Settings, low: str, high: str) -> Test:
    """There is an image, and little text."""
    return _of_any(above(low, high))


@eval_test("html_image_ratio", of=_texts_to_images)
def image_ratio(_settings: Settings, low: str, high: str) -> Test:
    """Characters of text to square pixels of image."""
    return _of_any(above(low, high))


@eval_test("html_test", of=_pages)
def test(_settings: Settings, name: str) -> PagesTest:
    return _of_any(lambda page: bool(getattr(page, name, None)))


@eval_test("html_eval", of=_pages)
def compare(_settings: Settings, name: str, comparison: str) -> PagesTest | None:
    return _of_number(name, _comparing(comparison))


@eval_test("html_range", of=_pages)
def value_in_range(_settings: Settings, name: str, low: str, high: str = "inf") -> PagesTest | None:
    return _of_number(name, above(low, high))


@eval_test("html_text_match", of=_pages)
def text_match(_settings: Settings, name: str, expression: str) -> PagesTest:
    """Some title, comment, script or anchor text matches."""
    matches = matcher(expression)

    def shown(page: HtmlFacts) -> str:
        for text in getattr(page, name, None) or ():
            if matches(text):
                return str(text.strip() or name)
        return ""

    return _of_any(shown)


@eval_test("html_text_not_match", of=_pages)
def text_not_match(_settings: Settings, name: str, expression: str) -> PagesTest:
    matches = matcher(expression)
    return _of_any(lambda page: any(not matches(text) for text in getattr(page, name, None) or ()))


@eval_test("html_title_subject_ratio", of=_titles_to_subject)
def title_subject_ratio(_settings: Settings, ratio: str) -> Test:
    """The longest title is so many times as long as the subject."""
    least = number(ratio)
    return _of_any(lambda found: found > least)


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


def _of_number(name: str, holds: NumberTest | None) -> PagesTest | None:
    """The test of a fact that is a number; None when there is no such fact."""
    if holds is None or name not in _NUMBERS:
        return None

    def test_of_fact(page: HtmlFacts) -> bool:
        value = getattr(page, name)
        return value is not None and holds(value)

    return _of_any(test_of_fact)
