"""The clock beside each rule."""

import pytest
from tests.rules.conftest import Rules, mail

from lazaret.rules import evals
from lazaret.rules.profile import Cost, Profile

RULES = r"""
body    SLOW   /(?=((?:a+)+))\1$/
body    EXACT  /needle/
header  FIELD  Subject =~ /(?<=x)y/
header  CALLED eval:check_for_no_rdns_dotcom_helo()
body    NEVER  /(?<=q)qqq/
"""


@pytest.fixture
def profile(rules: Rules) -> Profile:
    return Profile(rules(RULES).program)


def cost(profile: Profile, name: str) -> Cost:
    return next(cost for cost in profile.rules() if cost.name == name)


def test_the_dearest_rule_comes_first(profile: Profile):
    for _ in range(5):
        profile.add(mail("a" * 200 + "b needle\n" * 50, Subject="xy"), 0)
    costs = [cost.seconds for cost in profile.rules()]

    assert sorted(costs, reverse=True) == costs
    assert cost(profile, "SLOW").seconds > cost(profile, "FIELD").seconds > 0


def test_tries_and_hits_are_counted_over_all_messages(profile: Profile):
    for subject in ("xy", "xy", "nothing"):
        profile.add(mail(Subject=subject), 0)

    assert 3 == profile.messages
    assert ("header", 2, 2) == (
        cost(profile, "FIELD").view,
        cost(profile, "FIELD").tried,
        cost(profile, "FIELD").hit,
    )


def test_rules_that_the_common_search_settles_cost_nothing_by_themselves(profile: Profile):
    profile.add(mail("a needle\n", Subject="hello"), 0)

    assert not {"EXACT", "NEVER"} & {cost.name for cost in profile.rules()}
    assert {"body", "header"} <= {cost.view for cost in profile.shared() if cost.seconds}
    (body,) = [cost for cost in profile.shared() if cost.view == "body"]
    assert (2, True) == (body.tried, body.hit >= 1)


def test_eval_functions_are_timed(profile: Profile):
    profile.add(mail(), 0)

    assert ("eval", 1, 0) == (
        cost(profile, "CALLED").view,
        cost(profile, "CALLED").tried,
        cost(profile, "CALLED").hit,
    )


def test_what_plug_ins_add_to_a_message_is_searched(rules: Rules, monkeypatch: pytest.MonkeyPatch):
    """As in `evaluate`: a field that the message does not bear, and a URI within an attachment."""
    evals.functions()
    monkeypatch.setitem(evals._fields, "X-ASN", lambda _subject: b"64500")
    monkeypatch.setitem(evals._uri_sources, "PDFInfo", lambda _subject: [b"http://within.example/xy"])
    plug_in = "loadplugin Mail::SpamAssassin::Plugin::PDFInfo\n"
    text = "header ASN X-ASN =~ /(?<=6)4500/\nuri WITHIN m{(?<=x)y$}\n"
    known = Profile(rules(plug_in + text).program)
    unknown = Profile(rules(text.replace("X-ASN", "X-Other")).program)
    for profile in (known, unknown):
        profile.add(mail(), 0)

    assert {"ASN": 1, "WITHIN": 1} == {cost.name: cost.hit for cost in known.rules()}
    assert [] == unknown.rules()
