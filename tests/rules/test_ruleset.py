"""The rule set as the product sees it: symbols, overrides, explanations."""

from collections.abc import Callable
from pathlib import Path

from lazaret.mime import message
from lazaret.rules import Kind, RuleSet, load

Rules = Callable[[str], RuleSet]


def test_symbols_are_the_listed_rules_that_can_hit(rules: Rules) -> None:
    ruleset = rules(
        "body A /x/\ndescribe A why\nscore A 1.5\nbody __SUB /x/\nbody OFF /x/\nscore OFF 0\n"
        "header NO eval:none()\n"
    )
    assert {"A"} == set(ruleset.symbols)
    assert (1.5, "why") == (ruleset.symbols["A"].score, ruleset.symbols["A"].description)
    assert ["none()"] == [p.text.split("function ")[1].split(" is")[0] for p in ruleset.problems]


def test_sub_rules_are_never_listed(rules: Rules) -> None:
    found = rules("body __SUB /x/\nmeta A __SUB\n").evaluate(message.parse(b"Subject: s\n\nx\n"), 0)
    assert ("A",) == tuple(name for name, _ in found.hits)


def test_an_override_stands_above_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text("body A /x/\nscore A 0\nbody B /x/\n")
    ruleset = load([tmp_path], shipped=False, cache_dir=None, overrides={"A": 4.0, "B": 0.0})
    assert {"A": 4.0} == {name: symbol.score for name, symbol in ruleset.symbols.items()}


def test_a_rule_is_explained_with_its_place_and_its_relations(rules: Rules) -> None:
    ruleset = rules("body __A /x/\nmeta M __A && !B\ndescribe M says\nscore M 1 2 3 4\ntflags M nice\n")
    told = ruleset.explain("M")
    assert told is not None
    assert (Kind.META, 2, (1, 2, 3, 4), "says", ("nice",)) == (
        told.kind,
        told.line,
        told.scores,
        told.description,
        told.flags,
    )
    assert (("__A", "B"), ("M",)) == (told.depends_on, ruleset.explain("__A").used_by)
    assert ruleset.explain("NOTHING") is None
    assert ["M", "__A"] == list(ruleset)


def test_a_bad_file_never_stops_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_bytes(b"\x00\xff broken\nbody A /(/\nbody B /x/\nmeta C B &&\n")
    ruleset = load([tmp_path, tmp_path / "absent.cf"], shipped=False, cache_dir=None)
    assert {"B"} == set(ruleset.symbols)
    assert [0, 1, 2, 4] == sorted(problem.line for problem in ruleset.problems)


def in_databases(ruleset: RuleSet) -> set[str]:
    program = ruleset.program
    return {
        program.names[searched.rule]
        for group in program.groups
        for searched in group.searched[: group.in_database]
    }


def test_what_no_meta_asks_for_first_is_not_searched(tmp_path: Path) -> None:
    path = tmp_path / "guarded.cf"
    path.write_text(
        r"""
        body __CAPITALS /\b[A-Z]{3}[-_][A-Z]{13,30}\b/
        body __DIGITS /\b[0-9]{3}[-_][0-9]{13,30}\b/
        body __WORD /remarkable/
        header __TWICE ALL =~ /\nFrom: ([^\n]+)\n(?:[^\n]+\n)*To: \1\n/
        meta GUARDED __WORD && __CAPITALS
        meta FIRST __DIGITS
        meta SAME __WORD && __TWICE
        """
    )
    ruleset = load([path], shipped=False, cache_dir=None)
    assert {"__DIGITS", "__WORD"} == in_databases(ruleset)
    texts = (b"ABC-ABCDEFGHIJKLMNOP", b"123-1234567890123456", b"a remarkable ABC-ABCDEFGHIJKLMNOP")
    heads = (b"From: a@b.example\n", b"From: a@b.example\nTo: a@b.example\n")
    found = [
        set(ruleset.evaluate(message.parse(b"X: y\n" + head + b"\n" + text + b"\n"), 0).values)
        & {"GUARDED", "FIRST", "SAME"}
        for head in heads
        for text in texts
    ]
    assert [set(), {"FIRST"}, {"GUARDED"}, set(), {"FIRST"}, {"GUARDED", "SAME"}] == found


def test_what_nearly_all_messages_have_is_in_no_database(rules: Rules) -> None:
    ruleset = rules(
        r"""
        uri __ANY /./
        uri __HTTP m{^https?://}
        uri __MANY m{^https?://}
        tflags __MANY multiple
        uri __DEEP m{/deep/}
        header __SAME ALL =~ /\nFrom: ([^\n]+)\n(?:[^\n]+\n)*Subject: \1\n/
        header __LETTER ALL =~ /\nX-Letter: \d+\n/
        meta NO_LINK !__ANY
        meta HTTP __HTTP
        meta DEEP __HTTP && __DEEP
        meta TWO __MANY > 1
        meta SAME __SAME
        meta LETTER __LETTER
        """
    )
    assert {"__DEEP", "__LETTER"} == in_databases(ruleset)
    head = b"Received: from x\nFrom: a@b.example\nX-Letter: 1\nSubject: "
    found = [
        {name for name, _ in ruleset.evaluate(message.parse(head + subject + b"\n\n" + text), 0).hits}
        for subject, text in (
            (b"a@b.example", b"nothing\n"),
            (b"hello", b"mailto:x@example.com\n"),
            (b"hello", b"http://example.com/deep/1 https://example.net/\n"),
        )
    ]
    assert [
        {"LETTER", "NO_LINK", "SAME"},
        {"LETTER"},
        {"LETTER", "HTTP", "DEEP", "TWO"},
    ] == found
