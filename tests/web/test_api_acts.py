"""Acts over a whole search by a program: counted, agreed to, done once, with a result for each."""

import pytest
from tests.support.installation import ANN, BOB, QUARANTINE
from tests.web.test_api import Program

PATH = "/acts/search"


@pytest.fixture(scope="module")
def chief(site, admin):
    return Program(site, "chief@home.example", "read", "act")


@pytest.fixture(scope="module")
def of_ann(site, ann):
    return Program(site, ANN, "read", "act")


def sent(site, word, *to, copies=3):
    return [site.send_found(QUARANTINE, *to, subject=f"{word} number {n}") for n in range(copies)]


def states(site, word):
    return sorted(str(i["state"]) for i in site.rows("find", f"subject:{word}", "--json"))


def test_nothing_is_done_before_the_number_was_seen(site, chief):
    ids = sent(site, "tamarisk", ANN)
    wish = {"act": "delete", "query": "subject:tamarisk"}

    assert {"count": 3, "outcomes": None} == chief("POST", PATH, wish).json
    for seen in (0, 2, 4, 5000):
        refused = chief("POST", PATH, wish | {"seen": seen})
        assert (422, "application/problem+json") == (refused.status, refused.headers["Content-Type"])
        assert f"the search finds 3 messages by now, not {seen}" == refused.json["detail"]
    assert ["quarantined"] * 3 == states(site, "tamarisk")
    done = chief("POST", PATH, wish | {"seen": 3}).json
    assert 3 == done["count"]
    assert sorted(ids) == sorted(o["id"] for o in done["outcomes"])
    assert {(True, "deleted")} == {(o["ok"], o["state"]) for o in done["outcomes"]}
    assert {"count": 0, "outcomes": []} == chief("POST", PATH, wish | {"seen": 0}).json


def test_the_same_key_acts_once(site, chief):
    sent(site, "mulberry", ANN)
    wish, key = {"act": "release", "query": "subject:mulberry", "seen": 3}, {"Idempotency_Key": "mulberries"}
    before = site.hop.copies.total()
    first, again = (chief("POST", PATH, wish, **key) for _ in range(2))

    assert (200, first.octets, "true") == (again.status, again.octets, again.headers["Idempotency-Replayed"])
    assert [True] * 3 == [o["ok"] for o in first.json["outcomes"]]
    assert before + 3 == site.hop.copies.total()
    assert 422 == chief("POST", PATH, wish | {"act": "delete"}, **key).status
    wrong, key = wish | {"seen": 1}, {"Idempotency_Key": "not taken"}
    assert 422 == chief("POST", PATH, wrong, **key).status
    assert 422 == chief("POST", PATH, wrong, **key).status, "what was refused is not remembered"


def test_everybody_counts_and_acts_on_his_own_copies_alone(site, chief, of_ann):
    sent(site, "hornbeam of ann", ANN, copies=2)
    sent(site, "hornbeam of bob", BOB)
    sent(site, "hornbeam of both", ANN, BOB, copies=1)
    wish = {"act": "delete", "query": "subject:hornbeam"}

    assert 3 == of_ann("POST", PATH, wish).json["count"]
    assert [True] * 3 == [o["ok"] for o in of_ann("POST", PATH, wish | {"seen": 3}).json["outcomes"]]
    kept = site.query(
        "SELECT a.email, r.rs FROM msgrcpt r JOIN maddr a ON a.id = r.rid JOIN msgs m"
        " ON m.mail_id = r.mail_id WHERE m.subject LIKE 'hornbeam%'"
    )
    assert {(ANN, "D"), (BOB, " ")} == set(kept)
    assert 4 == chief("POST", PATH, wish).json["count"]


def test_what_a_role_or_a_scope_does_not_grant_is_refused_message_by_message(site, admin, auditor):
    sent(site, "medlar", ANN, copies=1)
    wish = {"act": "release", "query": "subject:medlar"}
    before = site.hop.copies.total()
    for program in (Program(site, "chief@home.example", "read"), Program(site, "auditor", "read", "act")):
        assert {"count": 1, "outcomes": None} == program("POST", PATH, wish).json
        [told] = program("POST", PATH, wish | {"seen": 1}).json["outcomes"]
        assert (False, "you may not release here") == (told["ok"], told["problem"])
    assert 403 == Program(site, "chief@home.example", "act")("POST", PATH, wish).status
    assert before == site.hop.copies.total()


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"act": "burn", "query": ""}, 400),
        ({"act": "delete"}, 400),
        ({"act": "delete", "query": "nofield:x"}, 400),
        ({"act": "delete", "query": "x" * 4097}, 400),
        ({"act": "delete", "query": "", "seen": 5001}, 400),
        ({"act": "delete", "query": "", "seen": -1}, 400),
    ],
)
def test_a_wish_that_makes_no_sense_is_a_problem(chief, wish, status):
    assert status == chief("POST", PATH, wish).status
