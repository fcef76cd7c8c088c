"""The API beside messages: searches, digests, lists, people, rules, levels; each with its scope."""

import time
from datetime import datetime

import pytest
from tests.support.installation import ANN, BOB, QUARANTINE
from tests.web.test_api import V1, Program


@pytest.fixture(scope="module")
def chief(site, admin):
    return Program(site, "chief@home.example", "read", "act", "figures", "admin")


@pytest.fixture(scope="module")
def of_ann(site, ann):
    return Program(site, ANN, "read", "act", "figures", "admin")


def test_searches_are_kept_renamed_and_removed_and_are_those_of_one_person(chief, of_ann):
    kept = of_ann("POST", "/searches", {"name": " Bills  of Acme ", "query": "from:acme.example"}).json

    assert ("Bills of Acme", "from:acme.example", False) == (kept["name"], kept["query"], kept["everything"])
    path = f"/searches/{kept['id']}"
    assert 404 == chief("POST", f"{path}/rename", {"name": "taken"}).status
    assert 404 == chief("POST", f"{path}/remove", {}).status
    assert "Bills of Acme" not in chief("GET", "/searches").text
    renamed = of_ann("POST", f"{path}/rename", {"name": "Bills"}).json["searches"]
    assert kept | {"name": "Bills"} in renamed
    assert kept["id"] not in [s["id"] for s in of_ann("POST", f"{path}/remove", {}).json["searches"]]
    assert 404 == of_ann("POST", "/searches/none/remove", {}).status
    assert 422 == of_ann("POST", "/searches", {"name": "wrong", "query": 'subject:"open'}).status
    assert 400 == of_ann("POST", "/searches", {"query": "no name"}).status


def test_one_says_how_he_is_told_and_only_for_his_own_addresses(site, chief, of_ann):
    before = of_ann("GET", "/digest").json
    wish = {
        "interval": "weekly",
        "hours": [17, 8],
        "language": "de",
        "categories": ["spam"],
        "time_zone": "UTC",
    }
    chosen = of_ann("POST", "/digest", wish).json

    assert ANN == before["address"]
    assert (
        wish | {"hours": [8, 17], "address": ANN, "enabled": False} == chosen == of_ann("GET", "/digest").json
    )
    assert chosen == chief("GET", f"/digest?address={ANN}").json
    for method, path, body in (
        ("GET", f"/digest?address={BOB}", None),
        ("POST", "/digest", wish | {"address": BOB}),
    ):
        assert 404 == of_ann(method, path, body).status
    assert 422 == of_ann("POST", "/digest", wish | {"time_zone": "Moon/Crater"}).status
    assert 422 == of_ann("POST", "/digest", wish | {"hours": []}).status
    assert before == of_ann("POST", "/digest", {"default": True}).json


def test_senders_are_listed_for_oneself_and_by_an_admin_for_all(chief, of_ann):
    own = {"kind": "block", "sender": "pest@api.example", "owner": ANN}
    [written] = of_ann("POST", "/lists/add", own).json["entries"]

    assert own == {name: written[name] for name in own}
    assert [written] == of_ann("GET", "/lists?q=pest").json["entries"]
    assert [written] == chief("GET", "/lists?q=pest").json["entries"]
    for owner in (BOB, "everybody", "home.example"):
        assert 403 == of_ann("POST", "/lists/add", own | {"owner": owner}).status
        assert 403 == of_ann("POST", "/lists/remove", own | {"owner": owner}).status
    assert 422 == of_ann("POST", "/lists/remove", own | {"kind": "allow"}).status
    assert 200 == chief("POST", "/lists/remove", own).status
    assert [] == of_ann("GET", "/lists?q=pest").json["entries"]
    assert 422 == chief("POST", "/lists/add", own | {"sender": "no such thing@@"}).status


def test_an_entry_says_from_where_how_long_and_why(chief):
    wish = {"kind": "allow", "sender": "pinned@api.example", "owner": "everybody"}
    more = {"networks": ["192.0.2.0/24"], "days": 2, "note": "their office"}
    [written] = chief("POST", "/lists/add", wish | more).json["entries"]

    assert "192.0.2.0/24" in written["effect"]
    assert "their office" == written["note"]
    assert 86_400 < datetime.fromisoformat(written["expires"]).timestamp() - time.time() < 3 * 86_400
    [written] = chief("POST", "/lists/add", wish | {"points": 2}).json["entries"]
    assert "2 points are taken off" == written["effect"]
    assert written["expires"] is None
    assert 422 == chief("POST", "/lists/add", wish | {"networks": ["here"]}).status
    [written] = chief("POST", "/lists/add", wish | {"points": 0.0014}).json["entries"]
    assert "0.001 points are taken off" == written["effect"]
    [written] = chief("POST", "/lists/add", wish | {"points": 999.9996}).json["entries"]
    assert written["effect"].startswith("1000 points are taken off by a sender who is authenticated")
    for nothing in (0, 0.0009, 5e-324, 1000.1):
        assert 400 == chief("POST", "/lists/add", wish | {"points": nothing}).status
    assert 400 == chief("POST", "/lists/remove", wish | {"points": 2}).status
    assert 200 == chief("POST", "/lists/remove", wish).status


def test_people_are_let_in_kept_out_and_forgotten_by_an_admin_alone(site, chief, of_ann):
    new = {"name": "api-made@home.example", "role": "user"}
    made = chief("POST", "/people", new).json

    assert "Choose a password" in site.browser().get(made["link"].replace(site.origin, "")).words
    assert 422 == chief("POST", "/people", new).status
    assert 422 == chief("POST", "/people", {"name": "boss", "role": "domain-admin"}).status
    for act, disabled in (("close", True), ("open", False)):
        assert 200 == chief("POST", "/people/change", {"name": new["name"], "act": act}).status
        [found] = [p for p in chief("GET", "/people").json["people"] if p["name"] == new["name"]]
        assert disabled is found["disabled"]
        assert (None, 0, False, "") == tuple(
            found[name] for name in ("last_login", "passkeys", "single_sign_on", "language")
        )
    assert (
        "/login?invite=" in chief("POST", "/people/change", {"name": new["name"], "act": "link"}).json["link"]
    )
    assert 422 == chief("POST", "/people/change", {"name": "chief@home.example", "act": "close"}).status
    assert 200 == chief("POST", "/people/change", {"name": new["name"], "act": "remove"}).status
    assert 404 == chief("POST", "/people/change", {"name": new["name"], "act": "remove"}).status
    assert {403} == {
        of_ann("GET", "/people").status,
        of_ann("POST", "/people", new).status,
        of_ann("POST", "/people/change", {"name": "chief@home.example", "act": "remove"}).status,
    }


def test_what_users_ask_for_is_granted_or_denied_once(site, chief, of_ann):
    def asked(subject):
        mail_id = site.send_found(QUARANTINE, ANN, subject=subject)
        site.write("UPDATE msgs SET content = 'V' WHERE mail_id = ?", mail_id)
        assert "pending" == of_ann("POST", f"/messages/{mail_id}/request", {}).json["state"]
        return mail_id

    granted, denied = asked("asked for over the api"), asked("asked for in vain")
    waiting = {one["id"] for one in chief("GET", "/messages?q=state:pending").json["messages"]}
    assert {granted, denied} <= waiting
    queue = chief("GET", "/requests").json["messages"]
    assert [[ANN]] * 2 == [one["to"] for one in queue if one["id"] in (granted, denied)]
    first = chief("GET", "/requests?limit=1").json
    assert first["messages"] + chief("GET", f"/requests?after={first['next']}").json["messages"] == queue
    assert 403 == of_ann("GET", "/requests").status
    assert 403 == of_ann("POST", "/requests/decide", {"id": granted, "grant": True}).status
    before = site.hop.copies.total()
    wish, key = {"id": granted, "grant": True}, {"Idempotency_Key": "grant-once"}
    for _ in range(2):
        done = chief("POST", "/requests/decide", wish, **key).json
        assert (True, "released", ANN) == (done["ok"], done["state"], done["results"][0]["recipient"])
    assert before + 1 == site.hop.copies.total()
    assert "quarantined" == chief("POST", "/requests/decide", {"id": denied, "grant": False}).json["state"]
    assert before + 1 == site.hop.copies.total()
    assert 422 == chief("POST", "/requests/decide", {"id": denied, "grant": True}).status
    assert 404 == chief("POST", "/requests/decide", {"id": "AAAAAAAAAAAA", "grant": True}).status
    assert 400 == chief("POST", "/requests/decide", {"id": denied}).status


def test_rules_and_levels_are_for_who_sees_figures(site, chief, of_ann):
    mail_id = site.send_found(QUARANTINE, ANN, subject="counted by a rule over the api")
    chief("POST", f"/messages/{mail_id}/release", {})
    [rule] = [r for r in chief("GET", "/rules").json["rules"] if r["name"] == "TEST_QUAR"]
    tried = chief("POST", "/simulate", {"mark": 3, "quarantine": 12, "kill": 20}).json

    assert 1 <= rule["released"] <= rule["stopped"] <= rule["messages"]
    assert rule["released_share"] == pytest.approx(rule["released"] / rule["stopped"])
    assert ["delivered", "marked", "quarantined", "killed"] == [fate["fate"] for fate in tried["fates"]]
    assert tried["changed"] >= 1
    assert 422 == chief("POST", "/simulate", {"mark": 9, "quarantine": 2, "kill": 1}).status
    assert 400 == chief("POST", "/simulate", {"mark": "x", "quarantine": 2}).status
    assert {403} == {
        of_ann("GET", "/rules").status,
        of_ann("POST", "/simulate", {"mark": 1, "quarantine": 2}).status,
    }


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/policies", "admin"),
        ("POST", "/policies/set", "admin"),
        ("POST", "/policies/unset", "admin"),
        ("GET", "/policies/named", "admin"),
        ("GET", "/policies/settings", "admin"),
        ("POST", "/policies/named/set", "admin"),
        ("POST", "/searches", "act"),
        ("POST", "/requests/decide", "act"),
        ("GET", "/digest", "act"),
        ("POST", "/lists/add", "act"),
        ("GET", "/people", "admin"),
        ("POST", "/people", "admin"),
        ("GET", "/rules", "figures"),
        ("POST", "/simulate", "figures"),
    ],
)
def test_a_token_needs_the_scope(site, admin, method, path, scope):
    others = [s for s in ("read", "bodies", "act", "figures", "admin") if s != scope]
    program = Program(site, "chief@home.example", *others)

    assert 403 == program(method, path, {} if method == "POST" else None).status
    assert V1 + path in site.get("/api/v1/openapi.json").text
