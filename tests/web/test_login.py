"""Coming in: by invitation, by password, not at all."""

import re

import pytest
from tests.web.conftest import PASSWORD


def test_a_link_lets_choose_a_password_once_and_looking_uses_nothing_up(site):
    """A program that fetches every link in a chat must not use it up: GET shows, POST acts."""
    link = site.invite("once@home.example")
    for scanner in (site.browser(), site.browser()):
        assert "Choose a password" in scanner.get(link).words
    browser = site.browser()
    browser.get(link)
    fields = {"invite": link.partition("=")[2], "password": PASSWORD, "again": PASSWORD}

    assert "Sign out" in browser.post("/login", fields).words
    assert 410 == site.browser().get(link).status
    assert 410 == browser.post("/login", fields, csrf=browser.csrf).status


def test_a_link_is_printed_to_a_terminal_only(site):
    done = site.run("user", "add", "pipe@home.example")

    assert (77, b"") == (done.returncode, done.stdout)
    assert b"terminal" in done.stderr
    assert [] == [row for row in site.rows("user", "list", "--json") if row["name"] == "pipe@home.example"]


def test_a_link_holds_for_a_quarter_of_an_hour(site):
    import time

    link = site.invite("late@home.example")
    [(expires,)] = site.query(
        "SELECT i.expires FROM lz_invitations i JOIN lz_users u ON u.id = i.user_id WHERE u.name = ?",
        "late@home.example",
    )

    assert 890 < expires - time.time() <= 900
    assert "Choose a password" in site.browser().get(link).words


@pytest.mark.parametrize(("password", "again"), [("short", "short"), (PASSWORD, PASSWORD + "x")])
def test_a_bad_choice_of_a_password_does_not_use_the_link_up(site, password, again):
    link = site.invite(f"bad{len(password)}@home.example")
    browser = site.browser()
    browser.get(link)
    seen = browser.post("/login", {"invite": link.partition("=")[2], "password": password, "again": again})

    assert "Choose a password" in seen.words
    assert 200 == site.browser().get(link).status


def test_a_password_lets_in_and_the_cookie_is_closed_to_scripts_and_other_sites(site):
    site.person("cookie@home.example", "--admin")
    browser = site.browser()
    browser.get("/login")
    seen = browser.post(
        "/login", {"name": "COOKIE@home.example ", "password": PASSWORD, "next": "/"}, follow=False
    )
    cookie = next(c for c in seen.headers.get_all("Set-Cookie") if c.startswith("lazaret_session="))

    assert (303, "/") == (seen.status, seen.headers["Location"])
    assert {"httponly", "samesite=lax", "path=/"} == {p.strip().lower() for p in cookie.split(";")[1:]}
    assert "cookie@home.example" in browser.get("/").words


def test_passwords_are_kept_as_argon2id_and_secrets_as_digests(site):
    browser = site.person("hash@home.example")
    [(kept,)] = site.query("SELECT password FROM lz_users WHERE name = ?", "hash@home.example")
    secret = next(c.value for c in browser.cookies if c.name == "lazaret_session")

    assert kept.startswith("$argon2id$")
    assert secret.encode() not in site.database.read_bytes()


def test_logging_out_ends_the_session_on_the_server(site):
    browser = site.person("out@home.example")
    secret = next(c.value for c in browser.cookies if c.name == "lazaret_session")
    browser.post("/logout")

    stolen = site.browser().get("/mail", follow=False, Cookie=f"lazaret_session={secret}")
    assert (303, "/login?next=%2Fmail") == (stolen.status, stolen.headers["Location"])


def test_a_failed_login_is_one_stable_line_and_the_page_does_not_say_what_was_wrong(site):
    site.person("known@home.example")
    browser = site.browser()
    wrong = browser.log_in("known@home.example", "not the password")
    unknown = browser.log_in('no"body\r\nlogin failed: from=9.9.9.9', "not the password")
    lines = re.findall(r".*login failed: .*", site.log())

    assert (403, 403) == (wrong.status, unknown.status)
    assert "Name or password is wrong." in wrong.words
    assert "Name or password is wrong." in unknown.words
    assert lines[-2].endswith('login failed: from=127.0.0.1 user="known@home.example" reason=password')
    assert lines[-1].endswith(
        'login failed: from=127.0.0.1 user="no?body??login?failed:?from=9.9.9.9" reason=unknown'
    )


def test_five_failures_lock_a_name_even_for_the_right_password(own_site):
    """The place that a person has guessed from is told to wait; a restart does not make it forget."""
    own_site.person("locked@home.example")
    browser = own_site.browser()
    for _ in range(5):
        assert 403 == browser.log_in("locked@home.example", "wrong password").status
    seen = browser.log_in("locked@home.example", PASSWORD)

    assert 429 == seen.status
    assert "Too many attempts failed. Try again in 15 minutes." in seen.words
    assert "reason=locked" in own_site.log()


def test_somebody_who_is_kept_out_is_out_at_once(site):
    browser = site.person("closed@home.example")
    site.output("user", "close", "closed@home.example")

    assert "/login" == browser.get("/", follow=True).path or "Sign in" in browser.get("/mail").words
    assert 403 == browser.log_in("closed@home.example", PASSWORD).status


@pytest.mark.parametrize(
    "wish", ["https://evil.example/", "//evil.example", "/\\evil.example", "/ok\r\nX: y", "javascript:1"]
)
def test_a_login_leads_to_a_page_of_ours_and_nowhere_else(site, wish):
    name = f"wish{abs(hash(wish))}@home.example"
    site.person(name)
    browser = site.browser()
    browser.get("/login")
    seen = browser.post("/login", {"name": name, "password": PASSWORD, "next": wish}, follow=False)

    assert (303, "/") == (seen.status, seen.headers["Location"])


def test_a_form_of_another_site_is_refused(site):
    browser = site.person("forged@home.example")

    assert 403 == browser.post("/logout", csrf="0" * 64).status
    assert 403 == browser.post("/logout", csrf="").status
    assert 403 == browser.post("/logout", Origin="https://evil.example").status
    assert 403 == browser.post("/logout", Sec_Fetch_Site="cross-site").status
    assert "forged@home.example" in browser.get("/").words


def test_the_login_form_itself_cannot_be_sent_by_another_site(site):
    """Or somebody could be logged in, without noticing, as somebody else."""
    browser = site.browser()
    browser.get("/login")

    assert 403 == browser.post("/login", {"name": "a", "password": "b"}, csrf="0" * 64).status


def test_a_body_beyond_all_reason_is_refused(site):
    browser = site.browser()
    browser.get("/login")

    assert 413 == browser.post("/login", {"name": "x" * 300_000}).status
    assert 413 == browser.post("/login", [(f"n{i}", "") for i in range(3000)]).status
