"""One plan, and one reply, for all recipients of a message."""

from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.errors import Reply
from lazaret.model.verdict import Action, Category, Levels, Policy, Verdict
from lazaret.policy.plan import one_reply, own_reply, plan

DELIVERED = Reply(250, "2.0.0", "from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBD26146A8")
DEFERRED = Reply(451, "4.3.0", "from MTA(smtp:[127.0.0.1]:10025): 451 4.3.0 later")
REFUSED = Reply(550, "5.1.1", "from MTA(smtp:[127.0.0.1]:10025): 550 5.1.1 unknown")
KEPT = (Action.QUARANTINE, Action.DISCARD)


def verdict(recipient: str, action: Action, policy: Policy | None = None) -> Verdict:
    category = Category.CLEAN if action is Action.DELIVER else Category.SPAM
    return Verdict(recipient, category, action, 6.0, policy or Policy(), "because", keep=action in KEPT)


def test_refusal_becomes_quarantine_when_another_recipient_accepts():
    """One SMTP reply serves all recipients, so a lone refusal must not bounce."""
    todo = plan([verdict("a@x", Action.REJECT), verdict("b@x", Action.DELIVER)], reply_each=False)

    assert ["a@x"] == [v.recipient for v in todo.kept]
    assert [("b@x",)] == [d.recipients for d in todo.deliveries]


def test_refusal_stands_when_every_recipient_refuses():
    todo = plan([verdict("a@x", Action.REJECT), verdict("b@x", Action.REJECT)], reply_each=False)

    assert (Action.REJECT, Action.REJECT) == tuple(v.action for v in todo.verdicts)
    assert () == todo.kept


def test_refusal_does_not_stand_when_an_earlier_attempt_served_others():
    todo = plan([verdict("a@x", Action.REJECT)], reply_each=False, others_served=True)
    assert ["a@x"] == [v.recipient for v in todo.kept]


def test_over_lmtp_every_refusal_stands():
    todo = plan([verdict("a@x", Action.REJECT), verdict("b@x", Action.DELIVER)], reply_each=True)
    assert (Action.REJECT, Action.DELIVER) == tuple(v.action for v in todo.verdicts)


def test_copies_that_look_alike_share_a_delivery():
    verdicts = [verdict("a@x", Action.DELIVER), verdict("b@x", Action.MARK), verdict("c@x", Action.DELIVER)]
    todo = plan(verdicts, reply_each=False)
    assert [("a@x", "c@x"), ("b@x",)] == [d.recipients for d in todo.deliveries]


def test_copies_with_other_levels_in_their_header_go_out_separately():
    other = Policy(levels=Levels(mark=4.0))
    todo = plan([verdict("a@x", Action.DELIVER), verdict("b@x", Action.DELIVER, other)], reply_each=False)
    assert [("a@x",), ("b@x",)] == [d.recipients for d in todo.deliveries]


def test_one_deferral_defers_the_message_and_nothing_is_done():
    todo = plan([verdict("a@x", Action.DELIVER), verdict("b@x", Action.DEFER)], reply_each=False)
    assert (True, (), ()) == (todo.deferred, todo.deliveries, todo.kept)


actions = st.sampled_from([a for a in Action if a is not Action.DEFER])


@given(st.lists(actions, min_size=1, max_size=12), st.booleans(), st.booleans())
def test_every_recipient_is_covered_exactly_once(wanted: list[Action], reply_each: bool, served: bool):
    verdicts = [verdict(f"r{i}@x", action) for i, action in enumerate(wanted)]
    todo = plan(verdicts, reply_each=reply_each, others_served=served)

    assert [v.recipient for v in verdicts] == [v.recipient for v in todo.verdicts]
    delivered = [r for d in todo.deliveries for r in d.recipients]
    kept = [v.recipient for v in todo.kept]
    refused = [v.recipient for v in todo.verdicts if v.action is Action.REJECT]
    assert sorted(v.recipient for v in verdicts) == sorted(delivered + kept + refused)


@given(st.lists(st.sampled_from([DELIVERED, DEFERRED, REFUSED]), min_size=1, max_size=8))
def test_one_reply_is_positive_only_when_nobody_waits_and_somebody_was_served(replies: list[Reply]):
    verdicts = [verdict(f"r{i}@x", Action.DELIVER) for i in range(len(replies))]
    answers = {v.recipient: r for v, r in zip(verdicts, replies, strict=True)}

    reply = one_reply(answers, verdicts)

    assert reply.transient == (DEFERRED in replies)
    assert reply.permanent == (DEFERRED not in replies and DELIVERED not in replies)


def test_the_next_hops_words_are_passed_on():
    assert DELIVERED == one_reply({"a@x": DELIVERED}, [verdict("a@x", Action.DELIVER)])


def test_a_mixed_reply_counts_those_who_did_not_get_it():
    verdicts = [verdict("a@x", Action.DELIVER), verdict("b@x", Action.QUARANTINE)]
    replies = {"a@x": DELIVERED, "b@x": own_reply(verdicts[1], "00675-01")}
    assert f"{DELIVERED.text}, but 1 DISCARD" == one_reply(replies, verdicts).text


def test_our_own_replies_are_amavis_words():
    discarded = own_reply(verdict("a@x", Action.DISCARD), "00675-01")
    refused = own_reply(verdict("a@x", Action.REJECT), "12345-02")
    assert "250 2.7.0 Ok, discarded, id=00675-01 - spam" == str(discarded)
    assert "554 5.7.0 Reject, id=12345-02 - spam" == str(refused)
