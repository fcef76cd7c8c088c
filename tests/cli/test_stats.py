"""Figures of the history."""

from tests.support.installation import CLEAN, QUARANTINE


def test_json_counts_by_category_action_score_and_symbol(house):
    house.lazaret.send_found(CLEAN, subject="stats clean")
    (before,) = house.lazaret.rows("stats", "--json")
    house.lazaret.send_found(QUARANTINE, subject="stats spam")
    (after,) = house.lazaret.rows("stats", "--json")

    assert {"messages", "octets", "mean_ms", "categories", "actions", "scores", "symbols"} <= set(after)
    assert before["messages"] + 1 == after["messages"]
    assert before["categories"].get("spam", 0) + 1 == after["categories"]["spam"]
    assert before["actions"].get("quarantine", 0) + 1 == after["actions"]["quarantine"]
    assert before["scores"].get("6", 0) + 1 == after["scores"]["6"]
    assert 6.0 == next(s["mean_score"] for s in after["symbols"] if s["symbol"] == "TEST_QUAR")


def test_the_tables_have_their_heads(house):
    house.lazaret.send_found(QUARANTINE, subject="stats tables")
    printed = house.lazaret.output("stats", "--since", "1h")
    heads = [paragraph.splitlines()[0].split() for paragraph in printed.split("\n\n")]

    assert [["CATEGORY", "MESSAGES"], ["FATE", "RECIPIENTS"], ["SCORE", "MESSAGES"]] == heads[1:4]
    assert ["SYMBOL", "MESSAGES", "MEAN"] == heads[4]


def test_an_empty_history_has_no_tables(bare):
    bare.output("db", "init")

    assert "0 messages, 0.0 MB\n" == bare.output("stats")
