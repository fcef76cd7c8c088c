"""One message on the page: the reason first, then what it says, then what was done."""

import time

import pytest
from tests.support.installation import ANN, CLEAN, KILL, QUARANTINE


@pytest.fixture
def kept(site, request):
    """A message in the quarantine with a subject of its own."""
    return site.send_found(QUARANTINE, ANN, subject=f"kept for {request.node.name}")


def test_the_reason_stands_in_words_with_the_distance_to_the_level(admin, kept):
    words = admin.get(f"/mail/{kept}").words

    assert "6.0 points: 1.0 above the quarantine level, which begins at 5.0." in words
    assert "+6.00 A word of the tests that is worth the quarantine" in words
    assert words.index("Why it is here") < words.index("What it says")


def test_delivered_mail_has_a_page_too(site, admin):
    mail_id = site.send_found(CLEAN, ANN, subject="delivered and known")
    words = admin.get(f"/mail/{mail_id}").words

    assert "0.0 points: below 3.0, where mail begins to be marked." in words
    assert "Its text is not kept" in words
    assert "queued as" in words


def test_a_release_arrives_and_the_page_has_the_words_of_the_mail_server(site, admin, kept):
    admin.get(f"/mail/{kept}")
    seen = admin.post(f"/mail/{kept}/release")

    assert "Released" in seen.words
    assert "250 2.0.0 Ok: queued as" in seen.words
    original = admin.get(f"/mail/{kept}/raw").octets
    assert site.hop.of(ANN)[-1].endswith(original)
    page = admin.get(f"/mail/{kept}").words
    assert "released" in page
    assert "by web:chief@home.example" in page
    assert "250 2.0.0 Ok: queued as" in page


@pytest.mark.parametrize("reply", ["452 4.3.1 Disk is full", "550 5.1.1 No such user here"])
def test_what_the_mail_server_does_not_take_stays_releasable_and_says_so(site, admin, kept, reply):
    admin.get(f"/mail/{kept}")
    site.hop.end[ANN] = reply
    try:
        seen = admin.post(f"/mail/{kept}/release")
    finally:
        del site.hop.end[ANN]

    assert "Not released everywhere" in seen.words
    assert reply.partition(" ")[2] in seen.words
    page = admin.get(f"/mail/{kept}")
    assert "quarantined" in page.words
    assert reply.partition(" ")[2] in page.words
    assert "250 2.0.0" in admin.post(f"/mail/{kept}/release").words


def test_two_who_release_at_once_cause_one_delivery(site, admin, kept):
    from concurrent.futures import ThreadPoolExecutor

    other = site.person(f"second-{time.time_ns()}@home.example", "--admin")
    admin.get(f"/mail/{kept}")
    other.get(f"/mail/{kept}")
    before = site.hop.copies[ANN]
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda b: b.post(f"/mail/{kept}/release").words, (admin, other)))

    assert before + 1 == site.hop.copies[ANN]
    assert 1 == sum("already released" in a or "being released" in a for a in answers)


def test_a_released_message_is_not_sent_again_without_being_asked_twice(site, admin, kept):
    admin.get(f"/mail/{kept}")
    admin.post(f"/mail/{kept}/release")
    before = site.hop.copies[ANN]
    assert "already released" in admin.post(f"/mail/{kept}/release").words
    assert before == site.hop.copies[ANN]

    assert "Release again" in admin.get(f"/mail/{kept}").words
    admin.post(f"/mail/{kept}/release", {"again": "1"})
    assert before + 1 == site.hop.copies[ANN]


def test_a_message_goes_to_another_address_when_an_admin_says_so(site, admin, kept):
    admin.get(f"/mail/{kept}")
    seen = admin.post(f"/mail/{kept}/release", {"to": "postroom@home.example"})

    assert "postroom@home.example" in seen.words
    assert 1 == len(site.hop.of("postroom@home.example"))
    assert 422 == admin.post(f"/mail/{kept}/release", {"to": "no address"}).status


def test_deleting_can_be_undone(admin, kept):
    admin.get(f"/mail/{kept}")
    assert "Deleted. Undo" in admin.post(f"/mail/{kept}/delete").words
    assert kept not in admin.get("/mail").text
    assert "It is back in the quarantine." in admin.post(f"/mail/{kept}/undelete").words
    assert kept in admin.get("/mail").text


def test_a_raw_message_is_saved_and_never_shown(admin, kept):
    seen = admin.get(f"/mail/{kept}/raw")

    assert f'attachment; filename="{kept}.eml"' in seen.headers["Content-Disposition"]
    assert "nosniff" == seen.headers["X-Content-Type-Options"]
    assert "default-src 'none'; sandbox" == seen.headers["Content-Security-Policy"]


def test_an_attachment_is_named_for_what_it_is_and_saved_octet_by_octet(site, admin):
    header = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    program = b"MZ\x90\x00 is how a Windows program begins\x00\xff"
    import base64

    body = (
        f'--b\r\n\r\n{QUARANTINE}\r\n--b\r\nContent-Type: image/png; name="holiday.png"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="../holiday\r\n .png"\r\n'
        f"\r\n{base64.b64encode(program).decode()}\r\n--b--\r\n"
    )
    mail_id = site.send_found(body, ANN, subject="a holiday", header=header)
    page = admin.get(f"/mail/{mail_id}")

    assert "Windows program" in page.words
    assert "Windows-Programm" in admin.get(f"/mail/{mail_id}", Accept_Language="de").words
    [number] = {p for p in map(str, range(5)) if f"/mail/{mail_id}/part/{p}" in page.text}
    saved = admin.get(f"/mail/{mail_id}/part/{number}")
    assert program == saved.octets
    assert "application/octet-stream" == saved.headers["Content-Type"]
    assert "/" not in saved.headers["Content-Disposition"].partition("filename=")[2].partition(";")[0]


def test_each_reading_of_a_text_is_on_record(site, ann):
    mail_id = site.send_found(QUARANTINE, ANN, subject="who read this")
    for path in ("", "/frame", "/raw"):
        ann.get(f"/mail/{mail_id}{path}")
    rows = site.query("SELECT who, act FROM lz_audit WHERE mail_id = ?", mail_id)

    assert 3 * [("web:ann@home.example", "read")] == rows


def test_a_change_of_the_record_shows(own_site):
    import asyncio
    import sqlite3

    from lazaret.store.opening import open_store

    mail_id = own_site.send_found(KILL, ANN, subject="the record")
    for act in ("delete", "undelete", "delete"):
        own_site.output(act, mail_id)

    def faults():
        store = open_store(f"sqlite:///{own_site.database}", own_site.home, create=False)
        try:
            return asyncio.run(store.audit.verify())
        finally:
            store.close()

    assert [] == faults()
    with sqlite3.connect(own_site.database) as database:
        database.execute("UPDATE lz_audit SET who = 'cli:nobody' WHERE act = 'undelete'")
    [fault] = faults()
    assert "the record of acts was changed at or before number" in fault
    with sqlite3.connect(own_site.database) as database:
        database.execute("DELETE FROM lz_audit WHERE id = (SELECT max(id) FROM lz_audit)")
    assert "the end of the record of acts is missing" in faults()


def test_many_are_released_with_a_result_for_each(site, admin):
    ids = [site.send_found(QUARANTINE, ANN, subject=f"one of many {n}") for n in range(3)]
    admin.get("/mail")
    seen = admin.post("/mail/acts", [("act", "release"), *(("id", i) for i in ids), ("id", "AAAAAAAAAAAA")])

    assert "Release of 4 messages" in seen.words
    assert "3 were done. 1 was not." in seen.words
    assert 3 == seen.words.count("250 2.0.0 Ok: queued as")


def test_a_whole_search_is_counted_before_anything_is_done(site, admin):
    ids = [site.send_found(QUARANTINE, ANN, subject=f"zebra herd {n}") for n in range(3)]
    admin.get("/mail?q=zebra")
    question = admin.post("/mail/acts", {"act": "all", "q": "zebra"})

    assert "3 messages were found" in question.words
    late = site.send_found(QUARANTINE, ANN, subject="zebra latecomer")
    changed = admin.post("/mail/all", {"act": "delete", "q": "zebra", "seen": "3"})
    assert "their number has changed" in changed.words
    assert all(i in admin.get("/mail?q=zebra&each=1").text for i in (*ids, late))
    done = admin.post("/mail/all", {"act": "delete", "q": "zebra", "seen": "4"})
    assert "4 were done." in done.words
    assert "Nothing matches." in admin.get("/mail?q=zebra").words


def test_a_release_teaches_and_allows_when_it_is_told_to(site, admin):
    mail_id = site.send_found(QUARANTINE, ANN, subject="wanted after all")
    admin.get(f"/mail/{mail_id}")
    seen = admin.post(f"/mail/{mail_id}/release", {"learn": "1", "allow": "1"})

    assert "250 2.0.0 Ok: queued as" in seen.words
    assert [("web:chief@home.example", "learn-ham")] == site.query(
        "SELECT who, act FROM lz_audit WHERE mail_id = ? AND act LIKE 'learn%'", mail_id
    )
    assert "sender@out.example ann@home.example not judged by the score" in admin.get("/lists").words
    site.output("allow", "remove", "sender@out.example", "--for", ANN)


def test_what_is_not_taken_is_neither_taught_nor_allowed(site, admin, kept):
    admin.get(f"/mail/{kept}")
    site.hop.end[ANN] = "452 4.3.1 Disk is full"
    try:
        admin.post(f"/mail/{kept}/release", {"learn": "1"})
    finally:
        del site.hop.end[ANN]

    assert [] == site.query("SELECT 1 FROM lz_audit WHERE mail_id = ? AND act LIKE 'learn%'", kept)


def test_a_user_teaches_under_his_address_and_overturns_no_admin(site, ann, admin, kept):
    ann.get(f"/mail/{kept}")
    assert "Learned." in ann.post(f"/mail/{kept}/learn", {"as": "spam"}).words
    admin.get(f"/mail/{kept}")
    assert "Learned." in admin.post(f"/mail/{kept}/learn", {"as": "ham"}).words
    assert "An admin has said otherwise" in ann.post(f"/mail/{kept}/learn", {"as": "spam"}).words
    assert ("user:ann@home.example",) in site.query("SELECT who FROM lz_audit WHERE mail_id = ?", kept)


def test_a_user_changes_his_own_list_alone(site, ann, bob, admin):
    ann.get("/lists")
    assert (
        "shop.example"
        in ann.post("/lists", {"kind": "allow", "sender": "shop.example", "owner": "ann@home.example"}).words
    )
    assert "shop.example" not in bob.get("/lists").words
    assert "shop.example" in admin.get("/lists").words
    bob.get("/lists")
    for owner in ("ann@home.example", "everybody", "home.example", ""):
        fields = {"kind": "block", "sender": "shop.example", "owner": owner}
        assert "not yours to change" in bob.post("/lists", fields).words, owner
        assert "not yours to change" in bob.post("/lists", fields | {"act": "remove"}).words, owner
    ann.get("/lists")
    ann.post(
        "/lists", {"kind": "allow", "sender": "shop.example", "owner": "ann@home.example", "act": "remove"}
    )
    assert "shop.example" not in ann.get("/lists").words
