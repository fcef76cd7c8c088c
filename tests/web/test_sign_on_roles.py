"""What a provider says somebody is, while it says so; and that it says when somebody has signed out there."""

import json
import time
import urllib.request

import pyotp
import pytest
from tests.support.installation import QUARANTINE
from tests.web.sso import beside, come

from lazaret.net.openid_tokens import LOGOUT_EVENT

SPECIAL = {"groups": ["staff", "mail-admins"], "sid": "s-ada"}
PEOPLE = (
    {"sub": "ada", "email": "ada@home.example", "email_verified": True, **SPECIAL},
    {"sub": "abe", "email": "abe@home.example", "email_verified": True, "groups": "audit"},
    {"sub": "dan", "email": "dan@home.example", "email_verified": True, "groups": ["hosting", "audit"]},
    {"sub": "ben", "email": "ben@home.example", "email_verified": True, "groups": ["staff"], "sid": "s-ben"},
    {"sub": "eve", "email": "eve@home.example", "email_verified": False, "groups": ["mail-admins"]},
    {"sub": "out", "email": "out@away.example", "email_verified": True, "groups": ["mail-admins"]},
    {"sub": "loc", "email": "loc@home.example", "email_verified": True, "groups": ["mail-admins"]},
    {"sub": "odd", "email": "odd@home.example", "email_verified": True, "groups": {"mail-admins": True}},
    {"sub": "fac", "email": "fac@home.example", "email_verified": True, "groups": ["mail-admins"]},
)
ROLES = """\
role_claim = "groups"
roles = [
    "mail-admins: admin",
    "hosting: domain-admin home.example",
    "audit: auditor",
]
"""


@pytest.fixture(scope="module")
def sso(tmp_path_factory):
    """A site whose provider knows groups."""
    for site in beside(tmp_path_factory.mktemp("roles"), PEOPLE, ROLES):
        site.person("loc@home.example", "--auditor")
        yield site


def says(sso, subject, **changes):
    """From now on the provider says this of somebody."""
    claims = next(one for one in PEOPLE if one["sub"] == subject) | changes
    request = urllib.request.Request(
        f"{sso.issuer}/users/{subject}",
        json.dumps({name: value for name, value in claims.items() if name != "sub"}).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=20).close()


def role_of(sso, subject):
    return dict(sso.query("SELECT name, role FROM lz_users"))[f"{subject}@home.example"]


@pytest.mark.parametrize(
    ("subject", "people", "overview", "found"),
    [("ada", 200, 200, 200), ("abe", 403, 200, 200), ("dan", 403, 200, 200), ("ben", 403, 403, 404)],
)
def test_a_claim_says_what_somebody_may(sso, subject, people, overview, found):
    mail_id = sso.send_found(QUARANTINE, "somebody@home.example", subject=f"for another than {subject}")
    browser, seen = come(sso, subject)

    assert 200 == seen.status
    assert (people, overview, found) == tuple(
        browser.get(path).status for path in ("/people", "/overview", f"/mail/{mail_id}")
    )
    assert "user" == role_of(sso, subject), "the account is a user's"


def test_when_the_claim_goes_away_the_next_session_is_a_users(sso):
    first, _ = come(sso, "ada")
    says(sso, "ada", groups=["staff"])
    try:
        second, _ = come(sso, "ada")
        assert 403 == second.get("/people").status
        assert not is_in(first), "the one before it ends too"
    finally:
        says(sso, "ada")


def test_it_does_not_get_into_the_account_by_its_forms(sso):
    browser, _ = come(sso, "ada")
    browser.post("/account", {"act": "language", "language": "de"})
    browser.post("/account", {"act": "language", "language": ""})

    assert "user" == role_of(sso, "ada")


def test_a_token_is_worth_what_the_account_is(sso):
    browser, _ = come(sso, "ada")
    page = browser.post("/account", {"act": "token", "label": "x", "scope": "admin", "days": "1"})
    found = [word for word in page.words.split() if word.startswith("lzt_")]
    for token in found:
        answer = sso.browser().get("/api/v1/people", Authorization=f"Bearer {token}")
        assert 403 == answer.status


def test_the_provider_makes_nobody_more_whom_it_does_not_vouch_for(sso):
    for subject in ("eve", "out"):
        assert 403 == come(sso, subject)[1].status
    browser, _ = come(sso, "odd")
    assert 403 == browser.get("/people").status, "an object is no list of groups"


def test_whom_an_admin_gave_a_role_here_keeps_that(sso):
    browser, _ = come(sso, "loc")

    assert 403 == browser.get("/people").status
    assert 200 == browser.get("/audit").status


def test_it_holds_after_the_code_that_was_asked_for(sso):
    browser, _ = come(sso, "fac")
    browser.get("/account/second-factor")
    secret = browser.post("/account/second-factor", {"act": "propose"}).field("secret")
    wish = {"act": "confirm", "code": pyotp.TOTP(secret).now(), "secret": secret}
    browser.post("/account/second-factor", wish)
    browser, asked = come(sso, "fac")
    assert 303 == browser.get("/people", follow=False).status, "not in yet"
    half = asked.text.split('name="half" value="')[1].split('"')[0]
    code = pyotp.TOTP(secret).at(time.time() + 30)
    browser.post("/login", {"half": half, "code": code, "next": "/"})

    assert 200 == browser.get("/people").status


def test_the_record_says_who_was_made_what(sso):
    come(sso, "dan")
    assert [("dan@home.example as domain-admin home.example",)] == sso.query(
        "SELECT DISTINCT detail FROM lz_audit WHERE act = 'role' AND detail LIKE 'dan%'"
    )


# Signing out at the provider


def signed(sso, **changes):
    """A logout token of the provider's."""
    now = int(time.time())
    claims = {
        "iss": sso.issuer, "aud": "lazaret", "iat": now, "exp": now + 120, "jti": f"j{time.time_ns()}",
        "events": {LOGOUT_EVENT: {}}, "sub": "ben",
    } | changes  # fmt: skip
    body = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
    request = urllib.request.Request(f"{sso.issuer}/signed", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


def tell(sso, token):
    """As the provider does: no cookie, nothing from a page of ours."""
    return sso.browser().post("/login/oidc/gone", {"logout_token": token}, csrf="")


def is_in(browser):
    return 200 == browser.get("/mail", follow=False).status


def test_it_ends_all_sessions_of_the_subject_and_no_others(sso):
    (first, _), (second, _), (other, _) = come(sso, "ben"), come(sso, "ben"), come(sso, "ada")
    answer = tell(sso, signed(sso))

    assert 200 == answer.status
    assert "no-store" in answer.headers["Cache-Control"]
    assert [False, False, True] == [is_in(one) for one in (first, second, other)]
    assert "by http" in sso.query("SELECT detail FROM lz_audit WHERE who = 'oidc' AND act = 'logout'")[-1][0]


def test_of_a_session_of_the_providers_it_ends_what_that_opened(sso):
    (one, _), (other, _) = come(sso, "ben"), come(sso, "ada")
    assert 200 == tell(sso, signed(sso, sub=None, sid="s-ben")).status
    assert [False, True] == [is_in(one), is_in(other)]
    assert 200 == tell(sso, signed(sso, sub="ada", sid="s-unknown")).status
    assert is_in(other)
    assert 200 == tell(sso, signed(sso, sub="ben", sid="s-ada")).status
    assert is_in(other), "the session is another's"


def test_a_token_counts_once(sso):
    token = signed(sso)
    assert 200 == tell(sso, token).status
    browser, _ = come(sso, "ben")
    assert 400 == tell(sso, token).status
    assert is_in(browser)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://evil.example"},
        {"aud": "another"},
        {"iat": 1_700_000_000},
        {"iat": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"events": None},
        {"events": {}},
        {"events": [LOGOUT_EVENT]},
        {"events": {LOGOUT_EVENT: 1}},
        {"nonce": "n"},
        {"jti": None},
        {"jti": ""},
        {"sub": None},
        {"sub": 5},
        {"sub": ["ben"]},
        {"sid": ""},
    ],
)
def test_no_other_token_ends_a_session(sso, changes):
    browser, _ = come(sso, "ben")
    answer = tell(sso, signed(sso, **changes))

    assert 400 == answer.status
    assert {"error": "invalid_request"} == json.loads(answer.text)
    assert is_in(browser)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "é" * 100, "x" * 100_000])
def test_what_is_no_token_is_refused(sso, token):
    assert 400 == tell(sso, token).status


def test_a_page_of_another_site_cannot_make_use_of_a_session(sso):
    browser, _ = come(sso, "ben")
    assert 400 == browser.post("/login/oidc/gone").status
    assert is_in(browser)
