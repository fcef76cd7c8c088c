"""What hits where: the text units of each kind of rule, absent fields, counts, limits."""

import gc
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet, load

Values = Callable[..., dict[str, float]]
Rules = Callable[[str], RuleSet]


@pytest.mark.parametrize(
    "name",
    [
        "DOLLAR",
        "SUBJECT",
        "HEADER_DOLLAR",
        "HEADER_NEWLINE",
        "NO_BREAK_SPACE",
        "UMLAUT",
        "RAW",
        "FULL",
        "URI",
    ],
)
def test_text_units_are_those_of_spamassassin(values: Values, name: str) -> None:
    """As recorded from SpamAssassin 4.0.1."""
    found = values(
        r"""
        body DOLLAR /hello world$/
        body END /hello world\z/
        body SUBJECT /^TestSubj$/
        header HEADER_DOLLAR Subject =~ /TestSubj$/
        header HEADER_NEWLINE Subject =~ /TestSubj\n/
        header HEADER_END Subject =~ /TestSubj\z/
        header ADDRESS_NEWLINE From:addr =~ /\n/
        body NO_BREAK_SPACE /a b/
        body NO_BREAK_RAW /a\xc2\xa0b/
        body UMLAUT /\xc3\xa4/
        body CASE /\xc3\xa4\xc3\xa4/i
        body WORD /x\wy/
        rawbody RAW /hello\nworld/
        full FULL /^Subject:/m
        uri URI /^http:\/\/example\.com\/?$/
        """,
        body="hello\nworld\n\na\u00a0b \u00e4\u00c4 x\u00e4y see example.com now\n",
        Subject="TestSubj",
        From='"A B" <a@b.example>',
        Content_Type="text/plain; charset=utf-8",
    )
    assert name in found
    assert not {"END", "HEADER_END", "ADDRESS_NEWLINE", "NO_BREAK_RAW", "CASE", "WORD"} & set(found)


ABSENT = r"""
header EMPTY Subject =~ /^\s*$/
header NOT Subject !~ /x/
header THERE exists:Subject
header UNSET Subject =~ /^none$/ [if-unset: none]
header NOT_UNSET Subject !~ /none/ [if-unset: none]
"""


def test_an_absent_field_is_empty_or_what_if_unset_says(values: Values) -> None:
    assert {"EMPTY", "NOT", "UNSET"} == set(values(ABSENT, From="a@b.example"))


def test_a_present_field_is_itself(values: Values) -> None:
    assert {"THERE", "NOT", "NOT_UNSET"} == set(values(ABSENT, Subject="y"))
    assert {"THERE", "NOT_UNSET"} == set(values(ABSENT, Subject="x"))


def test_rules_with_tflags_multiple_count_over_all_texts(values: Values) -> None:
    found = values(
        """
        body ALL /o/
        tflags ALL multiple
        body MOST /o/
        tflags MOST multiple maxhits=3
        body ONCE /o/
        body NO_SUBJECT /o/
        tflags NO_SUBJECT multiple nosubject
        header FIELDS Received =~ /^from/m
        tflags FIELDS multiple
        """,
        body="foo\n\nfoo\n",
        Subject="oo",
        Received="from a by b\nReceived: from c by d",
    )
    assert {"ALL": 6, "MOST": 3, "ONCE": 1, "NO_SUBJECT": 4, "FIELDS": 2} == found


def test_look_around_and_back_references_are_confirmed(values: Values) -> None:
    text = r"""
    body REAL /foo(?!bar)/
    body NOT /food(?!ie)/
    body TWICE /(\w{6}) \1/
    """
    assert {"REAL", "TWICE"} == set(values(text, body="foodie foodie fob\n"))


def test_a_captured_text_stands_in_other_expressions(values: Values) -> None:
    text = r"""
    header __TO To:addr =~ /(?<RECIPIENT>.*)/
    uri LEADS /\?for=%{RECIPIENT}/
    uri OTHER /\?for=%{NOBODY}/
    """
    assert "LEADS" in values(text, body="http://a.com/?for=b.c@d.example\n", To="b.c@d.example")
    assert "LEADS" not in values(text, body="http://a.com/?for=bxc@d.example\n", To="b.c@d.example")
    assert "OTHER" not in values(text, body="http://a.com/?for=\n", To="b.c@d.example")


def test_a_rule_that_only_captures_runs_for_those_that_need_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text(
        "header __TO To:addr =~ /(?<RECIPIENT>.*)/\nuri LEADS /\\?for=%{RECIPIENT}/\n"
    )
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    mail = message.parse(b"To: b.c@d.example\n\nhttp://a.com/?for=b.c@d.example\n")
    assert ("LEADS",) == tuple(name for name, _ in ruleset.evaluate(mail, 0).hits)


def test_a_captured_text_is_that_of_the_message(rules: Rules) -> None:
    ruleset = rules("header __TO To:addr =~ /(?<RECIPIENT>.*)/\nuri LEADS /\\?for=%{RECIPIENT}/\n")

    def leads(to: bytes, link: bytes) -> bool:
        mail = message.parse(b"To: %s\n\nhttp://a.com/?for=%s\n" % (to, link))
        return bool(ruleset.evaluate(mail, 0).hits)

    assert leads(b"b.c@d.example", b"b.c@d.example")
    assert not leads(b"e@f.example", b"b.c@d.example")
    assert leads(b"b.c@d.example", b"b.c@d.example")
    long = b"x" * 600 + b"@d.example"
    assert leads(long, long)
    assert not leads(b"e@f.example", long)


def test_mimeheader_rules_look_at_every_part(values: Values) -> None:
    body = "--b\nContent-Type: image/gif;\n name=x.gif\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n"
    found = values(
        r"""
        mimeheader GIF Content-Type =~ /^image\/gif; name/
        mimeheader FOLDED Content-Type:raw =~ /^image\/gif;\n name/
        mimeheader NO_PDF Content-Type !~ /pdf/
        mimeheader NO_GIF Content-Type !~ /gif/
        mimeheader UNSET Content-Id =~ /^none/ [if-unset: none]
        mimeheader NO_ID Content-Id !~ /x/
        mimeheader ID Content-Id =~ /^/
        mimeheader CASE content-TYPE =~ /gif/
        mimeheader ANY ALL =~ /^Content-Type: text/m
        """,
        body=body,
        Content_Type="multipart/mixed; boundary=b",
    )
    assert {"GIF", "FOLDED", "NO_PDF", "UNSET", "NO_ID", "ID", "CASE", "ANY"} == set(found)


def test_the_detail_is_what_matched_on_one_short_line(rules: Rules) -> None:
    ruleset = rules(
        """
        body A /free.*money/
        body LONG /x+/
        body __B /be\\w+/
        meta M __B && !__C
        describe A a
        """
    )
    raw = f"Subject: s\n\nfree \x1b[31mmoney best {'x' * 500}\n".encode()
    details = dict(ruleset.evaluate(message.parse(raw), 0).hits)
    assert "free [31mmoney" == details["A"]
    assert "best" == details["M"]
    assert 80 == len(details["LONG"])


def test_a_catastrophic_rule_costs_a_budget_and_no_other_rule(rules: Rules) -> None:
    ruleset = rules("body EVIL /^(?:a+)+!(?!\\s)/\nbody FINE /a/\nbody LATER /zebra/\n")
    text = b"Subject: s\n\n" + (b"a" * 1500 + b"!\n\n") * 30 + b"zebra\n"
    started = time.process_time()
    found = ruleset.evaluate(message.parse(text), 0)
    assert time.process_time() - started < 1
    assert ["FINE", "LATER"] == [name for name, _ in found.hits]
    assert "EVIL" in found.exceeded


def test_when_time_is_up_what_was_found_counts(rules: Rules) -> None:
    found = rules("header A Subject =~ /s/\nbody B /zebra/\n").evaluate(
        message.parse(b"Subject: s\n\nzebra\n"), 0, seconds=-1
    )
    assert ("A", "s") in found.hits
    assert "took more than" in found.exceeded


HOSTILE = {
    "one line": b"a" * 1_000_000,
    "paragraphs": b"a\n\n" * 333_333,
    "open tags": b"Content-Type: text/html\n\n" + b"<a href=" * 125_000,
    "links": b"http://a.example/ " * 55_000,
    "header": b"X-Long: " + b"a " * 500_000 + b"\n\n",
    "fields": b"A: b\n" * 200_000,
    "high octets": b"\xd0\xb0\xff" * 333_333,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_megabyte_of_anything_takes_less_than_a_second_beyond_its_views(rules: Rules, kind: str) -> None:
    ruleset = rules(
        r"""
        body __E /e/
        tflags __E multiple
        body A /a(?!b)/
        tflags A multiple
        rawbody B /(\w)\1/
        uri C /example(?!x)/
        full D /(?:a|b)+$/
        header E ALL =~ /a{3}(?=a)/
        header F X-Long =~ /(?:a )+$/
        """
    )
    parsed = message.parse(
        b"Subject: s\n" + (b"" if kind in ("header", "fields", "open tags") else b"\n") + HOSTILE[kind]
    )
    for view in ("body", "rawbody", "uris", "parts", "relays"):
        getattr(parsed, view)
    started = time.process_time()
    ruleset.evaluate(parsed, 0, seconds=0.8)
    assert time.process_time() - started < 1


def test_a_message_goes_when_its_rules_have_run(rules: Rules) -> None:
    """Without waiting for the collector, which workers seldom call."""
    ruleset = rules("body A /a/\nheader B eval:check_for_missing_to_header()\nmeta C A || X_NONE\n")
    parsed = message.parse(b"Subject: s\nTo: a@example.org\n\na http://a.example/\n")
    known = weakref.ref(parsed)
    ruleset.evaluate(parsed, 0)
    gc.disable()
    try:
        del parsed
        assert known() is None
    finally:
        gc.enable()
