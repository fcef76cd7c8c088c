"""Nobody sees or acts on another's mail, by any id, on any route: the table of routes is walked."""

import re

import pytest
from tests.support.installation import ANN, BOB, KILL, QUARANTINE

from lazaret.flow.rights import Right
from lazaret.web.routes import PAGES

OPEN = {
    "/",
    "/login",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/openapi.json",
    "/d/{token}",
    "/login/mail",
    "/login/oidc",
    "/login/oidc/return",
    "/login/oidc/out",
    "/login/oidc/gone",
    "/favicon.ico",
    "/static/icon.svg",
    "/login/passkey",
    "/login/passkey.js",
}
"""A link out of a mail says by its signature what it is good for."""
WITH_ID = [(page, method) for page in PAGES for method in page.methods if "{id}" in page.path]
CLOSED = [(page, method) for page in PAGES for method in page.methods if page.need is not None]
NAMES = [f"{method} {page.path}" for page, method in WITH_ID]


def asked(browser, page, method, mail_id):
    """What the route says to somebody who knows the id of a message."""
    path = page.path.replace("{id}", mail_id).replace("{number}", "1").replace("{name}", "x")
    if path.startswith("/api/"):
        return browser.send(method, path, {} if method == "POST" else None, X_CSRF_Token=browser.csrf)
    if method == "POST":
        return browser.post(path, {"id": mail_id, "to": "bob@home.example", "act": "release"}, follow=False)
    return browser.get(path, follow=False)


@pytest.fixture(scope="module")
def of_ann(site):
    """The id of a message that only ann got."""
    return site.send_found(QUARANTINE, ANN, subject="only for ann")


def test_these_routes_answer_without_a_login_and_no_others():
    assert OPEN >= {page.path for page in PAGES if page.need is None}


@pytest.mark.parametrize(("page", "method"), CLOSED, ids=[f"{m} {p.path}" for p, m in CLOSED])
def test_without_a_login_every_other_route_is_closed(site, of_ann, page, method):
    seen = asked(site.browser(), page, method, of_ann)

    assert seen.status in (303, 401)
    assert "only for ann" not in seen.text
    if seen.status == 303:
        assert seen.headers["Location"].startswith("/login")


@pytest.mark.parametrize(("page", "method"), WITH_ID, ids=NAMES)
def test_a_message_of_somebody_else_is_not_there(site, bob, of_ann, page, method):
    bob.get("/mail")
    before = site.hop.copies.total()
    rows = site.query("SELECT rs FROM msgrcpt WHERE mail_id = ?", of_ann)
    seen = asked(bob, page, method, of_ann)
    unknown = asked(bob, page, method, "AAAAAAAAAAAA")

    assert 404 == seen.status, seen.words
    assert "only for ann" not in seen.text
    assert seen.text.replace(of_ann, "") == unknown.text.replace("AAAAAAAAAAAA", ""), (
        "an id is told to be one"
    )
    assert before == site.hop.copies.total()
    assert rows == site.query("SELECT rs FROM msgrcpt WHERE mail_id = ?", of_ann)


@pytest.mark.parametrize(("page", "method"), WITH_ID, ids=NAMES)
def test_an_auditor_reads_no_text_and_changes_nothing(site, auditor, of_ann, page, method):
    auditor.get("/mail")
    seen = asked(auditor, page, method, of_ann)

    assert QUARANTINE not in seen.text
    if page.need is Right.FIND:
        assert 200 == seen.status
    else:
        assert 403 == seen.status


@pytest.mark.parametrize("act", ["release", "delete", "undelete", "request"])
def test_ticking_the_message_of_somebody_else_does_nothing(site, bob, of_ann, act):
    bob.get("/mail")
    before = site.hop.copies.total()
    seen = bob.post("/mail/acts", {"act": act, "id": of_ann})

    assert "There is no such message." in seen.words
    assert before == site.hop.copies.total()
    assert [(" ",)] == site.query("SELECT rs FROM msgrcpt WHERE mail_id = ?", of_ann)


@pytest.mark.parametrize("act", ["release", "delete", "undelete", "request", "learn-spam", "learn-ham"])
def test_no_act_of_the_api_reaches_the_message_of_somebody_else(site, bob, of_ann, act):
    bob.get("/mail")
    before, token = site.hop.copies.total(), {"X_CSRF_Token": bob.csrf}
    [told] = bob.send("POST", "/api/v1/acts", {"act": act, "ids": [of_ann]}, **token).json["outcomes"]
    wish = {"act": act, "query": f"id:{of_ann}", "everything": True}

    assert (False, "There is no such message.") == (told["ok"], told["problem"])
    assert 0 == bob.send("POST", "/api/v1/acts/search", wish, **token).json["count"]
    assert 422 == bob.send("POST", "/api/v1/acts/search", wish | {"seen": 1}, **token).status
    decided = bob.send("POST", "/api/v1/requests/decide", {"id": of_ann, "grant": True}, **token)
    assert 403 == decided.status
    assert before == site.hop.copies.total()
    assert [(" ",)] == site.query("SELECT rs FROM msgrcpt WHERE mail_id = ?", of_ann)


def test_a_list_has_only_what_is_ones_own(site, bob, of_ann):
    assert "only for ann" not in bob.get("/mail").text
    assert "only for ann" not in bob.get("/mail?in=history").text
    assert "only for ann" not in bob.get("/mail?q=only").text
    assert "Nothing matches." in bob.get(f"/mail?q=id:{of_ann}").words


LISTS = ("", "/grouped", "/fresh", "/count")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["", "only", "subject:only", "id:{id}", "to:ann@home.example", "-to:bob"])
def test_no_list_of_the_api_has_what_is_anothers(site, bob, of_ann, path, query):
    asked = f"/api/v1/messages{path}?in=history&q={query.replace('{id}', of_ann)}"
    seen = bob.send("GET", asked)

    assert 200 == seen.status
    assert of_ann not in seen.text
    assert "only for ann" not in seen.text
    if path == "/count" and "id:" in query:
        assert 0 == seen.json["count"]


@pytest.fixture(scope="module")
def of_both(site):
    """One message with two copies; bob stands in no header."""
    return site.send_found(QUARANTINE, ANN, BOB, subject="blind copy")


@pytest.mark.parametrize(
    "query", ["to:bob", "to:bob@home.example", "bob@home.example", "bob", "-to:ann state:quarantined"]
)
def test_no_search_tells_of_another_recipient(ann, of_both, query):
    """Bob got a blind copy; ann must not find that out by asking cleverly."""
    seen = ann.get(f"/mail?q={query.replace(' ', '+')}")

    assert of_both not in seen.text
    assert of_both not in ann.get(f"/mail?in=history&q={query.replace(' ', '+')}").text


def test_each_recipient_has_a_copy_of_his_own(site, ann, bob, of_both):
    """Release, delete and undo are per recipient, and nobody sees the state of another's copy."""
    ann.get(f"/mail/{of_both}")
    assert "Deleted." in ann.post(f"/mail/{of_both}/delete").words
    page = bob.get(f"/mail/{of_both}")

    assert "blind copy" in page.words
    assert "deleted" not in page.words
    assert "blind copy" in bob.get("/mail").words
    assert "blind copy" not in ann.get("/mail").words
    assert of_both not in bob.get("/mail?q=state:deleted").text
    assert of_both in ann.get("/mail?q=state:deleted").text

    assert "250 2.0.0" in bob.post(f"/mail/{of_both}/release").words
    assert 1 == len(site.hop.of(BOB))
    assert [] == [octets for octets in site.hop.of(ANN) if b"blind copy" in octets]
    assert "released" not in ann.get(f"/mail/{of_both}").words


@pytest.mark.parametrize("path", ["", "/raw", "/frame"])
def test_neither_page_nor_download_names_another_recipient(site, ann, path):
    mail_id = site.send_found(QUARANTINE, ANN, BOB, subject=f"names nobody{path}")
    seen = ann.get(f"/mail/{mail_id}{path}")

    assert 200 == seen.status
    assert "bob@" not in seen.text


def test_a_domain_admin_sees_his_domain_and_no_other(site):
    chief = site.person("boss@home.example", "--domain", "home.example")
    other = site.person("boss@away.example", "--domain", "away.example")
    mail_id = site.send_found(KILL, ANN, subject="of one domain")

    assert "of one domain" in chief.get("/mail").words
    assert 404 == other.get(f"/mail/{mail_id}").status
    assert "of one domain" not in other.get("/mail?in=history").words
    chief.get(f"/mail/{mail_id}")
    seen = chief.post(f"/mail/{mail_id}/release", {"to": "somebody@away.example"})
    assert 422 == seen.status


def test_a_user_asks_for_a_virus_and_does_not_open_or_release_it(site, ann, admin):
    """Its category is what counts, as any check may find it."""
    mail_id = site.send_found(QUARANTINE, ANN, subject="dangerous thing")
    import sqlite3

    with sqlite3.connect(site.database) as database:
        database.execute("UPDATE msgs SET content = 'V' WHERE mail_id = ?", (mail_id,))
    page = ann.get(f"/mail/{mail_id}")

    assert "What it says is closed to you." in page.words
    assert "Ask for release" in page.words
    assert "worth the quarantine" in page.words
    assert 403 == ann.get(f"/mail/{mail_id}/frame").status
    assert 403 == ann.post(f"/mail/{mail_id}/release").status
    assert 403 == ann.get(f"/mail/{mail_id}/raw").status
    assert "An admin has been asked" in ann.post(f"/mail/{mail_id}/request").words
    assert mail_id in admin.get("/mail?q=state:pending").text
    assert 200 == admin.get(f"/mail/{mail_id}/raw").status


def test_every_route_goes_through_the_door():
    """An endpoint that took a Starlette request would be none of the table's."""
    import inspect

    from lazaret.web.visit import Visit

    for page in PAGES:
        [parameter] = inspect.signature(page.endpoint).parameters.values()
        assert parameter.annotation in (Visit, "Visit"), page.path
    assert not [page.path for page in PAGES if re.search(r"\{id\}", page.path) and page.need is None]
