"""Facts about the HTML part (Mail::SpamAssassin::Plugin::HTMLEval)."""

import operator
import re

from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.matching import matches
from lazaret.rules.evals.ranges import above, number

_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([+-]?\s*\d+)\s*")
_COMPARE = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@eval_function("html_tag_exists")
def tag_exists(subject: Subject, tag: str) -> int:
    return tag in subject.message.html.inside


@eval_function("html_tag_balance")
def tag_balance(subject: Subject, tag: str, comparison: str) -> int:
    """How often the tag is still open at the end, compared: `html_tag_balance('html', '> 1')`."""
    inside = subject.message.html.inside
    return tag in inside and _compare(inside[tag], comparison)


@eval_function("html_image_only")
def image_only(subject: Subject, low: str, high: str) -> int:
    """There is an image, and little text."""
    facts = subject.message.html
    return "img" in facts.inside and above(facts.length, low, high)


@eval_function("html_image_ratio")
def image_ratio(subject: Subject, low: str, high: str) -> int:
    """Characters of text to square pixels of image."""
    facts = subject.message.html
    return facts.image_area > 0 and above(facts.non_space_len / facts.image_area, low, high)


@eval_function("html_test")
def test(subject: Subject, name: str) -> int:
    return bool(getattr(subject.message.html, name, None))


@eval_function("html_eval")
def compare(subject: Subject, name: str, comparison: str) -> int:
    value = getattr(subject.message.html, name, None)
    return subject.message.html.html and isinstance(value, int | float) and _compare(value, comparison)


@eval_function("html_range")
def value_in_range(subject: Subject, name: str, low: str, high: str = "inf") -> int:
    value = getattr(subject.message.html, name, None)
    return subject.message.html.html and isinstance(value, int | float) and above(value, low, high)


@eval_function("html_text_match")
def text_match(subject: Subject, name: str, expression: str) -> str:
    """Some title, comment, script or anchor text matches."""
    for text in getattr(subject.message.html, name, None) or ():
        if matches(expression, text):
            return text.strip() or name
    return ""


@eval_function("html_text_not_match")
def text_not_match(subject: Subject, name: str, expression: str) -> int:
    return any(not matches(expression, text) for text in getattr(subject.message.html, name, None) or ())


@eval_function("html_title_subject_ratio")
def title_subject_ratio(subject: Subject, ratio: str) -> int:
    """The longest title is so many times as long as the subject."""
    length = len(subject.header("Subject"))
    titles = [len(title.encode("utf-8", "replace")) for title in subject.message.html.title]
    return bool(length and titles) and max(titles) / length > number(ratio)


@eval_function("check_iframe_src")
def iframe_source(subject: Subject) -> int:
    return any(link.tag == "iframe" for link in subject.message.links)


def _compare(value: float, comparison: str) -> bool:
    found = _COMPARISON.fullmatch(comparison)
    return bool(found and _COMPARE[found[1]](value, int(found[2].replace(" ", ""))))
