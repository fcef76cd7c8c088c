"""Why a rule is not run."""

from pathlib import Path

import pytest

from lazaret.rules import RuleSet, load

RULES = """
body   RUNS        /x/
body   __NEEDED    /y/
body   __UNNEEDED  /z/
meta   USES        RUNS && __NEEDED
body   OFF         /x/
score  OFF         0
header UNKNOWN     eval:no_such_function()
header ASKS        eval:check_rbl('x', 'list.example')
tflags ASKS        net
body   LEARNT      eval:check_bayes('0.00', '0.01')
tflags LEARNT      learn
body   HASHED      eval:check_hashbl_uris('list.example')
header KNOWN       eval:check_from_in_auto_whitelist()
meta   DECLARED    ()
meta   META_OFF    RUNS
score  META_OFF    0
meta   ON_OFF      META_OFF || RUNS
meta   ON_ON_OFF   ON_OFF || RUNS
meta   CIRCLE      CIRCLE_2
meta   CIRCLE_2    CIRCLE
meta   BROKEN      RUNS &&
body   BAD         /(?<=x+)y/
"""


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    file = tmp_path_factory.mktemp("rules") / "idle.cf"
    file.write_text(RULES)
    return load([file], shipped=False, cache_dir=None)


@pytest.mark.parametrize("name", ["RUNS", "__NEEDED", "USES"])
def test_of_a_rule_that_is_run_nothing_is_said(ruleset: RuleSet, name: str):
    assert "" == ruleset.idle(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("__UNNEEDED", "no rule that is run depends on it"),
        ("OFF", "score is 0"),
        ("ASKS", "needs the network"),
        ("LEARNT", "needs the learner"),
        ("HASHED", "needs the network"),
        ("KNOWN", "needs a history of senders, and none is kept here"),
        ("DECLARED", "has no test of its own"),
        ("ON_OFF", "depends on META_OFF, whose score is 0"),
        ("ON_ON_OFF", "depends on ON_OFF, which is not run"),
        ("CIRCLE", "depends on CIRCLE_2, which is not run"),
    ],
)
def test_the_reason_is_said_in_a_few_words(ruleset: RuleSet, name: str, why: str):
    assert why == ruleset.idle(name)
    explanation = ruleset.explain(name)
    assert explanation is not None
    assert (False, why) == (explanation.active, explanation.idle)


@pytest.mark.parametrize(
    ("name", "said"), [("UNKNOWN", "no_such_function"), ("BROKEN", ""), ("BAD", "expression cannot be used")]
)
def test_what_is_wrong_with_a_rule_is_the_reason(ruleset: RuleSet, name: str, said: str):
    """The same words as the problem that `rules check` prints."""
    why = ruleset.idle(name)

    assert said in why
    assert any(why in problem.text for problem in ruleset.problems if problem.line)


def test_every_rule_of_the_shipped_set_is_run_or_has_a_reason(rules_cache: Path):
    ruleset = load([], shipped=True, cache_dir=rules_cache)

    assert all(ruleset.idle(name) != "" or name in ruleset.symbols for name in ruleset if name[:2] != "__")
