"""The report of what was quarantined."""

import time
from dataclasses import replace

from lazaret.flow.report import render
from lazaret.model.quarantine import Copy, Item, State

ANN = Copy("Ann@Home.example", State.QUARANTINED, "S", "quarantine", 6.0)
AT = time.mktime((2026, 2, 3, 14, 5, 0, 0, 0, -1))
ITEM = Item(
    mail_id="7vykgLjHGVrk",
    partition_tag=0,
    time=AT,
    sender="a@x.example",
    copies=(ANN,),
    subject="You won",
    from_header="Prizes <p@x.example>",
    message_id="",
    score=6.0,
    category="S",
    size=100,
    client_ip="",
)


def test_a_message_is_told_with_what_lets_it_go():
    assert (
        "ann@home.example: 1 message quarantined\n"
        "     6.0  03 Feb 14:05  Prizes <p@x.example>\n"
        "          You won\n"
        "          lazaret release 7vykgLjHGVrk"
    ) == render([ITEM], level=5.0)


def test_what_is_nearest_to_the_level_comes_first():
    items = [replace(ITEM, score=s, subject=f"s{s}") for s in (30.0, 5.1, 7.0)]
    text = render(items, level=5.0)
    assert text.index("s5.1") < text.index("s7.0") < text.index("s30.0")
    assert "3 messages quarantined" in text


def test_each_recipient_has_a_part_and_sees_nothing_of_the_others():
    bob = replace(ANN, address="bob@home.example")
    both = replace(ITEM, copies=(bob, ANN))
    assert ["ann@home.example: 1", "bob@home.example: 1"] == [
        part[:19] for part in render([both], level=5.0).split("\n\n")
    ]
    assert "ann" not in render([both], only="bob@home.example", level=5.0)


def test_what_was_released_or_deleted_is_not_told():
    copies = tuple(replace(ANN, state=s) for s in (State.RELEASED, State.DELETED, State.DELIVERED))
    assert "" == render([replace(ITEM, copies=copies)], level=5.0)


def test_hostile_text_stays_on_its_line():
    item = replace(ITEM, subject="a\r\nb\x1b[2J" + "c" * 1000, from_header="", sender="x\ny")
    lines = render([item], level=5.0).split("\n")
    assert 4 == len(lines)
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 100 for line in lines)
