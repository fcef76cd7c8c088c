"""How eval functions are found, and what becomes of one that fails."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet, evals, lint
from lazaret.rules.evals import Subject

Call = Callable[..., float | str]


def test_two_functions_of_one_name_are_refused() -> None:
    assert "check_for_mime" in evals.functions()
    with pytest.raises(ValueError, match="check_for_mime"):
        evals.eval_function("check_for_mime")(lambda _subject: 0)


def test_a_failing_function_costs_its_own_rule_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from lazaret.rules import load

    (tmp_path / "a.cf").write_text("header BAD eval:check_body_length()\nbody GOOD /x/\n")
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    assert ("GOOD",) == tuple(n for n, _ in ruleset.evaluate(message.parse(b"Subject: s\n\nx\n"), 0).hits)
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


def test_what_is_kept_for_old_files_never_hits(call: Call) -> None:
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
    assert {"GOOD"} == set(ruleset.values(message.parse(b"Subject: s\n\nx\n"), 0).values)
    assert "damaged" in caplog.text
