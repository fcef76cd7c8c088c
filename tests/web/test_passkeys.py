"""Passkeys in a real Chromium, with an authenticator of its DevTools; and what may not let anybody in."""

import base64
import json
import random
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.support.installation import hop_beside
from tests.support.ports import free_ports
from tests.web.conftest import PASSWORD, _configured
from tests.web.test_accessible import TAGS
from tests.web.test_second_factor import code_of, set_up

PAGE = "/account/passkeys"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A site that has a name: no browser makes a passkey for an address."""
    smtp, http = free_ports(2)
    with hop_beside() as hop:
        site = _configured(tmp_path_factory.mktemp("passkeys"), hop, smtp, http)
        config = site.file.read_text().replace("http://127.0.0.1", "http://localhost")
        site.file.write_text(config + 'require_second_factor = ["auditor"]\n')
        with site.service():
            yield site


class Window:
    """A browser with an authenticator, whose user is always there."""

    def __init__(self, chromium, site, browser=None, **options):
        self.context = chromium.new_context(
            base_url=f"http://localhost:{site.http}", locale="en-GB", **options
        )
        self.context.set_default_timeout(15_000)
        if browser:
            cookies = [
                {"name": c.name, "value": c.value, "domain": "localhost", "path": "/"}
                for c in browser.cookies
            ]
            self.context.add_cookies(cookies)
        self.page = self.context.new_page()
        self.devtools = self.context.new_cdp_session(self.page)
        self.devtools.send("WebAuthn.enable")
        self.key = self.plug()
        self.sent = []
        self.page.on("request", lambda sent: self.sent.append(sent) if sent.method == "POST" else None)

    def plug(self, **options):
        asked = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
        } | options  # fmt: skip
        return self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": asked})["authenticatorId"]

    def unplug(self):
        self.devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.key})

    def credentials(self):
        return self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": self.key})["credentials"]

    def put(self, credential):
        self.devtools.send("WebAuthn.addCredential", {"authenticatorId": self.key, "credential": credential})

    def fields(self):
        """The form that was sent last."""
        return {name: values[0] for name, values in parse_qs(self.sent[-1].post_data).items()}

    def add(self, label="Telephone", **proof):
        self.page.goto(PAGE)
        self.page.fill("#label", label)
        for name, value in (proof or {"password": PASSWORD}).items():
            self.page.fill(f"#{name}", value)
        self.page.click("button.first")
        self.page.wait_for_selector("form.passkey")

    def come_in(self):
        self.context.clear_cookies()
        self.page.goto("/login?next=/account")
        self.page.click("text=Sign in with a passkey")

    def arrive(self):
        self.page.wait_for_url(lambda url: urlsplit(url).path == "/account")


@pytest.fixture
def opened(chromium, home):
    """Opens windows, and closes them. What failed in the tests before locks nobody out of this one."""
    home.write("DELETE FROM lz_failed_logins")
    windows = []

    def opening(browser=None, **options):
        windows.append(Window(chromium, home, browser, **options))
        return windows[-1]

    yield opening
    for one in windows:
        one.context.close()


def test_a_passkey_is_made_named_used_and_removed(home, opened):
    window = opened(home.person("pass@home.example"))
    page = window.page
    heard = []
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    window.add("My telephone")
    assert [1] == [len(window.credentials())]
    page.fill("form.passkey input[name=label]", "Old telephone")
    page.click("text=Rename")
    page.wait_for_load_state()
    assert "Old telephone" == page.input_value("form.passkey input[name=label]")

    window.come_in()
    window.arrive()
    assert "pass@home.example" in page.inner_text("h1")
    page.goto(PAGE)
    assert "never" not in page.inner_text("form.passkey")
    acts = [d for (d,) in home.query("SELECT detail FROM lz_audit WHERE act = 'passkey'")]
    assert "added: My telephone" in acts

    page.click("form.passkey >> text=Remove")
    page.wait_for_selector("text=Remove “Old telephone”?")
    page.fill("#password", "not the password")
    page.click("button:has-text('Remove')")
    page.wait_for_selector("text=The password is wrong.")
    page.fill("#password", PASSWORD)
    page.click("button:has-text('Remove')")
    page.wait_for_selector("text=Add a passkey >> nth=0")
    assert 0 == page.locator("form.passkey").count()
    window.come_in()
    page.wait_for_selector("text=This passkey did not let you in.")
    assert "reason=passkey" in home.log()
    assert [one for one in heard if "favicon" not in one and "404" not in one and "403" not in one] == []


def test_beside_the_password_it_is_asked_for_from_then_on(home, opened):
    window = opened(home.person("beside@home.example"))
    window.add()
    window.context.clear_cookies()
    page = window.page
    page.goto("/login?next=/account")
    page.fill("#name", "beside@home.example")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_selector("text=Your passkey")
    assert 0 == page.locator("#code").count(), "there is no app"
    assert "lazaret_session" not in {c["name"] for c in window.context.cookies()}
    page.click("text=Sign in with a passkey")
    window.arrive()


def test_whoever_has_an_app_too_may_show_either(home, opened):
    browser = home.person("both@home.example")
    secret, _ = set_up(browser)
    window = opened(browser)
    window.add(code=code_of(secret))
    [(name,)] = home.query(
        "SELECT lower(hex(substr(digest, 1, 16))) FROM lz_passkeys k JOIN lz_users u ON u.id = k.user_id"
        " WHERE name = 'both@home.example'"
    )
    refused = browser.post(PAGE, {"act": "remove", "name": name, "password": PASSWORD})
    assert (403, True) == (refused.status, "Remove “Telephone”?" in refused.words), "the app is asked for"
    other = home.browser()
    asked = other.log_in("both@home.example", PASSWORD)
    assert "Sign in with a passkey" not in asked.words, "the page has a name, and this is an address"
    assert "Your code" in asked.words
    seen = other.post("/login", {"half": asked.field("half"), "code": code_of(secret, 1), "next": "/account"})
    assert "both@home.example" in seen.words


def test_no_passkey_is_made_by_whoever_finds_an_open_session(home, opened):
    browser = home.person("open@home.example")
    window = opened(browser)
    window.page.goto(PAGE)
    window.page.fill("#label", "x")
    window.page.fill("#password", "not the password")
    window.page.click("button.first")
    window.page.wait_for_selector("text=The password is wrong.")
    assert [] == home.query(
        "SELECT 1 FROM lz_passkeys k JOIN lz_users u ON u.id = k.user_id WHERE name LIKE 'open@%'"
    )


def test_a_role_that_must_have_a_second_factor_is_content_with_it(home, opened):
    window = opened(home.person("figures", "--auditor"))
    page = window.page
    page.goto("/overview")
    page.wait_for_url("**/account/second-factor")
    page.click("text=Use a passkey")
    window.add()
    page.goto("/overview")
    assert "Overview" in page.title()
    page.goto(PAGE)
    page.click("form.passkey >> text=Remove")
    page.fill("#password", PASSWORD)
    page.click("button:has-text('Remove')")
    page.wait_for_selector("text=it is your only second factor")


def test_an_admin_takes_them_away(home, opened):
    window = opened(home.person("gone@home.example"))
    window.add()
    chief = home.person("chief@home.example", "--admin")
    assert "passkey" in chief.get("/people").words
    chief.post("/people/change", {"name": "gone@home.example", "act": "remove-passkeys"})

    window.page.goto("/account")
    assert "Sign in" in window.page.title()
    assert 67 == home.run("user", "remove-passkeys", "gone@home.example").returncode, "there are none left"
    window.come_in()
    window.page.wait_for_selector("text=This passkey did not let you in.")


def test_an_answer_is_good_once_and_for_the_visit_that_asked(home, opened):
    window = opened(home.person("once@home.example"))
    window.add()
    window.come_in()
    window.arrive()
    fields = window.fields()
    visit = next(
        c for c in window.sent[-1].all_headers()["cookie"].split("; ") if c.startswith("lazaret_visit=")
    )
    again = home.browser()
    again.origin = f"http://localhost:{home.http}"
    seen = again.send("GET", "/login/passkey")
    assert 200 == seen.status
    again.get("/login")
    foreign = again.post("/login/passkey", {k: v for k, v in fields.items() if k != "csrf"})
    assert 403 == foreign.status, "of another visit"
    replayed = again.post("/login/passkey", fields, csrf="", Cookie=visit)
    assert 403 == replayed.status, "answered before"
    assert "did not let you in" in replayed.words


def test_a_copy_whose_counter_stands_still_is_refused(home, opened):
    window = opened(home.person("copied@home.example"))
    window.add()
    [copied] = window.credentials()
    for _ in range(2):
        window.come_in()
        window.arrive()
    thief = opened()
    thief.put(copied | {"signCount": 0})
    thief.come_in()
    thief.page.wait_for_selector("text=This passkey did not let you in.")


def test_an_authenticator_that_knows_its_user_not_is_not_enough(home, opened):
    browser = home.person("nobody@home.example")
    window = opened(browser)
    window.unplug()
    window.plug(hasUserVerification=False, isUserVerified=False)
    window.page.goto(PAGE)
    window.page.fill("#label", "x")
    window.page.fill("#password", PASSWORD)
    window.page.click("button.first")
    window.page.wait_for_selector("text=No passkey was made.")


def test_what_is_no_answer_lets_nobody_in_and_breaks_nothing(home, opened):
    window = opened(home.person("broken@home.example"))
    window.add()
    window.come_in()
    window.arrive()
    good = json.loads(window.fields()["answer"])
    browser = home.browser()
    browser.origin = f"http://localhost:{home.http}"
    dice = random.Random(7)
    for answer in (
        "",
        "{}",
        "[]",
        "null",
        '{"rawId": 5}',
        "[" * 5000,
        *(spoilt(good, dice) for _ in range(14)),
    ):
        browser.get("/login")
        token = browser.send("GET", "/login/passkey").json["token"]
        seen = browser.post("/login/passkey", {"token": token, "answer": answer})
        assert seen.status in (403, 429), answer
    assert "Traceback" not in home.log()


def spoilt(good, dice):
    """An answer in one part of which octets have changed, or are missing."""
    answer = json.loads(json.dumps(good))
    name = dice.choice(list(answer["response"]))
    octets = bytearray(base64.urlsafe_b64decode(answer["response"][name] + "=="))
    if dice.random() < 0.5:
        octets[dice.randrange(len(octets))] ^= 1 << dice.randrange(8)
    else:
        del octets[dice.randrange(len(octets)) :]
    answer["response"][name] = base64.urlsafe_b64encode(octets).decode().rstrip("=")
    return json.dumps(answer)


def test_under_an_address_there_are_none(site, ann):
    assert "passkey" not in site.browser().get("/login").words
    assert "There are no passkeys at this address" in ann.get(PAGE).words
    assert 404 == site.browser().get("/login/passkey").status
    assert 404 == ann.get("/account/passkeys/options").status


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_their_pages_keep_nobody_out(home, opened, scheme):
    window = opened(home.person(f"{scheme}@home.example"), color_scheme=scheme, bypass_csp=True)
    window.add()
    window.page.goto(PAGE)
    going = window.page.get_attribute("form.passkey a", "href")
    for path in (PAGE, going, "/account", "/login"):
        if path == "/login":
            window.context.clear_cookies()
        window.page.goto(path)
        found = Axe().run(window.page, options={"runOnly": {"type": "tag", "values": TAGS}})
        assert [] == [(v["id"], [n["html"][:150] for n in v["nodes"]]) for v in found.response["violations"]]
        window.page.set_viewport_size({"width": 360, "height": 800})
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 360, path
