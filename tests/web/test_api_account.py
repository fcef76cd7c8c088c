"""One's own account by a program: nothing that it makes is worth more than itself, and nothing of another."""

import json
import time

import pytest
from tests.support.installation import ANN
from tests.web.conftest import PASSWORD
from tests.web.test_api import V1, Program
from tests.web.test_second_factor import code_of, set_up

NEW = "five other words for tests"
OTHERS = ("read", "bodies", "act", "figures", "admin")


@pytest.fixture(scope="module")
def of_ann(site, ann):
    return Program(site, ANN, "account", "read")


def asks(browser, method, path, body=None):
    """A session over the API, as a script of the page would do it."""
    browser.get("/account")
    return browser.send(method, V1 + path, body, X_CSRF_Token=browser.csrf)


def with_token(site, token):
    def ask(method, path, body=None):
        return site.browser().send(method, V1 + path, body, Authorization=f"Bearer {token}")

    return ask


def test_one_sees_by_what_one_comes_in(site, of_ann):
    browser = site.person("factors@home.example")
    before = asks(browser, "GET", "/account").json
    _, codes = set_up(browser)
    after = asks(browser, "GET", "/account").json

    assert ("factors@home.example", "user", "", True, False) == tuple(
        before[name] for name in ("name", "role", "language", "has_password", "single_sign_on")
    )
    assert {"app": False, "recovery_codes": 0, "passkeys": 0, "required": False} == before["second_factor"]
    assert {"app": True, "recovery_codes": len(codes), "passkeys": 0, "required": False} == after[
        "second_factor"
    ]
    assert before["last_login"] is not None
    assert ["de", "en"] == before["languages"]
    assert "account" in of_ann("GET", "/me").json["rights"]


def test_a_language_is_chosen(of_ann, ann):
    assert 200 == of_ann("POST", "/account/language", {"language": "de"}).status
    try:
        assert '<html lang="de">' in ann.get("/mail").text
        assert "de" == of_ann("GET", "/account").json["language"]
    finally:
        assert 200 == of_ann("POST", "/account/language", {"language": ""}).status
    assert 422 == of_ann("POST", "/account/language", {"language": "xx"}).status


def test_a_password_is_changed_by_who_knows_the_old_one_and_all_sessions_end(site):
    browser = site.person("api-change@home.example")
    program = Program(site, "api-change@home.example", "account")
    wish = {"old": PASSWORD, "new": NEW}

    assert 422 == program("POST", "/account/password", wish | {"new": "short"}).status
    wrong = program("POST", "/account/password", wish | {"old": "not this one"})
    assert (403, "the password is wrong") == (wrong.status, wrong.json["detail"])
    assert 200 == program("POST", "/account/password", wish).status
    assert "Sign in" in browser.get("/mail").words
    assert "Sign out" in site.browser().log_in("api-change@home.example", NEW).words


@pytest.mark.parametrize("by", ["token", "session"])
def test_nobody_guesses_the_password_over_the_api(own_site, by):
    site, name = own_site, "guessed@home.example"
    browser = site.person(name)
    program = Program(site, name, "account")

    def ask(path, body):
        return program("POST", path, body) if by == "token" else asks(browser, "POST", path, body)

    for _ in range(5):
        assert 403 == ask("/account/password", {"old": "not this one", "new": NEW}).status
    locked = ask("/account/password", {"old": PASSWORD, "new": NEW})
    assert (429, "application/problem+json") == (locked.status, locked.headers["Content-Type"])
    assert 890 < int(locked.headers["Retry-After"]) <= 900
    wish = {"label": "x", "scopes": ["account"], "password": PASSWORD}
    assert (200 if by == "token" else 429) == ask("/account/tokens", wish).status
    assert 429 == site.browser().log_in(name, PASSWORD).status
    assert 5 == site.log().count(f'user="{name}" reason=password')


def test_sessions_are_listed_and_ended_and_are_those_of_one_person(site, of_ann):
    name = "sessions@home.example"
    first = site.person(name)
    second, third = site.browser(), site.browser()
    for browser in (second, third):
        browser.log_in(name, PASSWORD)
    found = asks(first, "GET", "/account/sessions").json["sessions"]
    own = [one["session"] for one in found if one["current"]]
    others = [one["session"] for one in found if not one["current"]]

    assert (1, 2) == (len(own), len(others))
    assert {"127.0.0.1"} == {one["remote"] for one in found}
    assert 404 == of_ann("POST", "/account/sessions/end", {"session": own[0]}).status
    assert not {*own, *others} & {s["session"] for s in of_ann("GET", "/account/sessions").json["sessions"]}
    left = asks(first, "POST", "/account/sessions/end", {"session": others[0]}).json["sessions"]
    assert 2 == len(left)
    assert 404 == asks(first, "POST", "/account/sessions/end", {"session": others[0]}).status
    assert own == [
        s["session"] for s in asks(first, "POST", "/account/sessions/end", {"session": None}).json["sessions"]
    ]
    assert ["Sign out" in b.get("/account").words for b in (first, second, third)] == [True, False, False]
    program = Program(site, name, "account")
    assert [] == program("POST", "/account/sessions/end", {"session": None}).json["sessions"]
    assert "Sign in" in first.get("/account").words
    assert 400 == program("POST", "/account/sessions/end", {}).status, "nothing ends by mistake"


def test_the_page_ends_sessions_too(site):
    name = "ends@home.example"
    first = site.person(name)
    second, third = site.browser(), site.browser()
    second.log_in(name, PASSWORD)
    page = first.get("/account")
    assert "this one" in page.words
    first.post("/account", {"act": "session-end", "session": page.field("session")})
    assert "Sign in" in second.get("/account").words
    third.log_in(name, PASSWORD)
    first.get("/account")
    first.post("/account", {"act": "sessions-end"})
    assert "Sign in" in third.get("/account").words
    assert "End all others" not in first.get("/account").words


def test_a_token_makes_none_that_is_worth_more_than_itself(site, ann):
    parent = Program(site, ANN, "account", "read")
    wish = {"label": "child", "scopes": ["read", "account"]}
    child = with_token(site, parent("POST", "/account/tokens", wish).json["token"])

    assert 200 == child("GET", "/messages").status
    for scope in ("act", "bodies", "figures", "admin"):
        for program in (parent, child):
            refused = program("POST", "/account/tokens", {"label": "x", "scopes": ["read", scope]})
            assert 422 == refused.status
            assert f"has not the scope {scope}" in refused.json["detail"]
    narrow = with_token(
        site, child("POST", "/account/tokens", {"label": "x", "scopes": ["read"]}).json["token"]
    )
    assert 200 == narrow("GET", "/messages").status
    assert 403 == narrow("POST", "/account/tokens", {"label": "x", "scopes": ["read"]}).status
    assert 400 == parent("POST", "/account/tokens", {"label": "x", "scopes": ["god"]}).status
    assert 400 == parent("POST", "/account/tokens", {"label": "x", "scopes": []}).status


def test_a_token_makes_none_that_outlives_it(site, ann):
    parent = with_token(
        site,
        site.output("user", "token", ANN, "--label", "short", "--scope", "account", "--days", "10").strip(),
    )

    def made(**more):
        wish = {"label": f"lasts {json.dumps(more)}", "scopes": ["account"]} | more
        return parent("POST", "/account/tokens", wish).status, wish["label"]

    assert 422 == made(days=11)[0]
    assert 200 == made(days=9)[0]
    status, label = made()
    assert 200 == status
    lapses = {
        one["label"]: one["expires"]
        for one in parent("GET", "/account/tokens").json["tokens"]
        if one["expires"]
    }
    [own] = [one for one in parent("GET", "/account/tokens").json["tokens"] if one["current"]]
    assert own["expires"] == lapses[label], "it ends with the token that made it"
    site.write("UPDATE lz_api_tokens SET expires = ? WHERE label = 'short'", int(time.time()) - 1)
    assert 401 == parent("GET", "/account").status


def test_a_token_takes_those_that_it_made_along(site):
    name = "api-family@home.example"
    browser = site.person(name)
    keeper, stolen = Program(site, name, "account"), Program(site, name, "account", "read")

    def child(ask, label):
        wish = {"label": label, "scopes": ["account", "read"]}
        return with_token(site, ask("POST", "/account/tokens", wish).json["token"])

    first = child(stolen, "first made")
    second = child(first, "second made")
    told = {one["label"]: one for one in second("GET", "/account/tokens").json["tokens"]}
    mine = stolen("GET", "/account/tokens").json["tokens"]
    [own] = [one["token"] for one in mine if one["current"]]
    assert own == told["first made"]["made_by"]
    assert told["first made"]["token"] == told["second made"]["made_by"]
    assert told["second made"]["current"]
    assert [None] == [one["made_by"] for one in mine if one["current"]]
    page = browser.get("/account").words
    assert "second made made by “first made”" in page
    assert "removes those that it made as well" in page

    assert 200 == keeper("POST", "/account/tokens/remove", {"token": own}).status
    assert [401] * 3 == [ask("GET", "/account").status for ask in (stolen, first, second)]
    assert 200 == keeper("GET", "/account").status
    assert "removes those" not in browser.get("/account").words


def test_a_session_shows_the_password_or_a_code_for_a_token(site):
    browser = site.person("api-token@home.example")
    wish = {"label": "x", "scopes": ["read", "act"], "days": 1}

    assert 403 == asks(browser, "POST", "/account/tokens", wish).status
    made = asks(browser, "POST", "/account/tokens", wish | {"password": PASSWORD})
    assert 200 == with_token(site, made.json["token"])("GET", "/messages").status
    secret, _ = set_up(browser)
    assert 403 == asks(browser, "POST", "/account/tokens", wish | {"password": PASSWORD}).status
    assert 200 == asks(browser, "POST", "/account/tokens", wish | {"code": code_of(secret)}).status


def test_tokens_are_listed_and_removed_and_are_those_of_one_person(site, of_ann, admin):
    chief = Program(site, "chief@home.example", "account")
    gone = Program(site, ANN, "read")
    mine = of_ann("GET", "/account/tokens").json["tokens"]
    [own] = [one["token"] for one in mine if one["current"]]

    assert not {one["token"] for one in mine} & {
        one["token"] for one in chief("GET", "/account/tokens").json["tokens"]
    }
    assert 404 == chief("POST", "/account/tokens/remove", {"token": own}).status
    assert 200 == of_ann("GET", "/account").status
    newest = [one["token"] for one in mine if not one["current"] and one["scopes"] == ["read"]]
    for name in newest:
        assert 200 == of_ann("POST", "/account/tokens/remove", {"token": name}).status
    assert 401 == gone("GET", "/messages").status
    assert gone.token not in json.dumps(mine)
    assert 404 == of_ann("POST", "/account/tokens/remove", {"token": newest[0]}).status
    assert 400 == of_ann("POST", "/account/tokens/remove", {"token": "all"}).status


def test_there_is_an_end_to_tokens(own_site):
    own_site.person(ANN)
    program = Program(own_site, ANN, "account")
    seen = {
        program("POST", "/account/tokens", {"label": "x", "scopes": ["account"]}).status for _ in range(99)
    }
    full = program("POST", "/account/tokens", {"label": "x", "scopes": ["account"]})

    assert {200} == seen
    assert (422, "there are 100 tokens already; remove one first") == (full.status, full.json["detail"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account"),
        ("POST", "/account/language"),
        ("POST", "/account/password"),
        ("GET", "/account/sessions"),
        ("POST", "/account/sessions/end"),
        ("GET", "/account/tokens"),
        ("POST", "/account/tokens"),
        ("POST", "/account/tokens/remove"),
        ("POST", "/account/second-factor/propose"),
        ("POST", "/account/second-factor/confirm"),
        ("POST", "/account/second-factor/codes"),
        ("POST", "/account/second-factor/remove"),
        ("GET", "/account/passkeys"),
        ("POST", "/account/passkeys/rename"),
        ("POST", "/account/passkeys/remove"),
    ],
)
def test_the_account_needs_a_scope_of_its_own(site, admin, method, path):
    program = Program(site, "chief@home.example", *OTHERS)

    assert 403 == program(method, path, {} if method == "POST" else None).status
