"""Checking rule files."""

from pathlib import Path

from lazaret.rules import lint


def found(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    (tmp_path / "a.cf").write_text(text)
    return [(problem.line, problem.text) for problem in lint([tmp_path / "a.cf"])]


def test_files_without_fault_give_nothing(tmp_path: Path) -> None:
    text = "body A /foo$/\ndescribe A says foo\ntest A ok foo\ntest A fail bar\n"
    assert [] == found(tmp_path, text)


def test_tests_beside_rules_are_run(tmp_path: Path) -> None:
    text = (
        "header A To !~ /foo/\ndescribe A x\ntest A ok foo\ntest A ok bar\ntest A fail bar\ntest NONE ok x\n"
    )
    assert [
        (3, "A does not hit: foo"),
        (5, "A hits: bar"),
        (6, "test of NONE, which is not defined"),
    ] == found(tmp_path, text)


def test_a_rule_without_a_description_is_named(tmp_path: Path) -> None:
    assert [(1, "A has no description")] == found(tmp_path, "body A /x/\nbody __B /x/\nbody T_C /x/\n")


def test_an_unused_sub_rule_is_checked_too(tmp_path: Path) -> None:
    assert [1] == [line for line, _ in found(tmp_path, "body __A /(?<!a+)b/\n")]
