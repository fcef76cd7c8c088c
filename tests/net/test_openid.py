"""ID tokens: only one that this provider made, for us, for this login, and now, is believed."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from lazaret.net.openid_tokens import SKEW_S, Client, ProviderError, UnknownKey, key_set, verified

NOW = 1_790_000_000
ISSUER = "https://login.example.org/realms/office"
RSA = RSAKey.generate_key(2048, {"kid": "one"})
EC = ECKey.generate_key("P-256", {"kid": "two"})
KEYS = key_set(KeySet([RSA, EC]).as_dict(private=False))
CLIENT = Client(ISSUER, "lazaret", "", "https://q.example.org/login/oidc/return", ("RS256", "ES256"))
CLAIMS = {
    "iss": ISSUER, "aud": "lazaret", "sub": "4711", "exp": NOW + 300, "iat": NOW, "nonce": "n-0S6",
    "email": "ann@home.example", "email_verified": True,
}  # fmt: skip


def token(key=RSA, algorithm="RS256", header=(), **changes):
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    head = {"alg": algorithm, "kid": key.kid} | dict(header)
    return jwt.encode(head, claims, key, algorithms=[algorithm])


def check(text, now=NOW, nonce="n-0S6"):
    return verified(text, KEYS, CLIENT, nonce, now)


def test_a_good_one_is_believed():
    assert "4711" == check(token())["sub"]
    assert "4711" == check(token(EC, "ES256"))["sub"]
    assert "4711" == check(token(aud=["lazaret"]))["sub"]
    assert "4711" == check(token(aud=["lazaret", "other"], azp="lazaret"))["sub"]


def test_clocks_may_differ_a_little():
    assert check(token(iat=NOW + SKEW_S - 5, exp=NOW + 300))
    assert check(token(iat=NOW - 300, exp=NOW - SKEW_S + 5))
    with pytest.raises(ProviderError):
        check(token(exp=NOW - SKEW_S - 5))
    with pytest.raises(ProviderError):
        check(token(iat=NOW + SKEW_S + 5))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": []},
        {"aud": None},
        {"aud": ["lazaret", "other"]},
        {"aud": ["lazaret", "other"], "azp": "other"},
        {"azp": "other"},
        {"sub": None},
        {"sub": ""},
        {"sub": 4711},
        {"sub": "x" * 256},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": None},
        {"nonce": None},
        {"nonce": "another"},
        {"nonce": ["n-0S6"]},
    ],
)
def test_what_was_not_made_for_this_login_is_not(changes):
    with pytest.raises(ProviderError):
        check(token(**changes))


def test_the_algorithm_is_ours_to_choose():
    public = RSA.as_pem(private=False)
    unsigned = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "kid": "one"}, CLAIMS)
    )
    forged = jwt.encode({"alg": "HS256", "kid": "one"}, CLAIMS, OctKey.import_key(base64.b64encode(public)))
    for text in (unsigned + ".", forged, token(RSA, "RS512"), token(RSA, "PS256")):
        with pytest.raises(ProviderError):
            check(text)


def test_a_key_of_somebody_else_does_not_sign():
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(ProviderError):
        check(token(stranger))
    with pytest.raises(UnknownKey):
        check(token(RSAKey.generate_key(2048, {"kid": "three"})))
    with pytest.raises(ProviderError):
        check(token(stranger, header={"jwk": stranger.as_dict(private=False)}))


@pytest.mark.parametrize(
    "wrong", ["", ".", "..", "a.b.c", "e30.e30.", "W10.e30.x", "\ud800", "é.b.c", "." * 60_000]
)
def test_what_is_no_token_is_none(wrong):
    with pytest.raises(ProviderError):
        check(wrong)


def test_a_token_that_was_changed_is_not_the_one_that_was_signed():
    head, _, signature = token().split(".")
    other = base64.urlsafe_b64encode(json.dumps(CLAIMS | {"sub": "1"}).encode()).rstrip(b"=").decode()
    with pytest.raises(ProviderError):
        check(f"{head}.{other}.{signature}")


@pytest.mark.parametrize(
    "document",
    [{}, {"keys": 5}, {"keys": ["x", None, {}]}, {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}]}],
)
def test_a_provider_needs_a_public_key(document):
    with pytest.raises(ProviderError):
        key_set(document)
