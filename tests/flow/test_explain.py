"""A stored message in words and as facts."""

import json
from dataclasses import replace

from lazaret.flow.explain import action_word, category_word, detail_facts, item_facts, rfc3339, why
from lazaret.model.quarantine import Copy, Detail, Item, ReleaseRecord, State
from lazaret.model.verdict import ScoredHit

ANN = Copy("ann@home.example", State.QUARANTINED, "S", "quarantine", 6.0, "250 2.7.0 Ok")
BOB = Copy("bob@home.example", State.DELIVERED, "Y", "mark", 4.0)
ITEM = Item(
    mail_id="7vykgLjHGVrk",
    partition_tag=0,
    time=1_770_000_000.9,
    sender="a@x.example",
    copies=(ANN, BOB),
    subject="You won",
    from_header="Prizes <p@x.example>",
    message_id="<1@x.example>",
    score=6.0,
    category="S",
    size=100,
    client_ip="192.0.2.7",
    symbols=("BAYES_99",),
)
DETAIL = Detail(
    item=ITEM,
    hits=(ScoredHit("BAYES_99", 6.0, "the words are those of spam", "pills"),),
    reasons={ANN.address: "score 6.0 is 1.0 above the quarantine level 5.0", BOB.address: "marked at most"},
    unavailable=("clamd: down",),
    attachments=("list.pdf",),
    releases=(
        ReleaseRecord("7vykgLjHGVrk", ANN.address, 1_770_000_060.0, "cli:root", "deferred", "451 later"),
    ),
)


def test_the_facts_of_a_row():
    assert {
        "id": "7vykgLjHGVrk",
        "time": "2026-02-02T02:40:00Z",
        "from": "a@x.example",
        "to": ["ann@home.example", "bob@home.example"],
        "subject": "You won",
        "score": 6.0,
        "category": "spam",
        "action": "quarantine",
        "state": "quarantined",
        "size": 100,
        "client_ip": "192.0.2.7",
        "symbols": ["BAYES_99"],
    } == item_facts(ITEM)


def test_the_facts_of_a_message_are_those_of_its_row_and_more():
    facts = json.loads(json.dumps(detail_facts(DETAIL)))
    assert item_facts(ITEM) == {k: v for k, v in facts.items() if k in item_facts(ITEM)}
    assert [
        ("quarantined", "score 6.0 is 1.0 above the quarantine level 5.0"),
        ("delivered", "marked at most"),
    ] == [(r["state"], r["reason"]) for r in facts["recipients"]]
    assert [
        {"symbol": "BAYES_99", "score": 6.0, "description": "the words are those of spam", "detail": "pills"}
    ] == (facts["hits"])
    assert ("deferred", "2026-02-02T02:41:00Z") == (
        facts["releases"][0]["state"],
        facts["releases"][0]["time"],
    )


def test_why_is_a_sentence_for_each_reason():
    assert [
        "ann@home.example: score 6.0 is 1.0 above the quarantine level 5.0.",
        "bob@home.example: marked at most.",
        "Could not be asked: clamd: down.",
    ] == why(DETAIL)


def test_those_with_one_reason_share_a_sentence():
    same = replace(DETAIL, reasons={ANN.address: "because", BOB.address: "because"}, unavailable=())
    assert ["ann@home.example, bob@home.example: because."] == why(same)


def test_a_single_recipient_is_not_named():
    single = replace(
        DETAIL, item=replace(ITEM, copies=(ANN,)), reasons={ANN.address: "because"}, unavailable=()
    )
    assert ["Because."] == why(single)


def test_the_strongest_action_stands_for_the_message():
    assert "quarantine" == action_word(ITEM)
    assert "" == action_word(replace(ITEM, copies=()))
    assert "discard" == action_word(replace(ITEM, copies=(BOB, replace(ANN, action="discard"))))


def test_a_category_that_we_never_write_is_shown_as_it_is():
    assert ["spam", "bad-header", "M"] == [category_word(letter) for letter in "SHM"]


def test_times_are_utc():
    assert "1970-01-01T00:00:00Z" == rfc3339(0.4)
