"""Overview, rules, the record of acts, people, one's own account."""

import re
import time

import pytest
from tests.support.installation import ANN, CLEAN, KILL, MARK, QUARANTINE
from tests.web.conftest import PASSWORD
from tests.web.test_second_factor import code_of, set_up

from lazaret.model.verdict import Levels
from lazaret.web.plots import histogram, nice, volume

TOKEN = {"act": "token", "label": "a script", "scope": "read"}


@pytest.fixture(scope="module")
def seen_mail(site):
    for text in (CLEAN, MARK, QUARANTINE, KILL):
        site.send_found(text, ANN, subject=f"figures of {text}")


def test_the_overview_counts_and_tries_other_levels(admin, seen_mail):
    words = admin.get("/overview?mark=3&quarantine=12&kill=20").words
    rows = re.findall(r"(delivered|marked|quarantined|killed) (\d+) (\d+) ([+-]?\d+)", words)
    found = {fate: (int(now), int(then)) for fate, now, then, _ in rows}

    assert "Copies by what became of them" in words
    assert found["quarantined"][1] == found["killed"][0], "12 points are killed now, and quarantined then"
    assert 0 == found["killed"][1]
    assert sum(now for now, _ in found.values()) == sum(then for _, then in found.values())


def test_what_if_says_what_wanted_mail_would_be_lost(site, admin, seen_mail):
    """What somebody had released since is wanted: at a lower level it would be kept from him again."""
    mail_id = site.send_found(QUARANTINE, ANN, subject="wanted at another level")
    before = _wanted(admin)
    admin.get(f"/mail/{mail_id}")
    admin.post(f"/mail/{mail_id}/release")
    assert before + 1 == _wanted(admin)


def test_a_domain_admin_sees_the_figures_of_his_domain_and_no_others(site, seen_mail):
    ours = site.person("figures@home.example", "--domain", "home.example")
    others = site.person("figures@away.example", "--domain", "away.example")

    assert "sender@out.example" in ours.get("/overview").words
    assert "TEST_QUAR" in ours.get("/rules").words
    nothing = others.get("/overview?mark=3&quarantine=5&kill=8").words
    assert " 0 messages" in nothing
    assert "sender@out.example" not in nothing
    assert "TEST_QUAR" not in others.get("/rules").words
    assert [("0", "0")] * 4 == re.findall(r"(?:delivered|marked|quarantined|killed) (\d+) (\d+) ", nothing)
    assert 403 == ours.get("/audit").status


def _wanted(admin) -> int:
    words = admin.get("/overview?mark=3&quarantine=5&kill=8").words
    found = re.search(r"Wanted mail that would be kept from its reader: (\d+) cop", words)
    assert found, words
    return int(found[1])


def test_levels_that_make_no_sense_are_not_tried(admin):
    assert "difference" not in admin.get("/overview?mark=9&quarantine=4&kill=2").words
    assert "difference" not in admin.get("/overview?mark=x&quarantine=4&kill=nan").words


def test_a_rule_shows_how_much_of_what_it_stopped_was_released(site, admin, seen_mail):
    before = share(admin, "TEST_QUAR")
    mail_id = site.send_found(QUARANTINE, ANN, subject="released and counted")
    admin.get(f"/mail/{mail_id}")
    admin.post(f"/mail/{mail_id}/release")
    after = share(admin, "TEST_QUAR")

    assert (before[0] + 1, before[1] + 1) == after


def share(admin, rule):
    """(stopped, released) of a rule on the page."""
    found = re.search(rf"{rule} .*? \+6\.00 (\d+) (\d+)", admin.get(f"/rules?name={rule}").words)
    return int(found[1]), int(found[2])


def test_the_record_is_listed_narrowed_and_proven(site, admin):
    mail_id = site.send_found(QUARANTINE, ANN, subject="on the record page")
    admin.get(f"/mail/{mail_id}/raw")
    words = admin.get(f"/audit?id={mail_id}").words

    assert f"web:chief@home.example read {mail_id}" in words
    assert "Every row is as it was written." in admin.get("/audit?check=1").words


def test_the_record_speaks_the_readers_language_and_leaves_names_as_they_are(site, admin):
    site.person("mark@home.example", "--address", "as@home.example")
    site.output("user", "remove", "mark@home.example")
    german = admin.get("/audit", Accept_Language="de").words
    english = admin.get("/audit").words

    assert "mark@home.example as user" in english
    assert "mark@home.example als Benutzer" in german
    assert "Passwort gesetzt durch eine Einladung" in german
    assert "angemeldet von 127.0.0.1" in german
    assert "Person entfernt mark@home.example" in german


def test_an_auditor_sees_the_record_and_a_user_does_not(auditor, ann):
    assert 200 == auditor.get("/audit").status
    for path in ("/audit", "/overview", "/rules", "/people"):
        assert 403 == ann.get(path).status, path
    assert 403 == auditor.get("/people").status


def test_an_admin_lets_somebody_in_and_keeps_him_out(site, admin):
    admin.get("/people")
    seen = admin.post("/people", {"name": "new@home.example", "role": "user"})
    link = re.search(r"http://\S+/login\?invite=[\w-]+", seen.text)[0]
    guest = site.browser()
    guest.get(link.removeprefix(site.origin))
    fields = {"invite": link.partition("=")[2], "password": PASSWORD, "again": PASSWORD}
    assert "new@home.example" in guest.post("/login", fields).words

    admin.post("/people/change", {"name": "new@home.example", "act": "close"})
    assert "Sign in" in guest.get("/mail").words
    assert "kept out" in admin.get("/people").words
    admin.post("/people/change", {"name": "new@home.example", "act": "remove"})
    assert "new@home.example" not in admin.get("/people").words


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "role": "user"},
        {"name": "no address", "role": "user"},
        {"name": "x", "role": "emperor"},
        {"name": "boss", "role": "domain-admin"},
        {"name": "chief@home.example", "role": "admin"},
    ],
)
def test_a_form_that_makes_no_sense_makes_nobody_known(site, admin, fields):
    before = site.rows("user", "list", "--json")
    admin.get("/people")

    assert 422 == admin.post("/people", fields).status
    assert before == site.rows("user", "list", "--json")


def test_nobody_keeps_himself_out(admin):
    admin.get("/people")
    admin.post("/people/change", {"name": "chief@home.example", "act": "remove"})

    assert 200 == admin.get("/people").status


def test_a_password_is_changed_by_who_knows_the_old_one(site):
    browser = site.person("change@home.example")
    browser.get("/account")
    new = "five other words for tests"
    wrong = {"act": "password", "old": "not this one", "new": new, "again": new}
    assert "The old password is wrong." in browser.post("/account", wrong).words

    browser.post("/account", wrong | {"old": PASSWORD})
    assert "Sign in" in browser.get("/mail").words
    assert 403 == site.browser().log_in("change@home.example", PASSWORD).status
    assert "Sign out" in site.browser().log_in("change@home.example", new).words


@pytest.mark.parametrize(
    "form", [{"act": "password", "new": "five other words here", "again": "five other words here"}, TOKEN]
)
def test_whoever_has_a_session_does_not_guess_the_password_in_it(own_site, form):
    """What fails there counts as a failed login does, for the right password and at the login too."""
    browser = own_site.person("session@home.example")
    browser.get("/account")
    field = "old" if form["act"] == "password" else "password"
    for _ in range(5):
        seen = browser.post("/account", form | {field: "not this one"})
        assert 403 == seen.status
        assert "password is wrong." in seen.words
    locked = browser.post("/account", form | {field: PASSWORD})

    assert 429 == locked.status
    assert "Too many attempts failed. Try again in 15 minutes." in locked.words
    assert "lzt_" not in locked.text
    assert 429 == own_site.browser().log_in("session@home.example", PASSWORD).status
    assert 5 == own_site.log().count('user="session@home.example" reason=password')


def test_a_token_takes_the_code_of_who_has_an_app(site):
    browser = site.person("coded@home.example")
    secret, codes = set_up(browser)
    browser.get("/account")

    assert 403 == browser.post("/account", TOKEN | {"password": PASSWORD}).status
    assert "lzt_" in browser.post("/account", TOKEN | {"code": code_of(secret)}).text
    assert codes


def test_a_token_is_shown_once_and_ends_when_it_is_removed(site):
    browser = site.person("tokens@home.example")
    browser.get("/account")
    seen = browser.post("/account", TOKEN | {"password": PASSWORD})
    token = re.search(r"lzt_[\w-]+", seen.text)[0]
    headers = {"Authorization": f"Bearer {token}"}

    assert token not in browser.get("/account").text
    assert 200 == site.browser().send("GET", "/api/v1/me", **headers).status
    page = browser.get("/account")
    browser.post("/account", {"act": "token-remove", "token": page.field("token")})
    assert 401 == site.browser().send("GET", "/api/v1/me", **headers).status


def test_a_language_is_chosen_or_asked_for_by_the_browser(site, ann):
    assert '<html lang="de">' in site.browser().get("/login", Accept_Language="fr, de;q=0.9, en;q=0.5").text
    assert '<html lang="en">' in site.browser().get("/login", Accept_Language="fr").text
    ann.get("/account")
    ann.post("/account", {"act": "language", "language": "de"})
    try:
        assert '<html lang="de">' in ann.get("/mail").text
    finally:
        ann.post("/account", {"act": "language", "language": "en"})


def test_a_drawing_has_room_for_its_highest_bar():
    plot = volume({0: {"deliver": 7, "discard": 5}, 7200: {"mark": 1}}, 0, 7200, 3600)

    assert [12, 0, 1] == [bar.total for bar in plot.bars]
    assert 15 == plot.top
    assert all(0 <= piece.y <= plot.height for bar in plot.bars for piece in bar.pieces)


@pytest.mark.parametrize(("number", "top"), [(0, 5), (5, 5), (7, 7), (12, 15), (99, 100), (1234, 1500)])
def test_the_top_of_a_drawing_is_a_round_number(number, top):
    assert top == nice(number)


def test_scores_beyond_the_ends_are_counted_at_the_ends():
    plot = histogram({-30: 2, -5: 1, 3: 4, 99: 5}, Levels())

    assert (3, 5) == (plot.bars[0].total, plot.bars[-1].total)
    assert ["mark", "quarantine", "kill"] == [name for name, _, _ in plot.lines]


def test_everybody_has_a_name_in_every_language(site, admin):
    admin.get("/lists")
    german = {"Accept-Language": "de"}
    admin.get("/lists", **german)
    fields = {"kind": "block", "sender": "all@loud.example", "owner": "alle"}
    seen = admin.post("/lists", fields, **german)

    assert "all@loud.example alle Mail gilt, als hätte sie jede Schwelle erreicht" in seen.words
    assert "everybody" not in seen.words
    assert "all@loud.example everybody mail is treated as if" in admin.get("/lists").words
    admin.post("/lists", fields | {"owner": "everybody", "act": "remove"})


def test_an_entry_says_from_where_how_long_and_why_on_the_page_too(site, ann, admin):
    fields = {"kind": "allow", "sender": "office@pinned.example", "owner": "ann@home.example"}
    ann.get("/lists")
    more = {"network": "192.0.2.7, 198.51.100.0/24", "days": "30", "note": "the accountant"}
    seen = ann.post("/lists", fields | more).words
    assert "or the mail comes from 192.0.2.7/32 198.51.100.0/24" in seen
    assert "the accountant" in seen
    [(expires,)] = site.query("SELECT expires FROM lz_lists WHERE note = ?", "the accountant")
    assert 29 * 86_400 < expires - time.time() <= 30 * 86_400
    for wrong in ({"network": "here"}, {"days": "0"}, {"days": "99999"}, {"days": "soon"}):
        assert 422 == ann.post("/lists", fields | wrong).status
    admin.get("/lists")
    german = admin.post("/lists", fields | {"days": "x"}, Accept_Language="de").words
    assert "die Zahl der Tage ist 1 bis 3650" in german
    assert 200 == ann.post("/lists", fields | {"act": "remove"}).status


def test_a_policy_is_set_explained_and_taken_back(site, admin):
    admin.get("/policies")
    assert 200 == admin.post("/policies", {"whom": "pol@home.example", "quarantine": "6,5"}).status
    seen = admin.get("/policies?address=pol@home.example&sender=x@out.example").words
    assert "levels.quarantine 6.5" in seen
    assert "pol@home.example" in seen
    assert "nothing of this sender" in seen
    told = admin.send("GET", "/api/v1/policy?address=pol@home.example").json["settings"]
    assert "6.5" == next(one["value"] for one in told if one["key"] == "levels.quarantine")
    assert 422 == admin.send("GET", "/api/v1/policy").status

    wrong = {"whom": "pol@home.example", "quarantine": "many"}
    assert 422 == admin.post("/policies", wrong).status
    assert 422 == admin.post("/policies", {"whom": "pol@home.example"}).status
    assert 422 == admin.get("/policies?address=nobody").status
    assert 200 == admin.post("/policies", {"whom": "pol@home.example", "act": "remove"}).status
    assert "levels.quarantine 6.5" not in admin.get("/policies?address=pol@home.example").words


def test_an_auditor_reads_policies_and_changes_none(site):
    auditor = site.person("policies@audit.example", "--auditor")
    page = auditor.get("/policies?address=ann@home.example")
    assert 200 == page.status
    assert "Set levels" not in page.words
    assert 403 == auditor.post("/policies", {"whom": "everybody", "quarantine": "99"}).status
    assert 403 == site.person("policies@home.example").get("/policies").status
