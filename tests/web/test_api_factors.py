"""The second factor and the passkeys of one's own account by a program: nothing without proof."""

import hashlib
import time

import pytest
from tests.support.installation import ANN
from tests.support.ports import free_ports
from tests.web.conftest import PASSWORD, running
from tests.web.test_api import Program
from tests.web.test_second_factor import code_of, early_in_step, half_in, set_up, show

FACTOR = "/account/second-factor"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A service of their own: what fails here counts against everybody from this place."""
    yield from running(tmp_path_factory.mktemp("site"), *free_ports(2))


def passkey(site, name, number):
    """A passkey of somebody, of which nobody has the other half; its name."""
    [(user,)] = site.query("SELECT id FROM lz_users WHERE name = ?", name)
    credential = bytes([number]) * 32
    digest = hashlib.sha256(credential).digest()
    site.write(
        "INSERT INTO lz_passkeys (digest, user_id, credential, public_key, sign_count, label, created)"
        " VALUES (?, ?, ?, ?, 0, ?, ?)",
        *(digest, user, credential, b"none", f"key {number}", int(time.time())),
    )
    return digest.hex()[:32]


def test_an_app_is_set_up_with_the_password_and_given_up_with_a_code(site):
    name = "api-app@home.example"
    browser = site.person(name)
    program = Program(site, name, "account")
    assert 403 == program("POST", f"{FACTOR}/propose", {}).status
    proposal = program("POST", f"{FACTOR}/propose", {"password": PASSWORD}).json
    secret = proposal["secret"]

    assert proposal["uri"].startswith("otpauth://totp/")
    early_in_step()
    code = code_of(secret, -1)
    assert 403 == program("POST", f"{FACTOR}/confirm", {"code": code, "secret": ""}).status
    assert 403 == program("POST", f"{FACTOR}/confirm", {"code": "12", "secret": secret}).status
    made = program("POST", f"{FACTOR}/confirm", {"code": code, "secret": secret})
    assert 10 == len(set(made.json["recovery_codes"]))
    assert "Sign in" in browser.get("/account").words, "sessions end"
    again, asked = half_in(site, name)
    assert name in show(again, asked, made.json["recovery_codes"][0]).words
    assert 422 == program("POST", f"{FACTOR}/propose", {}).status
    assert 403 == program("POST", f"{FACTOR}/codes", {"code": code}).status, "a code is good once"
    fresh = program("POST", f"{FACTOR}/codes", {"code": code_of(secret)}).json["recovery_codes"]
    assert not {*fresh} & {*made.json["recovery_codes"]}
    assert 403 == program("POST", f"{FACTOR}/remove", {"code": made.json["recovery_codes"][1]}).status
    assert {"done": True} == program("POST", f"{FACTOR}/remove", {"code": fresh[0]}).json
    assert not program("GET", "/account").json["second_factor"]["app"]


def test_nobody_guesses_a_code_over_the_api(own_site):
    set_up(own_site.person(ANN))
    program = Program(own_site, ANN, "account")
    for path in ("codes", "remove", "codes", "remove", "codes"):
        assert 403 == program("POST", f"{FACTOR}/{path}", {"code": "12345"}).status
    for path in ("codes", "remove"):
        locked = program("POST", f"{FACTOR}/{path}", {"code": "12345"})
        assert 429 == locked.status
        assert 890 < int(locked.headers["Retry-After"]) <= 900


def test_passkeys_are_named_and_removed_by_their_owner_with_proof(site):
    name = "api-keys@home.example"
    site.person(name)
    site.person(ANN)
    keys = [passkey(site, name, number) for number in (1, 2)]
    program, other = Program(site, name, "account"), Program(site, ANN, "account")

    assert ["key 1", "key 2"] == [
        one["label"] for one in program("GET", "/account/passkeys").json["passkeys"]
    ]
    assert 2 == program("GET", "/account").json["second_factor"]["passkeys"]
    assert [] == other("GET", "/account/passkeys").json["passkeys"]
    wish = {"passkey": keys[0], "password": PASSWORD}
    for path, body in (("rename", {"passkey": keys[0], "label": "mine"}), ("remove", wish)):
        assert 404 == other("POST", f"/account/passkeys/{path}", body).status
    assert 400 == program("POST", "/account/passkeys/rename", {"passkey": keys[0], "label": " "}).status
    renamed = program("POST", "/account/passkeys/rename", {"passkey": keys[0], "label": "Telephone"}).json
    assert ["Telephone", "key 2"] == [one["label"] for one in renamed["passkeys"]]
    assert 403 == program("POST", "/account/passkeys/remove", {"passkey": keys[0]}).status
    left = program("POST", "/account/passkeys/remove", wish).json["passkeys"]
    assert [keys[1]] == [one["passkey"] for one in left]
    assert 404 == program("POST", "/account/passkeys/remove", wish).status


@pytest.mark.parametrize("kind", ["app", "passkey"])
def test_a_role_that_must_have_one_keeps_it(strict_site, kind):
    name = "chief@home.example"
    browser = strict_site.person(name, "--admin")
    program = Program(strict_site, name, "account")
    if kind == "app":
        secret, _ = set_up(browser)
        refused = program("POST", f"{FACTOR}/remove", {"code": code_of(secret)})
    else:
        wish = {"passkey": passkey(strict_site, name, 3), "password": PASSWORD}
        refused = program("POST", "/account/passkeys/remove", wish)

    assert (422, True) == (refused.status, program("GET", "/account").json["second_factor"]["required"])
    assert "must have" in refused.json["detail"]


def test_whoever_has_no_password_makes_a_key_only_when_he_has_just_come_in(site):
    """He comes in by a provider or a mail, and has nothing to show once more."""
    name = "no-password@home.example"
    browser = site.person(name)
    program = Program(site, name, "account")
    site.write("UPDATE lz_users SET password = '' WHERE name = ?", name)
    token = {"act": "token", "label": "x", "scope": "read"}
    browser.get("/account")
    assert "lzt_" in browser.post("/account", token).text

    site.write(
        "UPDATE lz_sessions SET created = created - 1000"
        " WHERE user_id = (SELECT id FROM lz_users WHERE name = ?)",
        name,
    )
    seen = browser.post("/account", token)
    assert (403, True) == (seen.status, "You came in too long ago for this." in seen.words)
    browser.get("/account/second-factor")
    assert 403 == browser.post("/account/second-factor", {"act": "propose"}).status
    refused = program("POST", f"{FACTOR}/propose", {})
    assert (403, "without a password this takes a session that has just begun") == (
        refused.status,
        refused.json["detail"],
    )
    assert 200 == program("POST", "/account/tokens", {"label": "x", "scopes": ["account"]}).status
    assert "reason=stale" not in site.log()
