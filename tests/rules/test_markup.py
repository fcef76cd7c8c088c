"""Marked-up messages against SpamAssassin's own, and the templates one by one."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import sources, syntax
from lazaret.rules.book import Book
from lazaret.rules.markup import mark_up
from lazaret.rules.tags import Marks, Place, wrap

PLACE = Place("vm", 1_732_000_000)
KNOWN_TO_DIFFER = {
    "extracttext-01": "the plug-in ExtractText is not built in",
    "mimeheader-01": "a `multiple` rule is named once, not once a match",
    "rule_multiple-01": "the same",
    "rule_multiple-02": "the same",
    "whitelist_subject-02": "recorded without the enable_compat line of the configuration",
} | dict.fromkeys(
    [
        *(f"freemail-{n:02}" for n in (1, 3, 4, 5, 6, 8, 9, 10)),
        *(f"shortcircuit-{n:02}" for n in (1, 2, 3, 4)),
        *("olevbmacro-08", "phishing-01", "phishing-02"),
    ],
    "tags and details that a plug-in of SpamAssassin sets",
)
_HEADER_LINE = rb"^\t\* {1,2}-?[\d.]+ [^\n]*\n(?:\t\* {5,}[^\n]*\n)*"
_SUMMARY_LINE = rb"^ ?-?[\d.]{3,5} [A-Z][^\n]*\n(?: {20,}[^\n]*\n)*"

MAIL = b"From: A <a@b.example>\nSubject: offer\nX-Spam-Flag: NO\n\nBuy now.\n"
FIELDS = "clear_headers\nreport_safe 0\nadd_header all Note"


def comparable(octets: bytes) -> bytes:
    """With one boundary for all, and the rules of a report in the order of their names.

    SpamAssassin gives them in an order that changes from run to run.
    """
    octets = re.sub(rb"----------=_[0-9A-F]+\.[0-9A-F]+", b"BOUNDARY", octets)
    for line in (_HEADER_LINE, _SUMMARY_LINE):
        block = rb"(?:" + line + rb")+"
        octets = re.sub(
            block, lambda m, one=line: b"".join(sorted(re.findall(one, m[0], re.M))), octets, flags=re.M
        )
    return octets


def cases(shared: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for path in sorted((shared / "conformance" / "spamassassin" / "cases").glob("*.json")):
        case = json.loads(path.read_text())
        if case["source"].startswith("t/") and case["actual_rewritten_base64"]:
            yield path.stem, case


def test_messages_are_marked_up_octet_for_octet_as_spamassassin_does(shared: Path, tmp_path: Path):
    config = shared / "conformance" / "spamassassin" / "config"
    base = [
        *sorted((config / "site").glob("*.pre")),
        *(config / "rules" / name for name in ("10_default_prefs.cf", "20_aux_tlds.cf")),
        *(config / "test" / name for name in ("01_test_rules.pre", "01_test_rules.cf")),
    ]
    same, different = [], []
    for name, case in cases(shared):
        files = list(base)
        for part, text in case["config"].items():  # type: ignore[attr-defined]
            if text and part != "base":
                files.append(tmp_path / f"{part}.{'pre' if part == 'pre' else 'cf'}")
                files[-1].write_text(text)
        actual: dict[str, object] = case["actual"]  # type: ignore[assignment]
        marks = Marks(
            message.parse(base64.b64decode(str(case["message_base64"]))),
            actual["score"],  # type: ignore[arg-type]
            actual["required"],  # type: ignore[arg-type]
            tuple(actual["hits"]),  # type: ignore[arg-type]
        )
        marked = mark_up(syntax.parse(sources.read(files, shipped=False)), marks, PLACE)
        expected = base64.b64decode(str(case["actual_rewritten_base64"]))
        (same if comparable(expected) == comparable(marked) else different).append(name)

    assert [] == [name for name in different if name not in KNOWN_TO_DIFFER]
    assert len(same) > 140


Marked = Callable[..., str]


@pytest.fixture
def marked(tmp_path: Path) -> Marked:
    """The header section of a message that was marked up by some lines of configuration."""

    def mark(lines: str, *, raw: bytes = MAIL, score: float = 7.0, hits: tuple[str, ...] = ()) -> str:
        marks = Marks(message.parse(raw), score, 5.0, hits, subrules=("__B", "__A"))
        return mark_up(book_of(lines, tmp_path), marks, PLACE).decode("latin-1")

    return mark


def book_of(lines: str, folder: Path) -> Book:
    (folder / "markup.cf").write_text(lines)
    return syntax.parse(sources.read([folder / "markup.cf"], shipped=False))


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("_YESNO_ _YESNOCAPS_ _YESNO(bad,fine)_", "Yes YES bad"),
        ("_SCORE_ _SCORE(00)_ _SCORE(   )_ _REQD_", "7.0 007.0    7.0 5.0"),
        ("_STARS(+)_", "+++++++"),
        ("_TESTS_ _TESTS( )_ _TESTSSCORES_", "A,B A B A=2.5,B=1"),
        ("_SUBTESTS(;)_", "__A;__B"),
        ("_HEADER(Subject)_ _AUTHORDOMAIN_", "offer b.example"),
        ("_HOSTNAME_ _VERSION_ (_SUBVERSION_)", "vm 4.0.1 (2024-03-25)"),
        ("_NOBODY_KNOWS_ _NOR(THIS)_ _SENDERDOMAIN_", "_NOBODY_KNOWS_ _NOR(THIS)_ _SENDERDOMAIN_"),
    ],
)
def test_tags_have_these_values(marked: Marked, template: str, value: str):
    text = f'body A /x/\nbody B /x/\nscore A 2.5\n{FIELDS} "{template}"\n'

    assert f"X-Spam-Note: {value}\n" in marked(text, hits=("B", "A"))


def test_a_score_just_below_the_level_is_not_rounded_up_to_it(marked: Marked):
    assert "X-Spam-Note: 4.9\n" in marked(f"{FIELDS} _SCORE_", score=4.97)


def test_spam_fields_that_a_message_brings_along_are_replaced(marked: Marked):
    assert "X-Spam-Flag: NO" not in marked(FIELDS + " x")
    assert marked(FIELDS + " x").endswith("From: A <a@b.example>\nSubject: offer\n\nBuy now.\n")


def test_fields_can_be_removed_for_spam_alone(marked: Marked):
    text = f"{FIELDS} x\nadd_header spam Other y\nremove_header spam Note\n"

    assert "X-Spam-Note" not in marked(text)
    assert "X-Spam-Other: y\n" in marked(text)
    assert "X-Spam-Note: x\n" in marked(text, score=1)


def test_clearing_fields_leaves_the_one_that_names_the_program(marked: Marked):
    text = "report_safe 0\nadd_header all Checker-Version me\nadd_header all Note x\nclear_headers\n"

    assert "X-Spam-Checker-Version: me\n" in marked(text)
    assert "X-Spam-Note" not in marked(text)


def test_cleared_fields_are_not_those_of_the_default(marked: Marked):
    assert "X-Spam-Status: Yes, score=7.0 required=5.0 tests=none" in marked("report_safe 0\n")
    assert "X-Spam-Status" not in marked("report_safe 0\nclear_headers\n")


def test_long_fields_are_folded_unless_that_is_switched_off(marked: Marked):
    words = "word " * 30

    assert "word\n\tword" in marked(f"{FIELDS} {words}")
    assert f"X-Spam-Note: {words.strip()}\n" in marked(f"{FIELDS} {words}\nfold_headers 0\n")


def test_subject_and_sender_get_their_tags_and_keep_a_copy(marked: Marked):
    text = marked("report_safe 0\nrewrite_header Subject [spam _SCORE_]\nrewrite_header From maybe\n")

    assert "\nSubject: [spam 7.0] offer\n" in text
    assert "\nFrom: (maybe) A <a@b.example>\n" in text
    assert "X-Spam-Prev-Subject: offer\n" in text
    assert "X-Spam-Prev-From: A <a@b.example>\n" in text


def test_a_rule_can_put_words_before_the_subject_of_ham(marked: Marked):
    text = "body A /x/\nrewrite_header Subject [spam]\nsubjprefix A [A hit]\n"

    assert "\nSubject: [A hit] offer\n" in marked(text, score=1, hits=("A",))
    assert "\nSubject: offer\n" in marked(text, score=1)


def test_the_original_is_an_attachment_with_a_warning_when_it_is_no_plain_text(marked: Marked):
    text = marked(
        "clear_report_template\nreport Hello, _HOSTNAME_\nunsafe_report Beware.\n",
        raw=b"Content-Type: text/html\r\nSubject: x\r\n\r\n<p>\r\n",
    )

    assert "Hello, vm\r\n\r\nBeware.\r\n" in text
    assert "Content-Disposition: attachment\r\n" in text
    assert "\r\n\r\nContent-Type: text/html\r\nSubject: x\r\n\r\n<p>\r\n\r\n--" in text
    assert "\n" not in text.replace("\r\n", "")


def test_what_an_eval_function_found_stands_below_its_rule(tmp_path: Path):
    book = book_of("body A /x/\ndescribe A A rule\nreport_safe 0\n", tmp_path)
    marks = Marks(message.parse(MAIL), 7, 5, ("A",), details={"A": "found this"})

    assert b"\t*  1.0 A BODY: A rule\n\t*      [found this]\n" in mark_up(book, marks, PLACE)


def test_lines_are_broken_as_spamassassin_breaks_them(shared: Path):
    """Recorded calls of its own function."""
    path = shared / "conformance" / "spamassassin" / "layers" / "util_wrap.jsonl"
    for call in map(json.loads, path.read_text().splitlines()):
        text, prefix, first, width, overflow, breaks = call["args"]
        made = wrap(text, int(width), prefix=prefix, first=first, overflow=bool(int(overflow)), breaks=breaks)
        assert call["result"] == [made]


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: " + b"a " * 600_000 + b"\n\nx\n",
        b"A: b\n" * 200_000 + b"\nx\n",
        b"Subject: x\n\n" + b"-" * 1_200_000,
        b"",
        b"\n\n",
    ],
)
@pytest.mark.parametrize("safe", ["0", "1"])
def test_hostile_messages_are_marked_up_in_bounded_time(marked: Marked, raw: bytes, safe: str):
    began = time.process_time()
    marked(
        f"report_safe {safe}\nrewrite_header Subject x\nadd_header all S _HEADER(Subject)_ _PREVIEW_\n",
        raw=raw,
    )

    assert time.process_time() - began < 2
