"""Coming in by a link in a mail: once, by a button, and for whom it was sent."""

import email
import re
import time
from email.policy import default
from urllib.parse import unquote

import pytest
from tests.support.installation import CLEAN, QUARANTINE, SENDER
from tests.web.conftest import Site


@pytest.fixture
def eve(site, request):
    """Somebody who got mail and has no account."""
    address = re.sub("[^a-z0-9]+", ".", request.node.name.lower())[:50].strip(".") + "@home.example"
    site.send_found(CLEAN, address, subject=f"hello {address}")
    return address


@pytest.fixture(autouse=True)
def fresh(site):
    """Nobody has asked for a link before."""
    site.write("DELETE FROM lz_failed_logins WHERE subject LIKE 'link%'")


def ask(site, address: str, browser=None, *, wish: str = ""):
    browser = browser or site.browser()
    browser.get(f"/login/mail?next={wish}")
    return browser.post("/login/mail", {"address": address, "next": wish})


def letters(site, address: str) -> list[str]:
    """The texts of the mails with a link that the address got."""
    octets = [o for o in site.hop.of(address) if o.startswith(b"Message-ID: <login.")]
    return [email.message_from_bytes(o, policy=default).get_content() for o in octets]


def link(site, address: str, number: int = 1) -> str:
    """The path of the link, once the mail is there."""
    site.wait(lambda: len(letters(site, address)) >= number)
    [path] = re.findall(rf"{site.origin}(/login/mail\S+)", letters(site, address)[-1])
    return path


def use(browser, path: str):
    token, _, wish = path.partition("?link=")[2].partition("&next=")
    return browser.post("/login/mail", {"link": token, "next": unquote(wish)})


def test_the_link_lets_in_once_and_looking_at_it_uses_nothing_up(site, eve):
    mail_id = site.send_found(QUARANTINE, eve, subject="for eve alone")
    assert "a link is on its way" in ask(site, eve, wish=f"/mail/{mail_id}").words
    path = link(site, eve)
    for scanner in (site.browser(), site.browser()):
        assert f"As {eve}." in scanner.get(path).words
        assert 403 == scanner.post(path.partition("?")[0], {"link": "x"}, csrf="no").status
    browser = site.browser()
    browser.get(path)
    seen = use(browser, path)

    assert f"/mail/{mail_id}" == seen.path
    assert "for eve alone" in seen.words
    other = site.browser()
    other.get("/login")
    assert 410 == use(other, path).status
    assert 410 == site.browser().get(path).status


def test_whoever_comes_in_sees_his_own_mail_and_nobody_elses(site, eve):
    site.send_found(QUARANTINE, eve, subject="own of eve")
    site.send_found(QUARANTINE, "other@home.example", subject="of another")
    ask(site, eve)
    browser = site.browser()
    path = link(site, eve)
    browser.get(path)
    use(browser, path)
    seen = browser.get("/mail").words

    assert "own of eve" in seen
    assert "of another" not in seen
    [account] = [row for row in site.rows("user", "list", "--json") if row["name"] == eve]
    assert ("user", [eve]) == (account["role"], account["addresses"])


@pytest.mark.parametrize(
    "address", ["guessed@home.example", SENDER, "no address", "", "chief@home.example", "a@b\r\nBcc: x@y"]
)
def test_who_may_not_come_in_gets_no_mail_and_the_page_says_the_same(site, admin, address):
    """Neither a stranger nor an admin, for whom a mailbox is not enough; and nobody is told which."""
    before = len(site.hop.received)
    seen = ask(site, address)

    assert (200, True) == (seen.status, "a link is on its way" in seen.words)
    site.wait(lambda: f'no link to sign in is sent: from=127.0.0.1 user="{_shown(address)}"' in site.log())
    assert before == len(site.hop.received)


def _shown(address: str) -> str:
    plain = address.strip().lower()
    return "".join(c if c.isprintable() and c not in ' "' else "?" for c in plain)


def test_somebody_who_is_kept_out_gets_no_link(site, eve):
    ask(site, eve)
    path = link(site, eve)
    browser = site.browser()
    browser.get(path)
    use(browser, path)
    ask(site, eve)
    second = link(site, eve, 2)
    site.output("user", "close", eve)
    browser = site.browser()
    browser.get(second)

    assert 410 == use(browser, second).status
    ask(site, eve)
    site.wait(lambda: f'no link to sign in is sent: from=127.0.0.1 user="{eve}"' in site.log())
    assert 2 == len(letters(site, eve))


def test_an_address_is_written_to_three_times_and_then_not_for_a_while(site, eve):
    for _ in range(3):
        assert 200 == ask(site, eve).status
    seen = ask(site, eve)

    assert 429 == seen.status
    assert "That was asked for too often. Try again in 15 minutes." in seen.words
    link(site, eve, 3)
    assert 3 == len(letters(site, eve))
    assert 200 == ask(site, "somebody.else@home.example").status


def test_one_place_does_not_ask_for_everybody(site):
    statuses = [ask(site, f"list{n}@home.example").status for n in range(22)]
    assert [200] * 20 + [429] * 2 == statuses


def test_a_link_holds_for_a_quarter_of_an_hour_and_is_kept_as_a_digest(site, eve):
    ask(site, eve)
    path = link(site, eve)
    [(expires,)] = site.query("SELECT expires FROM lz_mail_logins WHERE email = ?", eve)
    token = path.partition("?link=")[2]

    assert 880 < expires - time.time() <= 900
    assert token.encode() not in site.database.read_bytes()
    site.write("UPDATE lz_mail_logins SET expires = ? WHERE email = ?", int(time.time()) - 1, eve)
    assert 410 == site.browser().get(path).status


def test_the_mail_speaks_the_language_of_the_browser(site, eve):
    browser = site.browser()
    browser.get("/login/mail")
    browser.post("/login/mail", {"address": eve, "next": ""}, Accept_Language="de")
    link(site, eve)
    assert "Dieser Link lässt einmal ein" in letters(site, eve)[0]


def test_the_login_page_leads_there(site):
    assert "Send me a link by mail instead" in site.browser().get("/login").words


def test_where_it_is_off_there_is_no_such_page(tmp_path, free_port):
    site = Site(tmp_path, smtp=free_port(), http=free_port())
    with site.file.open("a") as file:
        file.write('[web]\nurl = "https://q.example.org"\nlogin_by_mail = false\n')
    with site.service():
        assert "by mail instead" not in site.browser().get("/login").words
        assert 404 == site.browser().get("/login/mail").status
        browser = site.browser()
        browser.get("/login")
        assert 404 == browser.post("/login/mail", {"address": "ann@home.example"}).status
