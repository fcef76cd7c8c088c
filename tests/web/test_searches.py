"""Searches that are kept under a name: on the list, renamed, forgotten, each person's own."""

import re

QUERY = "subject:invoice from:acme.example"


def saved(browser, name, query=QUERY, place=""):
    browser.get("/mail")
    return browser.post("/searches", {"act": "save", "name": name, "q": query, "in": place})


def number_of(browser, name):
    page = browser.get("/searches").text
    return re.search(rf'name="id" value="(\d+)">(?:(?!<li>).)*?value="{re.escape(name)}"', page, re.DOTALL)[1]


def test_a_search_is_saved_opened_renamed_and_removed(ann):
    seen = saved(ann, "  Acme   bills ")

    assert "/mail?q=subject%3Ainvoice+from%3Aacme.example" == seen.path
    assert re.search(r'<a class="chip on"[^>]*aria-current="true">Acme bills</a>', seen.text)
    assert "Save this search" not in seen.words
    assert "Save this search" in ann.get("/mail?q=other").words
    assert "Acme bills" in ann.get("/mail").words
    number = number_of(ann, "Acme bills")
    assert (
        "Bills of Acme"
        in ann.post("/searches", {"act": "rename", "id": number, "name": "Bills of Acme"}).text
    )
    assert "Bills of Acme" not in ann.post("/searches", {"act": "remove", "id": number}).text


def test_a_search_over_all_mail_stays_one(ann):
    assert "/mail?q=hello&in=history" == saved(ann, "all hello", "hello", "history").path


def test_nobody_sees_or_changes_the_searches_of_another(ann, bob):
    saved(ann, "only of ann")
    number = number_of(ann, "only of ann")

    assert "only of ann" not in bob.get("/searches").text
    assert "only of ann" not in bob.get("/mail").text
    for act in ("rename", "remove"):
        bob.post("/searches", {"act": act, "id": number, "name": "taken"})
    assert "only of ann" in ann.get("/searches").text


def test_what_cannot_be_saved_is_told(ann):
    assert 422 == saved(ann, "").status
    assert 422 == saved(ann, "x" * 65).status
    assert "this quote is never closed" in saved(ann, "wrong", 'subject:"open').words
    assert 422 == saved(ann, "long", "x" * 5000).status
    assert 200 == ann.post("/searches", {"act": "remove", "id": "9" * 40}).status
    assert 200 == ann.post("/searches", {"act": "remove", "id": "x"}).status


def test_a_name_is_text_and_no_html(ann):
    saved(ann, "<b>bold</b>")

    assert "<b>bold" not in ann.get("/mail").text
    assert "<b>bold</b>" in ann.get("/searches").words
