"""What a score means for one recipient."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.envelope import Role
from lazaret.model.verdict import Action, Category, Levels, Policy, Report, ScoredHit, Unavailable, Verdict
from lazaret.policy.decide import Situation, decide

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
