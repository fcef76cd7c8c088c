"""Signing in by an OpenID provider, a real one in a process of its own, in a real browser and without one."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.installation import QUARANTINE
from tests.web.sso import at_provider, beside, come, path_of
from tests.web.test_accessible import violations

PEOPLE = (
    {"sub": "1-chief", "email": "Chief@home.example", "email_verified": True, "groups": ["admin"]},
    {"sub": "2-new", "email": "newcomer@home.example", "email_verified": True, "role": "admin"},
    {"sub": "3-unverified", "email": "victim@home.example", "email_verified": False},
    {"sub": "4-foreign", "email": "somebody@elsewhere.example", "email_verified": True},
    {"sub": "5-chief-again", "email": "chief@home.example", "email_verified": True},
    {"sub": "6-word", "email": "words@home.example", "email_verified": "true"},
)


@pytest.fixture(scope="module")
def sso(tmp_path_factory):
    """A site beside a provider."""
    for site in beside(tmp_path_factory.mktemp("sso"), PEOPLE):
        site.person("chief@home.example", "--admin")
        site.person("victim@home.example")
        yield site


def test_the_way_there_carries_all_that_protects_it(sso):
    there = sso.browser().get("/login/oidc?next=/account", follow=False)
    asked = parse_qs(urlsplit(there.headers["Location"]).query)

    assert ["S256"] == asked["code_challenge_method"]
    assert ["code"] == asked["response_type"]
    assert {"state", "nonce", "code_challenge"} < set(asked)
    assert [f"{sso.origin}/login/oidc/return"] == asked["redirect_uri"]
    cookie = there.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/login/oidc" in cookie
    assert asked["state"][0] not in cookie, "it is sealed"


def test_a_person_who_is_known_by_his_address_comes_in_and_is_known_by_his_subject_from_then_on(sso):
    _, seen = come(sso, "1-chief")

    assert "chief@home.example" in seen.words
    assert "/account" == seen.path
    assert [("chief@home.example is known to",)] == [
        (detail[:30],) for (detail,) in sso.query("SELECT detail FROM lz_audit WHERE act = 'identity'")
    ][:1]
    _, again = come(sso, "1-chief")
    assert "chief@home.example" in again.words


def test_an_address_that_was_given_to_somebody_else_does_not_inherit_the_account(sso):
    come(sso, "1-chief")
    _, seen = come(sso, "5-chief-again")

    assert 403 == seen.status
    assert "There is no account here for you." in seen.words


def test_whoever_is_new_gets_an_account_of_a_user_whatever_the_provider_calls_him(sso):
    browser, seen = come(sso, "2-new")

    assert "newcomer@home.example" in seen.words
    assert [("user",)] == sso.query("SELECT role FROM lz_users WHERE name = 'newcomer@home.example'")
    assert 403 == browser.get("/people").status


@pytest.mark.parametrize("subject", ["3-unverified", "4-foreign", "6-word", "7-unknown"])
def test_nobody_else_comes_in(sso, subject):
    browser, seen = come(sso, subject)

    assert 403 == seen.status
    assert "There is no account here for you." in seen.words
    assert "lazaret_session" not in {c.name for c in browser.cookies}
    assert "reason=unknown" in sso.log()


def test_a_way_back_is_good_once_and_for_the_browser_that_set_out(sso):
    victim, thief = sso.browser(), sso.browser()
    back = path_of(sso, at_provider(thief, "1-chief"))
    assert 403 == victim.get(back).status, "it has no cookie"
    at_provider(victim, "2-new")
    assert 403 == victim.get(back).status, "the cookie is of another login"
    assert "chief@home.example" in thief.get(back).words
    thief.cookies.clear()
    assert 403 == thief.get(back).status


@pytest.mark.parametrize("change", ["code=nonsense", "error=access_denied", "code="])
def test_what_the_provider_did_not_say_lets_nobody_in(sso, change):
    browser = sso.browser()
    back = path_of(sso, at_provider(browser, "1-chief"))
    seen = browser.get(re.sub(r"code=[^&]*", change, back))

    assert 403 == seen.status
    assert "Office Login did not let you in." in seen.words
    assert "reason=provider" in sso.log()
    assert "s/cret" not in sso.log()


def test_no_cookie_of_somebody_elses_making_opens(sso):
    for cookie in ("x", "gAAAAA" + "A" * 200, "é", "a" * 6000):
        seen = sso.browser().get("/login/oidc/return?state=a&code=b", Cookie=f"lazaret_sign_on={cookie}")
        assert 403 == seen.status


def test_who_was_kept_out_stays_out(sso):
    come(sso, "2-new")
    sso.output("user", "close", "newcomer@home.example")
    try:
        _, seen = come(sso, "2-new")
        assert 403 == seen.status
    finally:
        sso.output("user", "close", "--open", "newcomer@home.example")


def test_an_admin_takes_it_away_and_the_next_time_the_address_counts_again(sso):
    come(sso, "2-new")
    chief, _ = come(sso, "1-chief")
    assert "single sign-on" in chief.get("/people").words
    chief.post("/people/change", {"name": "newcomer@home.example", "act": "remove-identity"})

    assert [] == sso.query("SELECT 1 FROM lz_identities WHERE subject = '2-new'")
    assert "newcomer@home.example" in come(sso, "2-new")[1].words


def test_the_secret_is_nowhere_to_be_seen(sso):
    shown = sso.run("config", "explain", "--config", str(sso.file)).stdout
    assert "s/cret" not in str(shown)


def test_a_site_without_a_provider_has_no_such_pages(site):
    for path in ("/login/oidc", "/login/oidc/return?state=a&code=b", "/login/oidc/out"):
        assert 404 == site.browser().get(path).status
    assert "Office" not in site.browser().get("/login").words


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_button_keeps_nobody_out(sso, chromium, scheme):
    context = chromium.new_context(base_url=sso.origin, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = {}
    for path in ("/login", "/login/oidc/return?state=x", "/login?out=1"):
        page.goto(path)
        assert "Office Login" in page.inner_text("main")
        found[path] = violations(page)
    context.close()

    assert [[]] * 3 == list(found.values()), found


def test_the_icon_is_there_before_a_login(sso):
    for path in ("/static/icon.svg", "/favicon.ico"):
        icon = sso.browser().get(path)
        assert (200, "image/svg+xml") == (icon.status, icon.headers["Content-Type"].partition(";")[0])


def test_the_whole_way_in_a_browser(sso, chromium):
    """To the provider and back under our strict policy, into the page that was wanted; and out again."""
    mail_id = sso.send_found(QUARANTINE, "newcomer@home.example", subject="for the newcomer")
    context = chromium.new_context(base_url=sso.origin, locale="en-GB")
    context.set_default_timeout(15_000)
    page = context.new_page()
    wrong = []

    def heard(said):
        where = said.location["url"]
        if said.type == "error" and where.startswith(sso.origin):
            wrong.append(said.text)

    page.on("console", heard)
    page.goto(f"/mail/{mail_id}")
    page.click("text=Sign in with Office Login")
    page.wait_for_url("**/oauth2/authorize?**")
    page.click("button:has-text('2-new')")
    page.wait_for_url(f"**/mail/{mail_id}")
    assert "for the newcomer" in page.inner_text("main")

    page.click("text=Sign out")
    page.click("text=Sign out of Office Login too")
    page.wait_for_url("**/oauth2/end_session**")
    context.close()
    assert [] == wrong
