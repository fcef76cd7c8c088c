"""Rule files to a book: lines, languages, conditions, includes, and what is said about mistakes."""

from pathlib import Path

import pytest

from lazaret.rules import sources
from lazaret.rules.book import Book, Kind
from lazaret.rules.sources import SourceFile, Sources
from lazaret.rules.syntax import parse


def book(text: str, language: str = "en_US", pre: str | None = None) -> Book:
    files = [SourceFile("test.pre", pre.encode())] if pre is not None else []
    return parse(Sources((*files, SourceFile("test.cf", text.encode("latin-1"))), {}), language=language)


def test_a_comment_ends_the_line_unless_its_sign_is_escaped() -> None:
    read = book("body A /x/ # a comment\nbody B /a\\#b/ # another\n")
    assert [b"x", b"a#b"] == [read.rules[n].regex.source for n in ("A", "B")]  # type: ignore[union-attr]


def test_the_last_setting_wins_and_knows_its_line() -> None:
    read = book("body A /x/\nscore A 1\nheader A Subject =~ /y/i\nscore A 2\ndescribe A text of A\n")
    assert (Kind.HEADER, "Subject", 3) == (
        read.rules["A"].kind,
        read.rules["A"].selector,
        read.rules["A"].line,
    )
    assert 2 == read.score("A")
    assert "text of A" == read.descriptions["A"]


def test_a_redefined_rule_keeps_nothing_of_the_old_one() -> None:
    rule = book("header A exists:X\nheader A To !~ /y/ [if-unset: z]\nheader A Cc =~ /q/\n").rules["A"]
    assert (False, False, None, "Cc") == (rule.exists, rule.negated, rule.if_unset, rule.selector)


def test_scores_are_one_or_four_numbers_or_relative() -> None:
    read = book("score A 1 2 3 4\nscore A (1)\nscore B (0.5) (0) 3 4\nscore C 1 2\n")
    assert (2, 3, 4, 5) == read.scores["A"]
    assert (0.5, 0, 3, 4) == read.scores["B"]
    assert ["test.cf:4"] == [f"{p.file}:{p.line}" for p in read.problems]


@pytest.mark.parametrize(
    ("expected", "name", "flags"),
    [(1, "A", ""), (-1, "A", "nice"), (0.01, "T_A", "net"), (-0.01, "T_A", "nice"), (1, "__A", "")],
)
def test_without_a_score_line_a_rule_has_the_default(expected: float, name: str, flags: str) -> None:
    assert expected == book(f"tflags {name} {flags}\n" if flags else "").score(name)


def test_lines_for_other_languages_do_not_count() -> None:
    text = "describe A plain\nlang de describe A deutsch\nlang pt_BR describe A brasileiro\n"
    assert "deutsch" == book(text, "de_DE").descriptions["A"]
    assert "plain" == book(text).descriptions["A"]


def test_conditions_nest_and_else_flips_only_its_own_block() -> None:
    text = """
    if (version >= 4.000000)
      body OLD_AND_NEW /x/
      if !plugin(Mail::SpamAssassin::Plugin::SPF)
        body NO_SPF /x/
        if (1)
          body NEVER /x/
        else
          body NEVER_EITHER /x/
        endif
      else
        body WITH_SPF /x/
      endif
    endif
    if can(Mail::SpamAssassin::Conf::feature_capture_rules) && has(Mail::SpamAssassin::Plugin::DKIM::has_arc)
      body FEATURES /x/
    endif
    if (version < 4.000000)
      body TOO_OLD /x/
    endif
    if can(Lazaret::Evals::shipped)
      body OURS /x/
    endif
    """
    assert {"OLD_AND_NEW", "WITH_SPF", "FEATURES", "OURS"} == set(book(text).rules)
    assert () == book(text).problems


def test_a_plugin_is_loaded_by_its_line_and_others_are_not_run() -> None:
    text = (
        "ifplugin Mail::SpamAssassin::Plugin::SPF\nbody A /x/\nendif\nifplugin My::Own\nbody B /x/\nendif\n"
    )
    read = book(text, pre="loadplugin Mail::SpamAssassin::Plugin::SPF\nloadplugin My::Own own.pm\n")
    assert {"A"} == set(read.rules)
    assert ["test.pre:2"] == [f"{p.file}:{p.line}" for p in read.problems]
    assert {} == book(text, pre="").rules


def test_compatibility_is_asked_for() -> None:
    text = "if can(Mail::SpamAssassin::Conf::compat_welcomelist_blocklist)\nbody A /x/\nendif\n"
    assert {} == book(text).rules
    assert {"A"} == set(book("enable_compat welcomelist_blocklist\n" + text).rules)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense A B",
        "body A foo",
        "body 1A /x/",
        "header A Subject /x/",
        "header A eval:f($x)",
        "score A many",
        "describe A",
        "tflags A",
        "test A maybe x",
        "endif",
        "else",
        "meta A",
        "priority A high",
        "include nothing.cf",
        "if no such thing",
        "if (1)",
    ],
)
def test_every_line_that_cannot_be_used_is_reported_with_its_place(line: str) -> None:
    read = book(f"body GOOD /x/\n{line}\n")
    assert ("test.cf", 2) == (read.problems[0].file, read.problems[0].line)
    assert "GOOD" in read.rules


def test_the_rest_of_a_file_for_another_version_is_skipped() -> None:
    read = book("require_version 4.000001\nbody A /x/\nrequire_version 3.0\nbody B /x/\n")
    assert {"A"} == set(read.rules)


def test_arguments_of_eval_rules_are_words_or_quoted() -> None:
    rule = book("header A eval:check('a b', \"c\", 1.5, x-y:z)\n").rules["A"]
    assert ("check", ("a b", "c", "1.5", "x-y:z"), "header") == (rule.function, rule.arguments, rule.scope)


def test_other_words_are_kept_as_settings() -> None:
    read = book("freemail_domains a.example\nfreemail-domains b.example c.example\nreport_safe 0\n")
    assert ("a.example", "b.example c.example") == read.settings["freemail_domains"]
    assert () == read.problems


def test_files_are_included_relative_to_the_one_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "main.cf").write_text("include sub/one.cf\nbody MAIN /x/\n")
    (tmp_path / "sub/one.cf").write_text("if (0)\ninclude two.cf\nendif\ninclude two.cf\n")
    (tmp_path / "sub/two.cf").write_text("body TWO /x/\ninclude one.cf\n")
    read = parse(sources.read([tmp_path / "main.cf"], shipped=False))
    assert {"MAIN", "TWO"} == set(read.rules)
    assert any("include each other" in p.text for p in read.problems)


def test_the_files_of_a_directory_are_read_by_name_and_pre_files_first(tmp_path: Path) -> None:
    for name in ("20_b.cf", "10_a.cf", "z.pre", "readme.txt"):
        (tmp_path / name).write_text("")
    names = [Path(f.name).name for f in sources.read([tmp_path], shipped=False).files]
    assert ["z.pre", "10_a.cf", "20_b.cf"] == names
