"""HTML is cut into tokens as HTML::Parser cuts it."""

import pytest

from lazaret.mime.html_tokens import TOKEN_LIMIT, Tokenizer, attributes


class Recorder(Tokenizer):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def start(self, tag: str, written: str) -> None:
        self.seen.append(f"<{tag}>")

    def end(self, tag: str) -> None:
        self.seen.append(f"</{tag}>")

    def text(self, text: str) -> None:
        self.seen.append(text)

    def doctype(self) -> None:
        self.seen.append("!")


def tokens(source: str) -> str:
    recorder = Recorder()
    recorder.read(source)
    return "|".join(recorder.seen + [f"#{comment}" for comment in recorder.comments])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a<B x=1>c</b >d", "a|<b>|c|</b>|d"),
        ("a < b <1>c", "a |< b |<1>c"),
        ("a <b", "a |#<b"),
        ('a <b c="d <i>x</i>', 'a |#<b c="d <i>x</i>'),
        ("<b<i>x", "<b<i>|x"),
        ('</b x="a>b">c</ b>d</>e', "</b>|c|d|e|#</ b>|#</>"),
        ("x<!-- a -- > y <!--> z -->w", "x| y |w|#<!-- a -- >|#<!--> z -->"),
        ("x<!-- a <b>c</b> d", "x|c|</b>| d|#<!-- a <b>"),
        ("x<! foo>y<!foo bar>z", "x|y|z|#<! foo>|#<!foo bar>"),
        ('<!DOCTYPE html "x > y">w', "!|w"),
        ("x<![if mso 9]>y<![endif]>z", "x|y|z|#<![if mso 9]>|#<![endif]>"),
        ("x<![CDATA[ y <b> &amp; ]]>z", "x| y <b> &amp; |z"),
        ("x<![IGNORE[ y ]]>z", "x|z"),
        ("x<?php a > b", "x| b"),
        ("<title>a &amp; <b>c</title>d", "<title>|a & <b>c|</title>|d"),
        ("<title>a <b>c", "<title>|a |</title>|<b>|c"),
        ("<textarea>a <b>&amp;", "<textarea>|a <b>&"),
        ("<script>a<b></scriptx></script >y", "<script>|a<b></scriptx>|</script>|y"),
        ("<style>a<b>", "<style>|a<b>|</style>"),
        ("<plaintext>a</plaintext>b", "<plaintext>|a</plaintext>b"),
        ("a  ", "a|  "),
    ],
)
def test_tokens(source: str, expected: str) -> None:
    assert expected == tokens(source)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (" href=x HREF=y", {"href": "x"}),
        (" a b = 'c d' e=\"f>g\"h=i", {"a": "a", "b": "c d", "e": "f>g", "h": "i"}),
        (" a= b==c /", {"a": "b==c", "/": "/"}),
        (" a=&amp;b=1&copy=2", {"a": "&b=1©=2"}),
        (" a=", {"a": ""}),
    ],
)
def test_attributes(written: str, expected: dict[str, str]) -> None:
    assert expected == attributes(written)
    assert expected == attributes(written + " " * 300)


def test_too_many_tokens_are_left_and_told() -> None:
    recorder = Recorder()
    recorder.read("<b>" * 300_000)
    assert recorder.over_budget
    assert TOKEN_LIMIT == len(recorder.seen)


def test_text_and_the_tag_after_it_count_as_two_tokens() -> None:
    recorder = Recorder()
    recorder.read("<b>" + "x<b>" * 200_000)
    assert recorder.over_budget
    assert TOKEN_LIMIT == len(recorder.seen)
    assert "x" == recorder.seen[-1]
