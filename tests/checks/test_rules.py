"""The rule set as a check."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lazaret.checks import OverBudget, Scan
from lazaret.checks.rules import RulesCheck
from lazaret.mime import message
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.verdict import Hit
from lazaret.rules import load


def check(tmp_path: Path, text: str) -> RulesCheck:
    (tmp_path / "a.cf").write_text(text)
    return RulesCheck(load([tmp_path / "a.cf"], shipped=False, cache_dir=None))


def scan(raw: bytes, *recipients: str) -> Scan:
    envelope = Envelope(sender="a@b.example", recipients=tuple(map(Recipient, recipients)))
    return Scan(message.parse(raw), Session(), envelope, now=0.0)


def hits(rules: RulesCheck, scan: Scan) -> Iterator[Hit]:
    return (hit for hit in rules.run(scan) if isinstance(hit, Hit))


def test_a_rule_that_hits_is_a_hit_with_its_symbol(tmp_path: Path) -> None:
    rules = check(tmp_path, "body A /fo+/\nscore A 2.5\ndescribe A says foo\nbody __B /foo/\n")
    assert [Hit("A", "foo")] == list(hits(rules, scan(b"Subject: s\n\nfoo\n")))
    assert (2.5, "says foo") == (rules.symbols["A"].score, rules.symbols["A"].description)
    assert "rules" == rules.name


def test_an_exhausted_budget_is_told_after_what_was_found(tmp_path: Path) -> None:
    run = hits(
        check(tmp_path, "body A /foo/\nbody EVIL /^(?:a+)+!(?!\\s)/\n"),
        scan(b"Subject: s\n\nfoo\n\n" + b"a" * 1800 + b"!\n"),
    )
    assert Hit("A", "foo") == next(run)
    with pytest.raises(OverBudget, match="EVIL"):
        next(run)


def test_rules_know_the_recipients_of_the_envelope(tmp_path: Path) -> None:
    rules = check(tmp_path, "header A eval:lz_recipient_in('Subject','addr')\n")
    raw = b"From: x@y.example\nSubject: for Ann@Home.example now\n\n\n"
    assert [Hit("A", "ann@home.example")] == list(hits(rules, scan(raw, "ann@home.example")))
    assert [] == list(hits(rules, scan(raw, "bob@home.example")))


def test_a_rule_that_ends_the_examination_has_points_of_its_own(tmp_path: Path) -> None:
    text = "body A /foo/\nshortcircuit A ham\nheader END eval:check_shortcircuit()\nscore END 2\n"
    found = list(hits(check(tmp_path, text), scan(b"Subject: s\n\nfoo\n")))
    assert [Hit("A", "foo"), Hit("END", "", -50.0)] == found


def test_a_rule_that_is_scored_beside_the_learner_alone_counts_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text(
        "body ALONE /foo/\nscore ALONE 1 1 0 0\nbody BESIDE /foo/\nscore BESIDE 0 0 2 0\n"
        "meta BOTH (ALONE && __X)\nbody __X /foo/\n"
    )
    ready = False
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    rules = RulesCheck(ruleset, beside_learner=lambda: ready)
    one = scan(b"Subject: s\n\nfoo\n")

    assert ["ALONE", "BOTH"] == [hit.symbol for hit in hits(rules, one)]
    ready = True
    assert ["BESIDE", "BOTH"] == [hit.symbol for hit in hits(rules, one)]
    assert 2 == rules.symbols["BESIDE"].score


def test_what_others_build_on_stays_off_when_it_has_a_score_beside_the_learner_alone(tmp_path: Path) -> None:
    """Or it would hit in their expressions without a learner too."""
    text = "body BESIDE /foo/\nscore BESIDE 0 0 2 0\nmeta NOT (__X && !BESIDE)\nbody __X /foo/\n"
    (tmp_path / "a.cf").write_text(text)
    for ready in (False, True):
        ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
        rules = RulesCheck(ruleset, beside_learner=lambda ready=ready: ready)
        assert ["NOT"] == [hit.symbol for hit in hits(rules, scan(b"Subject: s\n\nfoo\n"))]
