"""What a score means for one recipient."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.envelope import Role
from lazaret.model.verdict import Action, Category, Levels, Policy, Report, ScoredHit, Unavailable, Verdict
from lazaret.policy.decide import Situation, decide
from lazaret.policy.senders import Standing

POLICY = Policy()
AFTER = Situation(role=Role.AFTER_QUEUE)
BEFORE = Situation(role=Role.BEFORE_QUEUE)
OURS = Situation(role=Role.ORIGINATING, originating=True, sender_local=True)


def report(score: float) -> Report:
    return Report((ScoredHit("A", score, "a fact"),))


def verdict(score: float, situation: Situation = AFTER, policy: Policy = POLICY) -> Verdict:
    return decide(report(score), "a@b.example", policy, situation)


@pytest.mark.parametrize(
    ("score", "action", "category"),
    [
        (-5.0, Action.DELIVER, Category.CLEAN),
        (2.999, Action.DELIVER, Category.CLEAN),
        (3.0, Action.MARK, Category.SPAMMY),
        (4.999, Action.MARK, Category.SPAMMY),
        (5.0, Action.QUARANTINE, Category.SPAM),
        (7.999, Action.QUARANTINE, Category.SPAM),
        (8.0, Action.DISCARD, Category.SPAM),
        (1000.0, Action.DISCARD, Category.SPAM),
    ],
)
def test_a_score_that_is_equal_has_reached_the_level(score: float, action: Action, category: Category):
    assert (action, category) == (verdict(score).action, verdict(score).category)


def test_kill_refuses_before_the_queue_where_the_client_is_the_sender():
    assert Action.REJECT is verdict(9.0, BEFORE).action


def test_kill_discards_after_the_queue_where_a_refusal_would_be_backscatter():
    assert Action.DISCARD is verdict(9.0, AFTER).action


@pytest.mark.parametrize("situation", [BEFORE, AFTER])
def test_kill_action_forces_either(situation: Situation):
    assert Action.REJECT is verdict(9.0, situation, replace(POLICY, kill_action="reject")).action
    assert Action.DISCARD is verdict(9.0, situation, replace(POLICY, kill_action="discard")).action


def test_a_discarded_copy_is_kept_unless_it_is_to_be_kept_for_no_time():
    assert verdict(9.0).keep
    assert not verdict(9.0, replace(AFTER, keep_killed=False)).keep


def test_without_a_kill_level_nothing_is_killed():
    policy = replace(POLICY, levels=Levels(kill=None))
    assert Action.QUARANTINE is verdict(1000.0, AFTER, policy).action


def test_kill_never_acts_below_the_recipients_own_quarantine_level():
    policy = replace(POLICY, levels=Levels(quarantine=9.0, kill=8.0))
    assert Action.MARK is verdict(8.5, AFTER, policy).action


def test_postmaster_is_marked_at_most():
    policy = replace(POLICY, always_deliver=True)
    assert Action.MARK is verdict(1000.0, AFTER, policy).action
    assert Action.DELIVER is verdict(1.0, AFTER, policy).action


def test_a_list_is_quarantined_instead_of_refused():
    """A 5xx would unsubscribe the reader."""
    outcome = verdict(9.0, replace(BEFORE, mailing_list=True))
    assert (Action.QUARANTINE, True) == (outcome.action, outcome.keep)


def test_quarantine_reply_reject_tells_the_sender_and_keeps_the_copy():
    outcome = verdict(6.0, BEFORE, replace(POLICY, quarantine_reply="reject"))
    assert (Action.REJECT, True) == (outcome.action, outcome.keep)


def test_quarantine_reply_reject_means_nothing_after_the_queue():
    assert Action.QUARANTINE is verdict(6.0, AFTER, replace(POLICY, quarantine_reply="reject")).action


def test_mail_to_others_is_not_marked():
    assert Action.DELIVER is verdict(4.0, AFTER, replace(POLICY, local=False)).action


@pytest.mark.parametrize("score", [0.0, 3.0, 4.9])
def test_mail_of_our_own_users_is_never_marked(score: float):
    assert Action.DELIVER is verdict(score, OURS).action


@pytest.mark.parametrize("score", [5.0, 8.0, 1000.0])
def test_mail_of_our_own_users_is_refused_and_never_silently_quarantined(score: float):
    assert (Action.REJECT, False) == (verdict(score, OURS).action, verdict(score, OURS).keep)


def test_mail_from_inside_with_a_foreign_sender_is_quarantined_as_any_other():
    """A refusal would become a bounce to whoever was forged."""
    assert Action.QUARANTINE is verdict(6.0, replace(OURS, sender_local=False)).action


def test_observe_delivers_everything_and_says_what_would_have_been():
    outcome = verdict(6.0, replace(AFTER, observe=True))
    assert (Action.DELIVER, Category.SPAM, False) == (outcome.action, outcome.category, outcome.keep)
    assert "quarantine level 5.0" in outcome.reason


def test_a_check_that_cannot_answer_decides_nothing():
    """Promise 3: a failing check never decides."""
    found = replace(report(0.0), unavailable=(Unavailable("dns", "time-out"),))
    assert Action.DELIVER is decide(found, "a@b", POLICY, AFTER).action


def test_a_check_that_must_answer_defers_the_message():
    found = replace(report(0.0), unavailable=(Unavailable("dns", "time-out", defer=True),))
    assert Action.DEFER is decide(found, "a@b", POLICY, AFTER).action


def test_an_exhausted_budget_has_a_category_of_its_own():
    found = replace(report(5.0), over_budget=True)
    outcome = decide(found, "a@b", POLICY, AFTER)
    assert (Category.UNCHECKED, Action.QUARANTINE) == (outcome.category, outcome.action)


def test_the_reason_names_the_level_and_the_distance():
    assert "score 6.2 is 1.2 above the quarantine level 5.0" == verdict(6.2).reason
    assert "score 5.0 is exactly at the quarantine level 5.0" == verdict(5.0).reason


finite = st.floats(min_value=-1e4, max_value=1e4)


@given(score=finite, levels=st.lists(finite, min_size=3, max_size=3).map(sorted), local=st.booleans())
def test_more_points_never_lead_to_a_milder_action(score: float, levels: list[float], local: bool):
    policy = Policy(levels=Levels(-999.0, *levels), local=local)
    order = [Action.DELIVER, Action.MARK, Action.QUARANTINE, Action.DISCARD]
    mild, stern = verdict(score, AFTER, policy), verdict(score + 1.0, AFTER, policy)
    assert order.index(mild.action) <= order.index(stern.action)


ALLOWED = Standing(allowed=True, reason="a@x is allowed on the list of everybody")
BLOCKED = Standing(blocked=True, reason="a@x is blocked on the list of everybody")


def with_lists(
    score: float, standing: Standing, policy: Policy = POLICY, situation: Situation = AFTER
) -> Verdict:
    return decide(report(score), "a@b.example", policy, situation, standing)


def test_who_is_allowed_is_not_judged_by_his_score():
    outcome = with_lists(1000.0, ALLOWED)
    assert (Action.DELIVER, Category.CLEAN, True) == (outcome.action, outcome.category, outcome.allowed)
    assert "not judged by its score 1000.0" in outcome.reason


@pytest.mark.parametrize(
    ("policy", "situation", "action"),
    [
        (POLICY, AFTER, Action.DISCARD),
        (POLICY, BEFORE, Action.REJECT),
        (replace(POLICY, levels=Levels(kill=None)), AFTER, Action.QUARANTINE),
        (replace(POLICY, always_deliver=True), AFTER, Action.MARK),
        (replace(POLICY, lovers=frozenset({Category.SPAM})), AFTER, Action.MARK),
        (POLICY, OURS, Action.REJECT),
    ],
)
def test_who_is_blocked_is_treated_as_if_he_had_reached_every_level(
    policy: Policy, situation: Situation, action: Action
):
    outcome = with_lists(-5.0, BLOCKED, policy, situation)
    assert (action, Category.SPAM) == (outcome.action, outcome.category)
    assert outcome.reason.startswith(BLOCKED.reason)


def test_points_of_the_lists_count_for_the_recipient_whose_lists_they_are():
    outcome = with_lists(6.0, Standing(points=-3.0, reason="x is allowed, but nothing proves it"))
    assert (Action.MARK, 3.0) == (outcome.action, outcome.score)
    assert "score 3.0 is exactly at the mark level 3.0; x is allowed, but nothing proves it" == outcome.reason
    assert [("AM.WBL", -3.0)] == [(h.symbol, h.score) for h in outcome.hits]


def test_a_lover_of_spam_gets_it_marked():
    outcome = verdict(1000.0, AFTER, replace(POLICY, lovers=frozenset({Category.SPAM})))
    assert (Action.MARK, False) == (outcome.action, outcome.keep)


def test_a_lover_of_what_could_not_be_examined_gets_it():
    found = replace(report(5.0), over_budget=True)
    lover = replace(POLICY, lovers=frozenset({Category.UNCHECKED}))
    assert Action.MARK is decide(found, "a@b", lover, AFTER).action
    assert Action.QUARANTINE is decide(report(5.0), "a@b", lover, AFTER).action


def test_who_has_spam_checks_bypassed_gets_mail_as_it_is():
    outcome = verdict(1000.0, AFTER, replace(POLICY, bypasses=frozenset({Category.SPAM})))
    assert (Action.DELIVER, Category.CLEAN, False) == (outcome.action, outcome.category, outcome.tagged)


@pytest.mark.parametrize("score", [6.0, 9.0])
def test_without_a_quarantine_nothing_is_kept(score: float):
    nothing_kept = replace(POLICY, keep=False)
    after, before = verdict(score, AFTER, nothing_kept), verdict(score, BEFORE, nothing_kept)
    assert (Action.DISCARD, False) == (after.action, after.keep)
    assert (Action.REJECT, False) == (before.action, before.keep)


@pytest.mark.parametrize(
    ("score", "situation", "action"),
    [
        (0.0, AFTER, Action.REJECT),
        (3.0, AFTER, Action.QUARANTINE),
        (0.0, replace(AFTER, mailing_list=True), Action.QUARANTINE),
    ],
)
def test_a_message_above_the_recipients_size_limit_is_refused_where_its_sender_can_be_told(
    score: float, situation: Situation, action: Action
):
    limited = replace(POLICY, size_limit=70_000)
    outcome = verdict(score, replace(situation, size=70_001), limited)
    assert (action, Category.OVERSIZED) == (outcome.action, outcome.category)
    assert Category.OVERSIZED is not verdict(score, replace(situation, size=70_000), limited).category


def test_what_is_quarantined_anyway_is_no_matter_of_size():
    outcome = verdict(6.0, replace(AFTER, size=70_001), replace(POLICY, size_limit=70_000))
    assert Category.SPAM is outcome.category


def test_the_reason_names_who_set_the_level():
    policy = replace(POLICY, sources={"quarantine": 'policy "strict" for @b.example'})
    assert verdict(6.0, AFTER, policy).reason.endswith('level 5.0, by the policy "strict" for @b.example')


@pytest.mark.parametrize(("score", "tag"), [(0.0, "(ok) "), (3.0, "***SPAM*** "), (4.5, "!!! ")])
def test_each_step_has_its_subject_tag(score: float, tag: str):
    policy = replace(POLICY, clean_subject_tag="(ok) ", strong_level=4.5, strong_subject_tag="!!! ")
    assert tag == verdict(score, AFTER, policy).subject_tag


def test_our_own_mail_and_mail_to_others_has_no_subject_tag():
    policy = replace(POLICY, clean_subject_tag="(ok) ")
    assert "" == verdict(0.0, OURS, policy).subject_tag
    assert "" == verdict(0.0, AFTER, replace(policy, local=False)).subject_tag
