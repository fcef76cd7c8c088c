"""Rules that end the examination."""

from collections.abc import Callable

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet

Rules = Callable[[str], RuleSet]

SYMBOL = "header SHORTCIRCUIT eval:check_shortcircuit()\n"


def hits(rules: RuleSet) -> dict[str, float]:
    findings = rules.evaluate(message.parse(b"Subject: hello\nFrom: a@b.org\n\nhello\n"), 0)
    return {name: rules.symbols[name].score * findings.weights.get(name, 1) for name, _ in findings.hits}


def test_what_comes_behind_the_end_did_not_hit(rules: Rules) -> None:
    text = SYMBOL + "body LATER /hello/\nheader END Subject =~ /hello/\nscore END 50\n"
    assert {"LATER": 1, "END": 50} == hits(rules(text))
    ended = text + "shortcircuit END on\npriority END -100\n"
    assert {"END": 50, "SHORTCIRCUIT": pytest.approx(0.0001)} == hits(rules(ended))


@pytest.mark.parametrize(("points", "end", "kind"), [(-100, -1, "ham"), (100, 1, "spam")])
def test_ham_and_spam_have_points_of_their_own_and_come_early(
    rules: Rules, points: float, end: float, kind: str
) -> None:
    text = f"{SYMBOL}body LATER /hello/\nheader END Subject =~ /hello/\nshortcircuit END {kind}\n"
    assert {"END": end, "SHORTCIRCUIT": pytest.approx(points)} == hits(rules(text))
    own = f"shortcircuit_{kind}_score 7\n"
    assert {"END": end, "SHORTCIRCUIT": pytest.approx(7)} == hits(rules(text + own))


def test_what_a_meta_builds_on_comes_before_it(rules: Rules) -> None:
    text = SYMBOL + (
        "body ONE /hello/\nheader TWO Subject =~ /hello/\nbody LATER /hello/\nmeta END ONE && TWO\n"
        "shortcircuit END spam\npriority END -1000\n"
    )
    assert {"ONE", "TWO", "END", "SHORTCIRCUIT"} == hits(rules(text)).keys()


def test_without_the_symbol_or_when_switched_off_nothing_ends(rules: Rules) -> None:
    text = "body LATER /hello/\nheader END Subject =~ /hello/\nshortcircuit END on\npriority END -100\n"
    assert {"LATER", "END"} == hits(rules(text)).keys()
    assert {"LATER", "END"} == hits(rules(SYMBOL + text + "shortcircuit END off\n")).keys()


def test_another_word_is_a_problem(rules: Rules) -> None:
    assert any("shortcircuit" in problem.text for problem in rules("shortcircuit END maybe\n").problems)
