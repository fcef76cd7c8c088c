"""ReplaceTags: tags in expressions, what goes between and around them."""

from collections.abc import Callable

from lazaret.rules import RuleSet
from lazaret.rules.replace_tags import ReplaceTags

Rules = Callable[[str], RuleSet]


def test_a_tag_stands_for_its_text_even_nested() -> None:
    tags = ReplaceTags(tags={"A": "[a@]", "W": "<A>b"})
    assert "[a@]b-[a@]" == tags.apply("<W>-<A>")


def test_what_is_no_tag_stays() -> None:
    assert "<html><B>" == ReplaceTags(tags={"A": "x"}).apply("<html><B>")


def test_inter_goes_between_adjacent_tags_and_post_after_each() -> None:
    tags = ReplaceTags(tags={"A": "a", "B": "b"})
    tags.around["inter"]["W"] = r"\W?"
    tags.around["post"]["P"] = "{1,2}"
    assert r"a{1,2}\W?b{1,2} a{1,2}" == tags.apply("<inter W><post P><A><B> <A>")


def test_only_listed_rules_are_changed(rules: Rules) -> None:
    book = rules("replace_tag A [a@]\nbody LISTED /b<A>d/\nbody OTHER /b<A>d/\nreplace_rules LISTED\n").book
    assert b"b[a@]d" == book.rules["LISTED"].regex.source
    assert b"b<A>d" == book.rules["OTHER"].regex.source
