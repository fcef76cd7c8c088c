"""Of each setting the first that is not NULL counts, then the configuration."""

from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.policies import PolicyRow
from lazaret.model.verdict import Category, Levels, Policy
from lazaret.policy.keys import keys
from lazaret.policy.merge import merged, ordered

DEFAULT = Policy()
KEYS = keys("ann@x.example")


def row(key: str, priority: int = 5, *, local: bool | None = None, **values: object) -> PolicyRow:
    return PolicyRow(1, key, priority, 1, f"of {key}", local, values)


def test_each_setting_comes_from_the_first_row_that_has_it():
    rows = ordered(
        [
            row("@.", 0, spam_kill_level=9.0, spam_tag2_level=2.0, spam_subject_tag2="[S] "),
            row("ann@x.example", 8, spam_kill_level=6.0),
            row("@x.example", 5, spam_kill_level=7.0, spam_tag2_level=4.0),
        ],
        KEYS,
    )
    policy = merged(DEFAULT, rows)

    assert ["ann@x.example", "@x.example", "@."] == [r.key for r in rows]
    assert Levels(-999.0, 4.0, 6.0, 8.0) == policy.levels
    assert "[S] " == policy.subject_tag
    assert 'policy "of ann@x.example" for ann@x.example' == policy.sources["quarantine"]
    assert 'policy "of @x.example" for @x.example' == policy.sources["mark"]
    assert "kill" not in policy.sources


def test_the_priority_of_the_tables_counts_more_than_the_key():
    rows = ordered([row("ann@x.example", 1, spam_kill_level=6.0), row("@.", 9, spam_kill_level=7.0)], KEYS)
    assert 7.0 == merged(DEFAULT, rows).levels.quarantine


def test_of_equal_priorities_the_more_specific_key_counts():
    rows = ordered([row("@.", spam_kill_level=7.0), row("ann@x.example", spam_kill_level=6.0)], KEYS)
    assert 6.0 == merged(DEFAULT, rows).levels.quarantine


def test_rows_of_others_do_not_count():
    assert [] == ordered([row("bob@x.example")], KEYS)


def test_letters_are_read_as_amavis_reads_them():
    letters = {"Y": True, "y": True, "1": True, "x": True, "N": False, "f": False, "0": False, " ": False}
    for letter, expected in letters.items():
        policy = merged(DEFAULT, [row("@.", spam_lover=letter, bypass_spam_checks=letter)])
        assert expected == (Category.SPAM in policy.lovers) == (Category.SPAM in policy.bypasses)


def test_an_empty_place_for_spam_means_no_quarantine():
    assert not merged(DEFAULT, [row("@.", spam_quarantine_to="")]).keep
    assert merged(DEFAULT, [row("@.", spam_quarantine_to="spam-quarantine")]).keep


def test_a_size_limit_is_at_least_what_every_mailbox_must_take():
    limits = {0: 0, 1000: 65_536, 1_000_000: 1_000_000, -1: 0}
    for written, expected in limits.items():
        assert expected == merged(DEFAULT, [row("@.", message_size_limit=written)]).size_limit


def test_what_is_no_number_is_passed_over():
    policy = merged(DEFAULT, [row("@.", spam_kill_level="many"), row("@.", spam_kill_level=7)])
    assert 7.0 == policy.levels.quarantine


def test_a_row_may_say_that_an_address_is_ours():
    assert not merged(DEFAULT, [row("@.", local=False), row("@.", local=True)]).local


def test_without_a_kill_level_anywhere_nothing_is_killed():
    never = Policy(levels=Levels(kill=None))
    assert None is merged(never, [row("@.", spam_kill_level=6.0)]).levels.kill
    assert 12.0 == merged(never, [row("@.", spam_quarantine_cutoff_level=12.0)]).levels.kill


anything = st.none() | st.floats() | st.integers() | st.text(max_size=5)


@given(mark=anything, quarantine=anything, kill=anything)
def test_levels_are_in_order_whatever_the_tables_say(mark: object, quarantine: object, kill: object):
    values = {"spam_tag2_level": mark, "spam_kill_level": quarantine, "spam_quarantine_cutoff_level": kill}
    levels = merged(DEFAULT, [row("@.", **{n: v for n, v in values.items() if v is not None})]).levels
    assert levels.kill is not None
    assert levels.mark <= levels.quarantine <= levels.kill
