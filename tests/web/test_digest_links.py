"""A digest's links: they show and do not act, hold for one copy of one recipient, and only for a while."""

import email
import re
from email.policy import default

import pytest
from tests.support.installation import BOB, CLEAN, QUARANTINE

from lazaret.flow.links import Link, Links, Purpose, link_key

FAR = 4_000_000_000


@pytest.fixture
def cat(site, request):
    """Somebody who has got mail, and so is told of more."""
    address = re.sub("[^a-z0-9]+", ".", request.node.name.lower())[:50].strip(".") + "@home.example"
    site.send_found(CLEAN, address, subject=f"hello {address}")
    return address


def digest_of(site, address: str) -> str:
    """The text of the digest that he gets now."""
    site.output("digest", "send", address)
    octets = next(o for o in reversed(site.hop.of(address)) if o.startswith(b"Message-ID: <digest."))
    part = email.message_from_bytes(octets, policy=default).get_body(("plain",))
    return part.get_content()


def links_of(site, address: str) -> list[str]:
    """The paths of the links of his digest: one for each message, then the one for his choice."""
    return re.findall(rf"{site.origin}(/d/\S+)", digest_of(site, address))


def link(site, address: str, mail_id: str = "", *, expires: int = FAR, purpose=Purpose.COPY) -> str:
    """A link as the service would sign it."""
    return "/d/" + Links(link_key(site.home), "").token(Link(purpose, address, expires, mail_id))


def state(site, mail_id: str) -> list[str]:
    return [rs for (rs,) in site.query("SELECT rs FROM msgrcpt WHERE mail_id = ? ORDER BY rseqnum", mail_id)]


def test_a_program_that_fetches_every_link_changes_nothing_and_reads_no_text(site, cat):
    mail_id = site.send_found(QUARANTINE, cat, subject="scanner")
    before = site.query("SELECT count(*) FROM lz_audit")
    for path in links_of(site, cat):
        for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"Purpose": "prefetch"})):
            seen = site.browser().send(method, path, None, **headers)
            assert 200 == seen.status
            assert QUARANTINE not in seen.text
            assert "TEST_QUAR" not in seen.text
        posted = site.browser().post(path, {"act": "release"})
        assert 403 == posted.status  # a form that never saw the page

    assert [" "] == state(site, mail_id)
    assert before == site.query("SELECT count(*) FROM lz_audit")
    assert [] == [o for o in site.hop.of(cat) if b"\r\nSubject: scanner\r\n" in o]


def test_the_page_says_sender_subject_and_reason_and_the_button_delivers(site, cat):
    mail_id = site.send_found(QUARANTINE, cat, subject="wanted")
    path, _ = links_of(site, cat)
    browser = site.browser()
    page = browser.get(path)

    for words in ("wanted", "Sender <sender@out.example>", "6.0 points: 1.0 above the quarantine level", cat):
        assert words in page.words
    seen = browser.post(path, {"act": "release"})
    assert "It was released to you. 250 2.0.0 from MTA(" in seen.words
    assert ["R"] == state(site, mail_id)
    [octets] = [o for o in site.hop.of(cat) if b"\r\nSubject: wanted\r\n" in o]
    assert f"Resent-From: <{cat}>\r\n".encode() in octets
    assert [(f"link:{cat}",)] == site.query("SELECT who FROM lz_releases WHERE mail_id = ?", mail_id)

    again = browser.post(path, {"act": "release"})
    assert "It was released to you." in again.words
    assert 1 == len([o for o in site.hop.of(cat) if b"\r\nSubject: wanted\r\n" in o])


def test_a_link_reaches_the_copy_of_its_recipient_and_no_other(site, cat):
    mail_id = site.send_found(QUARANTINE, cat, BOB, subject="two copies")
    path, _ = links_of(site, cat)
    browser = site.browser()

    assert "bob" not in browser.get(path).text
    assert "It was released to you." in browser.post(path, {"act": "release"}).words
    assert ["R", " "] == state(site, mail_id)
    assert [] == [o for o in site.hop.of(BOB) if b"\r\nSubject: two copies\r\n" in o]


def test_a_link_for_somebody_who_got_no_copy_finds_nothing(site, cat):
    mail_id = site.send_found(QUARANTINE, BOB, subject="not his")
    seen = site.browser().get(link(site, cat, mail_id))

    assert 404 == seen.status
    assert "not his" not in seen.text


def test_deleting_and_taking_it_back(site, cat):
    mail_id = site.send_found(QUARANTINE, cat, subject="unwanted indeed")
    path, _ = links_of(site, cat)
    browser = site.browser()
    browser.get(path)

    assert "It is deleted." in browser.post(path, {"act": "delete"}).words
    assert ["D"] == state(site, mail_id)
    assert "Deliver it to me" in browser.post(path, {"act": "undelete"}).words
    assert [" "] == state(site, mail_id)


def test_when_the_mail_server_says_later_it_stays_and_the_page_says_so(site, cat):
    mail_id = site.send_found(QUARANTINE, cat, subject="busy")
    path, _ = links_of(site, cat)
    browser = site.browser()
    browser.get(path)
    site.hop.rcpt[cat] = "452 4.2.2 mailbox full"
    try:
        seen = browser.post(path, {"act": "release"})
    finally:
        site.hop.rcpt.clear()

    assert "It is still in the quarantine, and you can try again." in seen.words
    assert "452 4.2.2" in seen.words
    assert [" "] == state(site, mail_id)
    assert "It was released to you." in browser.post(path, {"act": "release"}).words


def test_a_link_whose_time_is_over_and_one_that_we_did_not_make_say_what_to_do(site, cat):
    mail_id = site.send_found(QUARANTINE, cat, subject="old link")
    old, good = link(site, cat, mail_id, expires=1), link(site, cat, mail_id)
    damaged = good[:-3] + "AAA"
    for path, status, words in (
        (old, 410, "is over"),
        (damaged, 404, "was not made here"),
        ("/d/x", 404, ""),
    ):
        browser = site.browser()
        seen = browser.get(path)
        assert (status, True) == (seen.status, words in seen.words)
        assert "old link" not in seen.text
        browser.get("/login")
        assert status == browser.post(path, {"act": "release"}).status
    assert [" "] == state(site, mail_id)


def test_a_message_that_is_gone_is_told_to_be_gone(site, cat):
    assert "not kept any more" in site.browser().get(link(site, cat, "AAAAAAAAAAAA")).words


@pytest.mark.parametrize("category", ["V", "B"])
def test_of_a_virus_one_asks_and_an_admin_decides(site, admin, cat, category):
    subject = f"dangerous {category}"
    granted, denied = (site.send_found(QUARANTINE, cat, BOB, subject=f"{subject} {n}") for n in (1, 2))
    site.write("UPDATE msgs SET content = ? WHERE subject LIKE ?", category, f"{subject}%")
    browser = site.browser()
    for mail_id in (granted, denied):
        path = link(site, cat, mail_id)
        page = browser.get(path)
        assert "Deliver it to me" not in page.words
        assert "an admin decides" in page.words
        assert "you may not release" in browser.post(path, {"act": "release"}).words
        assert "An admin was asked to release it." in browser.post(path, {"act": "request"}).words
        assert ["p", " "] == state(site, mail_id)

    queue = admin.get("/requests")
    assert f"{subject} 1" in queue.words
    assert f"Asked for by {cat} From" in queue.words
    released = admin.post("/requests", {"id": granted, "act": "grant"})
    assert "250 2.0.0 from MTA(" in released.words
    assert (
        "Denied: it stays in the quarantine." in admin.post("/requests", {"id": denied, "act": "deny"}).words
    )
    assert (["R", " "], ["V", " "]) == (state(site, granted), state(site, denied))
    assert [] == [o for o in site.hop.of(BOB) if subject.encode() in o]
    assert subject not in admin.get("/requests").words
    assert "nobody asks for it any more" in admin.post("/requests", {"id": denied, "act": "grant"}).words
    assert "Ask for release" in browser.get(link(site, cat, denied)).words


def test_only_admins_see_what_is_asked_for(site, ann, auditor):
    for browser in (ann, auditor):
        browser.get("/mail")
        assert 403 == browser.get("/requests").status
        assert 403 == browser.post("/requests", {"id": "x", "act": "grant"}).status


def test_how_one_is_told_is_chosen_behind_the_link_without_a_login(site, cat):
    path = link(site, cat, purpose=Purpose.DIGEST)
    browser = site.browser()
    assert f"For {cat}." in browser.get(path).words
    choice = [
        *(("act", "save"), ("interval", "weekly"), ("hour", "6"), ("hour", "18")),
        *(("time_zone", "Europe/Berlin"), ("language", "de"), ("category", "spam"), ("address", BOB)),
    ]
    assert "Saved." in browser.post(path, choice).words
    [row] = site.query(
        "SELECT days, hours, time_zone, language, categories FROM lz_digest_wishes WHERE email = ?", cat
    )
    assert ("weekly", "6 18", "Europe/Berlin", "de", "spam") == row
    assert [] == site.query("SELECT 1 FROM lz_digest_wishes WHERE email = ?", BOB)

    site.send_found(QUARANTINE, cat, subject="auf deutsch")
    assert "Diese Nachricht an" in digest_of(site, cat)

    for wrong in (("hour", "24"), ("interval", "hourly"), ("time_zone", "Mars"), ("language", "xx")):
        bad = [pair for pair in choice if pair[0] != wrong[0]] + [wrong]
        assert 422 == browser.post(path, bad).status
    assert "Saved." in browser.post(path, {"act": "default"}).words
    assert [] == site.query("SELECT 1 FROM lz_digest_wishes WHERE email = ?", cat)


def test_a_link_for_one_message_changes_no_choice_and_one_for_the_choice_releases_nothing(site, cat):
    mail_id = site.send_found(QUARANTINE, cat, subject="purposes")
    browser = site.browser()
    choice, copy = link(site, cat, mail_id, purpose=Purpose.DIGEST), link(site, cat, mail_id)
    browser.get(choice)
    browser.post(choice, {"act": "release"})
    browser.get(copy)
    browser.post(copy, {"act": "save", "interval": "never"})
    assert [" "] == state(site, mail_id)
    assert [] == site.query("SELECT 1 FROM lz_digest_wishes WHERE email = ?", cat)


def test_a_person_with_a_login_chooses_for_his_own_addresses_only(site, ann, admin):
    page = ann.get("/digest")
    assert "For ann@home.example." in page.words
    choice = {"act": "save", "interval": "never", "language": "en", "time_zone": ""}
    assert "Saved." in ann.post("/digest", choice | {"address": "ann@home.example"}).words
    assert 404 == ann.get("/digest?address=bob@home.example").status
    assert 404 == ann.post("/digest", choice | {"address": "bob@home.example"}).status
    admin.get("/mail")
    assert "Saved." in admin.post("/digest", {"act": "default", "address": "ann@home.example"}).words
    assert 422 == admin.post("/digest", choice | {"address": "zoe@far.example"}).status
