"""What an entry of a list of senders is said to do."""

from lazaret.flow.lists import allows, effect
from lazaret.model.policies import ListEntry


def entry(wb: str) -> ListEntry:
    return ListEntry(1, "ann@home.example", 2, "friend@out.example", 9, wb)


def test_what_is_no_word_of_a_list_allows_as_in_amavis_and_is_said_so():
    odd = entry("1x\0\0")
    assert allows(odd)
    assert effect(odd).startswith("not judged by the score")


def test_what_pads_an_entry_is_no_part_of_it():
    assert "1.5 points are taken off" == effect(entry("-1.5\0\0"))
