"""What an existing database says to amavis, and what the same means here."""

from lazaret.model.policies import NamedPolicy
from lazaret.model.verdict import Levels, Policy
from lazaret.policy.side_by_side import side_by_side

NEVER = Policy(levels=Levels(kill=None))
POLICIES = [
    NamedPolicy(1, "normal", 5, {"spam_tag2_level": 6.309999942779541, "spam_kill_level": 6.31}),
    NamedPolicy(2, "cut off", 1, {"spam_kill_level": 5.0, "spam_quarantine_cutoff_level": 12.0}),
    NamedPolicy(3, "nothing kept", 1, {"spam_quarantine_to": ""}),
]


def test_both_sets_of_levels_stand_side_by_side():
    site, normal, cut_off, nothing_kept = side_by_side(POLICIES, NEVER)

    assert ("(configuration)", Levels(kill=None), "nothing is killed") == (site.policy, site.ours, site.note)
    assert ("normal", 5, 6.31, 6.31, None) == (
        *(normal.policy, normal.users, normal.tag2, normal.kill, normal.cutoff),
    )
    assert Levels(mark=6.31, quarantine=6.31, kill=None) == normal.ours
    assert (12.0, 12.0) == (cut_off.cutoff, cut_off.ours.kill)
    assert "no quarantine" in nothing_kept.note


def test_a_kill_level_that_amavis_does_not_have_is_remarked_upon():
    _, normal, *_ = side_by_side(POLICIES, Policy())
    assert "killed from 8 on by the configuration of Lazaret; amavis may keep it" == normal.note
