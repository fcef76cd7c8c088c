"""Checking, listing and explaining rules."""

from tests.support.installation import copy_rules


def test_good_rules_have_no_problem(bare):
    done = bare.run("rules", "check")

    assert (0, b"", b"no problem found\n") == (done.returncode, done.stdout, done.stderr)


def test_a_problem_is_a_line_with_file_and_line_number(bare):
    file = bare.home / "rules" / "bad.cf"
    file.write_text("# a comment\nbody BAD /unclosed\nbody GOOD /x/\nscore GOOD much\n")

    for words in (["rules", "check"], ["rules", "check", file]):
        done = bare.run(*words)
        lines = done.stdout.decode().splitlines()

        assert 1 == done.returncode
        assert {f"{file}:2:", f"{file}:4:"} <= {line.split()[0] for line in lines}


def test_a_file_that_is_not_there_is_named(bare):
    done = bare.run("rules", "check", "absent.cf")

    assert (66, b"lazaret: cannot read absent.cf: No such file or directory\n") == (
        done.returncode,
        done.stderr,
    )


def test_the_list_has_every_rule_with_its_points(bare):
    printed = bare.output("rules", "list").splitlines()
    rows = bare.rows("rules", "list", "--json")

    assert ["SYMBOL", "SCORE", "RUN", "DESCRIPTION"] == printed[0].split()
    assert "TEST_QUAR      6  yes  A word of the tests that is worth the quarantine" in printed
    assert [("TEST_KILL", 12.0), ("TEST_MARK", 3.5), ("TEST_QUAR", 6.0)] == [
        (row["symbol"], row["score"]) for row in rows
    ]


def test_the_list_says_which_rules_are_not_run_and_why(bare):
    (bare.home / "rules" / "zz.cf").write_text(
        "score TEST_MARK 0\nheader ASKS_DNS eval:check_rbl('x', 'list.example')\ntflags ASKS_DNS net\n"
    )
    printed = bare.output("rules", "list", "--not-run").splitlines()[1:]
    (asks, mark) = bare.rows("rules", "list", "--not-run", "--json")

    assert ["ASKS_DNS 1 no: needs the network", "TEST_MARK 0 no: score is 0 A word of the tests"] == [
        " ".join(line.split())[: len("TEST_MARK 0 no: score is 0 A word of the tests")] for line in printed
    ]
    assert ("ASKS_DNS", False, "needs the network") == (asks["symbol"], asks["active"], asks["idle"])
    assert ("TEST_MARK", "score is 0") == (mark["symbol"], mark["idle"])
    assert "  not run     needs the network\n" in bare.output("rules", "explain", "ASKS_DNS")


def test_a_rule_is_explained_with_its_place(bare):
    printed = bare.output("rules", "explain", "TEST_QUAR")
    (facts,) = bare.rows("rules", "explain", "TEST_QUAR", "--json")
    file = bare.home / "rules" / "tests.cf"

    assert printed.startswith("TEST_QUAR: A word of the tests that is worth the quarantine\n")
    assert f"  defined in  {file}:4\n" in printed
    assert "  looks at    body: /quarantine-me-please/\n" in printed
    assert (str(file), 4, [6.0] * 4) == (facts["file"], facts["line"], facts["scores"])


def test_what_a_rule_depends_on_is_named(bare):
    (bare.home / "rules" / "meta.cf").write_text("meta BOTH TEST_MARK && TEST_QUAR\nscore BOTH 1\n")
    printed = bare.output("rules", "explain", "BOTH")

    assert "  depends on  TEST_MARK, TEST_QUAR\n" in printed
    assert "  used by     BOTH\n" in bare.output("rules", "explain", "TEST_QUAR")


def test_an_unknown_rule_is_named(bare):
    done = bare.run("rules", "explain", "NOBODY")

    assert 66 == done.returncode
    assert b"lazaret: no rule is called NOBODY; `lazaret rules list` names them all\n" == done.stderr


def test_the_shipped_rules_are_listed_out_of_the_cache(bare, rules_cache):
    copy_rules(rules_cache, bare.home)
    printed = bare.output("rules", "list", "--set", "rules.shipped=true", "--set", "rules.paths=[]")

    assert "GTUBE" in printed


def test_the_cost_of_each_rule_is_measured(bare):
    (bare.home / "rules" / "slow.cf").write_text("body SLOW /(?<=a)b+c/\nscore SLOW 1\n")
    corpus = bare.home / "mail" / "deep"
    corpus.mkdir(parents=True)
    for number in range(3):
        (corpus / str(number)).write_text(f"Subject: {number}\n\nabbbc\n")
    done = bare.run("rules", "profile", corpus.parent)
    (row,) = bare.rows("rules", "profile", corpus.parent, "--json", "--top", "1")

    assert 0 == done.returncode
    assert ["SLOW", "body"] == done.stdout.decode().splitlines()[1].split()[:2]
    assert done.stderr.decode().startswith("3 messages, ")
    assert ("SLOW", 3, 3) == (row["symbol"], row["tried"], row["hit"])
    assert 0 < row["us_per_message"]
    assert 0 < row["share_pct"] <= 100


def test_a_folder_without_messages_is_named(bare):
    (bare.home / "empty").mkdir()
    done = bare.run("rules", "profile", "empty")

    assert (66, b"lazaret: there is no message in empty\n") == (done.returncode, done.stderr)
