"""How eval functions are found, and what becomes of one that fails."""

from pathlib import Path

import pytest

from lazaret.rules import evals


def test_two_functions_of_one_name_are_refused() -> None:
    assert "check_for_mime" in evals.functions()
    with pytest.raises(ValueError, match="check_for_mime"):
        evals.eval_function("check_for_mime")(lambda _subject: 0)


def test_a_failing_function_costs_its_own_rule_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from lazaret.mime import message
    from lazaret.rules import load

    (tmp_path / "a.cf").write_text("header BAD eval:check_body_length()\nbody GOOD /x/\n")
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    assert ("GOOD",) == tuple(n for n, _ in ruleset.evaluate(message.parse(b"Subject: s\n\nx\n"), 0).hits)
    assert "BAD" in caplog.text
