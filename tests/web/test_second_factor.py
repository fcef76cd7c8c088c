"""The second factor: set up, asked for, used once, lost, demanded."""

import re
import time

import pyotp
from tests.support.installation import ANN, QUARANTINE
from tests.web.conftest import PASSWORD
from tests.web.test_chromium import until

PAGE = "/account/second-factor"


def code_of(secret, steps=0):
    return pyotp.TOTP(secret).at(time.time(), counter_offset=steps)


def early_in_step():
    """Waits until a code stays what it is for a while: a step has thirty seconds."""
    if time.time() % 30 > 18:
        time.sleep(30.1 - time.time() % 30)


def proposal(browser):
    """The key that is shown for the password."""
    browser.get(PAGE)
    return browser.post(PAGE, {"act": "propose", "password": PASSWORD}).field("secret")


def set_up(browser):
    """The secret of the app, and the recovery codes; codes stay what they are for a while."""
    early_in_step()
    secret = proposal(browser)
    # The code of the step before: the present one is still good for coming in.
    shown = browser.post(PAGE, {"act": "confirm", "code": code_of(secret, -1), "secret": secret})
    return secret, re.findall(r"<li>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</li>", shown.text)


def half_in(site, name):
    browser = site.browser()
    return browser, browser.log_in(name, PASSWORD)


def show(browser, asked, code):
    return browser.post("/login", {"half": asked.field("half"), "code": code, "next": "/account"})


def test_a_code_is_asked_for_after_the_password_and_is_good_once(site):
    secret, _ = set_up(site.person("totp@home.example"))
    browser, asked = half_in(site, "totp@home.example")
    code = code_of(secret)

    assert "Your code" in asked.words
    assert "lazaret_session" not in {c.name for c in browser.cookies}
    assert "Sign in" in browser.get("/mail").words
    assert 403 == show(browser, asked, "000000" if code != "000000" else "111111").status
    assert "totp@home.example" in show(browser, asked, f"{code[:3]} {code[3:]}").words
    thief, asked_again = half_in(site, "totp@home.example")
    assert "was used already" in show(thief, asked_again, code).words
    assert 403 == show(browser, asked, code_of(secret, 1)).status, "the password counts for one login"


def test_the_picture_has_no_remote_part_and_the_secret_is_not_shown_again(site):
    browser = site.person("picture@home.example")
    browser.get(PAGE)
    page = browser.post(PAGE, {"act": "propose", "password": PASSWORD})
    svg = re.search(r"<svg.*?</svg>", page.text.partition('class="qr"')[2], re.DOTALL)[0]

    assert "http" not in svg
    assert "style=" not in svg
    secret, codes = set_up(browser)
    assert 10 == len(set(codes))
    assert secret not in browser.get(PAGE).text
    assert codes[0] not in browser.get(PAGE).text
    [(kept,)] = site.query(
        "SELECT count(*) FROM lz_recovery_codes r JOIN lz_users u ON u.id = r.user_id WHERE u.name = ?",
        "picture@home.example",
    )
    assert 10 == kept
    assert codes[0].replace("-", "").encode() not in site.database.read_bytes()


def test_a_recovery_code_lets_in_once_in_the_place_of_the_app(site):
    _, codes = set_up(site.person("lost@home.example"))
    browser, asked = half_in(site, "lost@home.example")

    assert "9 recovery codes are left" in (show(browser, asked, codes[0].upper()), browser.get(PAGE))[1].words
    other, asked = half_in(site, "lost@home.example")
    assert 403 == show(other, asked, codes[0]).status
    assert "recovery code was used" in str(
        site.query("SELECT detail FROM lz_audit WHERE act = 'second-factor'")
    )


def test_setting_it_up_ends_the_other_sessions(site):
    site.person("two@home.example")
    first, second = site.browser(), site.browser()
    for browser in (first, second):
        browser.log_in("two@home.example", PASSWORD)
    set_up(first)

    assert "Second factor" in first.get("/account").words
    assert "Sign in" in second.get("/account").words


def test_it_is_not_set_up_by_whoever_finds_an_open_session(site):
    """He would add a passkey by its codes, and have a key of his own; or wait until its owner confirms it."""
    browser = site.person("found@home.example")
    assert "otpauth" not in browser.get(PAGE).text + browser.post(PAGE, {"act": "propose"}).text
    for proof in ({}, {"password": "not the password"}):
        seen = browser.post(PAGE, {"act": "propose"} | proof)
        assert (403, False) == (seen.status, 'name="secret"' in seen.text)
        assert "The password is wrong." in seen.words
    early_in_step()
    secret = proposal(browser)
    assert 403 == browser.post(PAGE, {"act": "confirm", "code": code_of(secret)}).status
    assert "Your password alone lets in." in browser.get("/account").words


def test_who_mistypes_the_first_code_sees_the_same_picture_again(site):
    browser = site.person("mistyped@home.example")
    secret = proposal(browser)
    seen = browser.post(PAGE, {"act": "confirm", "code": "12", "secret": secret})
    assert (403, secret) == (seen.status, seen.field("secret"))
    other = browser.post(PAGE, {"act": "confirm", "code": "12", "secret": "A" * 32})
    assert (403, False) == (other.status, secret in other.text)


def test_it_is_given_up_with_a_code_only(site):
    browser = site.person("done@home.example")
    secret, codes = set_up(browser)
    browser.get(PAGE)

    assert 403 == browser.post(PAGE, {"act": "remove", "code": "123"}).status
    assert (
        "Your password alone lets in." in browser.post(PAGE, {"act": "remove", "code": code_of(secret)}).words
    )
    assert "totp" not in half_in(site, "done@home.example")[1].words
    assert codes


def test_wrong_codes_lock_the_second_step_and_are_in_the_log(own_site):
    secret, _ = set_up(own_site.person("guess@home.example"))
    browser, asked = half_in(own_site, "guess@home.example")
    for _ in range(5):
        assert 403 == show(browser, asked, "12345").status
    seen = show(browser, asked, code_of(secret))

    assert 429 == seen.status
    assert "Try again in 15 minutes." in seen.words
    browser, asked = half_in(own_site, "guess@home.example")
    assert 429 == show(browser, asked, code_of(secret)).status, "the right password does not forgive them"
    assert 'user="guess@home.example" reason=code' in own_site.log()


def test_the_command_line_takes_it_away_and_ends_the_sessions(site):
    browser = site.person("reset@home.example")
    set_up(browser)
    assert [True] == [
        r["second_factor"] for r in site.rows("user", "list", "--json") if r["name"].startswith("reset")
    ]
    site.output("user", "reset-totp", "reset@home.example")

    assert "Sign in" in browser.get("/account").words
    assert "reset@home.example" in half_in(site, "reset@home.example")[1].words
    assert 67 == site.run("user", "reset-totp", "reset@home.example").returncode


def test_an_admin_takes_it_away_on_the_page(site, admin):
    set_up(site.person("helped@home.example"))
    admin.get("/people")
    admin.post("/people/change", {"name": "helped@home.example", "act": "reset-totp"})

    assert "Your code" not in half_in(site, "helped@home.example")[1].words


def kept(site, name):
    [(secret,)] = site.query(
        "SELECT secret FROM lz_second_factors f JOIN lz_users u ON u.id = f.user_id WHERE u.name = ?", name
    )
    return secret


def test_keys_are_sealed_and_those_of_before_from_the_next_start_on(closed_site):
    site, name = closed_site, "sealed@home.example"
    with site.service():
        secret, _ = set_up(site.person(name))
        assert kept(site, name).startswith("1.")
    assert secret.encode() not in site.database.read_bytes()
    site.write("UPDATE lz_second_factors SET secret = ?", secret)

    with site.service():
        assert until(lambda: kept(site, name).startswith("1."))
        browser, asked = half_in(site, name)
        assert 200 == show(browser, asked, code_of(secret)).status


def test_without_the_key_of_the_site_recovery_codes_alone_hold(closed_site):
    site, name = closed_site, "moved@home.example"
    with site.service():
        secret, codes = set_up(site.person(name))
    (site.home / "factor.key").unlink()

    with site.service():
        browser, asked = half_in(site, name)
        assert 403 == show(browser, asked, code_of(secret)).status
        assert f"{name}: the key of the authenticator app cannot be read" in site.log()
        assert 200 == show(browser, asked, codes[0]).status


def test_an_invitation_does_not_lead_around_it(site):
    """Whoever gets at a link for a new password still needs the code."""
    set_up(site.person("again@home.example"))
    status, lines = site.on_terminal("user", "link", "again@home.example")
    assert 0 == status
    browser = site.browser()
    invite = "".join(lines).partition("invite=")[2]
    browser.get(f"/login?invite={invite}")
    seen = browser.post("/login", {"invite": invite, "password": PASSWORD, "again": PASSWORD})

    assert "Your code" in seen.words


def test_a_role_that_must_have_it_sees_no_other_page_before(strict_site):
    mail_id = strict_site.send_found(QUARANTINE, ANN, subject="not before the second factor")
    chief = strict_site.person("chief@home.example", "--admin")
    for path in ("/mail", f"/mail/{mail_id}", "/people", "/account", "/audit"):
        seen = chief.get(path)
        assert (PAGE, 200) == (seen.path, seen.status), path
        assert "not before" not in seen.words
    assert 403 == chief.send("GET", "/api/v1/messages").status
    assert 303 == chief.post(f"/mail/{mail_id}/delete", follow=False).status
    assert [(" ",)] == strict_site.query("SELECT rs FROM msgrcpt WHERE mail_id = ?", mail_id)
    secret, _ = set_up(chief)
    assert "not before the second factor" in chief.get("/mail").words
    assert "Do without" not in chief.get(PAGE).words
    chief.post(PAGE, {"act": "remove", "code": code_of(secret)})
    assert "recovery codes are left" in chief.get(PAGE).words
    assert "Digest" in strict_site.person(ANN).get("/account").words, "a user need not have one"
