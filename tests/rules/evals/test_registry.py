"""How eval functions are found, and what becomes of one that fails."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet, evals, lint, load
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.evals.plan import Call, plan
from lazaret.rules.views import HeaderValues

CALLS = [
    Call(0, "ONE", "t_length", ("3",)),
    Call(1, "TWO", "t_length", ("4",)),
    Call(2, "PLAIN", "t_plain", ("a", "b")),
    Call(3, "NEVER", "t_never", ()),
    Call(4, "WRONG", "t_length", ("x",)),
]


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Three functions known to rules; what was asked of messages is noted."""
    noted: list[str] = []

    def length(subject: Subject) -> int | None:
        noted.append("length")
        return len(subject.header("Subject")) or None

    def is_short(subject: Subject) -> bool:
        noted.append("short?")
        return len(subject.header("Subject")) < 5

    @evals.eval_test("t_length", of=length)
    def _(_settings: Settings, most: str) -> evals.Test:
        limit = int(most)
        return lambda found: found > limit

    @evals.eval_function("t_plain", when=is_short)
    def _(_subject: Subject, *arguments: str) -> str:
        return " ".join(arguments)

    @evals.eval_test("t_never", of=length)
    def _(_settings: Settings) -> None:
        return None

    yield noted
    for name in ("t_length", "t_plain", "t_never"):
        evals._registered.pop(name)


def answers(raw: bytes) -> dict[int, evals.Answer]:
    parsed = message.parse(raw)
    subject = Subject(parsed, Settings({}), HeaderValues(parsed), 0.0)
    planned = plan(Settings({}), CALLS)
    found: dict[int, evals.Answer] = {rule: test(subject) for rule, test in planned.alone}
    for question, tests in planned.shared:
        what = subject.once(question)
        found |= {rule: test(what) for rule, test in tests if what is not None}
    return found


def planned_rules() -> set[int]:
    planned = plan(Settings({}), CALLS)
    return {rule for tests in (planned.alone, *(a.tests for a in planned.shared)) for rule, _ in tests}


def test_rules_with_one_question_share_its_answer(asked: list[str]) -> None:
    assert {0: True, 1: False, 2: "a b"} == answers(b"Subject: abc\n\n")
    assert ["length", "short?"] == asked


def test_a_question_without_an_answer_spares_its_rules(asked: list[str]) -> None:
    assert {2: "a b"} == answers(b"\n")


def test_a_condition_that_is_false_spares_its_rules(asked: list[str]) -> None:
    assert {0: True, 1: True} == answers(b"Subject: abcdef\n\n")


def test_a_rule_that_can_never_hit_is_left_out(asked: list[str]) -> None:
    assert 3 not in planned_rules()


def test_wrong_arguments_are_reported_once_and_cost_no_other_rule(
    asked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert {0, 1, 2} == planned_rules()
    assert "WRONG" in caplog.text


def test_two_functions_of_one_name_are_refused() -> None:
    assert "check_for_mime" in evals.functions()
    with pytest.raises(ValueError, match="check_for_mime"):
        evals.eval_function("check_for_mime")(lambda _subject: 0)


def test_a_failing_function_costs_its_own_rule_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.cf").write_text("header BAD eval:check_body_length()\nbody GOOD /x/\n")
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    assert ("GOOD",) == tuple(n for n, _ in ruleset.evaluate(message.parse(b"Subject: s\n\nx\n"), 0).hits)
    assert "BAD" in caplog.text


def test_a_question_that_fails_costs_its_own_rules_only(
    tmp_path: Path, asked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_subject: Subject) -> int:
        raise ZeroDivisionError

    evals._registered["t_never"] = evals.EvalFunction(broken, lambda _settings: bool)
    (tmp_path / "a.cf").write_text("header BAD eval:t_never()\nheader GOOD eval:t_length('2')\n")
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    hits = ruleset.evaluate(message.parse(b"Subject: abc\n\nx\n"), 0).hits
    assert ("GOOD",) == tuple(name for name, _ in hits)
    assert "BAD" in caplog.text


HASHBL = """
hashbl_ignore example.com
hashbl_email_regex \\w+@\\w+
hashbl_email_whitelist ^abuse@
hashbl_email_domain_alias gmail.com googlemail.com
hashbl_acl_freemail gmail.com !example.com
body __HASHBL eval:check_hashbl_emails('ebl.example', 'sha1/max=10', 'body', '^127', 'freemail')
tflags __HASHBL net
"""


def test_settings_of_lists_of_hashes_are_understood(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text(HASHBL)
    assert [] == lint([tmp_path / "a.cf"])


def test_a_setting_that_is_no_expression_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text("hashbl_email_regex (\nolemacro_exts doc$\nhashbl_acl_ x\nhashbl_alc x\n")
    assert [1, 4] == [problem.line for problem in lint([tmp_path / "a.cf"])]


def test_what_is_kept_for_old_files_never_hits(call: Callable[..., float | str]) -> None:
    for name in ("check_for_illegal_ip", "check_for_unique_subject_id", "short_url_tests"):
        assert not call(b"Subject: s\n\nx\n", name)


def test_a_failing_plug_in_costs_nothing_else(
    rules: Callable[[str], RuleSet], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_subject: Subject) -> list[bytes]:
        raise ValueError("damaged")

    evals.functions()
    monkeypatch.setitem(evals._uri_sources, "PDFInfo", fail)
    ruleset = rules("loadplugin Mail::SpamAssassin::Plugin::PDFInfo\nbody GOOD /x/\n")
    assert {"GOOD"} == set(ruleset.evaluate(message.parse(b"Subject: s\n\nx\n"), 0).values)
    assert "damaged" in caplog.text
