"""Tokens that an OpenID provider has signed: what must be right about them, and what they say."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from lazaret.model.errors import LazaretError
from lazaret.model.identity import Logout
from lazaret.model.identity import named as digest_of

SKEW_S = 60
"""By so much the provider's clock may differ from ours."""
MAX_TOKEN = 64 << 10
MAX_NAME = 255
"""Characters of a subject, of a session, of a group."""
MAX_GROUPS = 2000
LOGOUT_S = 600
"""A logout token that is older is not followed."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class ProviderError(LazaretError):
    """The provider did not answer as it should; what it said is for the log."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the provider."""

    issuer: str
    client_id: str
    secret: str
    """Empty for a public client, which PKCE alone protects."""
    redirect_uri: str
    algorithms: tuple[str, ...]
    """With which of them an ID token may be signed; none of them has a key that both sides know."""
    ca: Path | None = None
    role_claim: str = ""
    """Which claim says who is more than a user."""


class UnknownKey(ProviderError):
    """The token was signed with a key that is not among the provider's, as far as we know them."""


def verified(token: str, keys: KeySet, client: Client, nonce: str, now: float) -> Mapping[str, Any]:
    """The claims of an ID token made for us, for this login, now (Core, section 3.1.3.7). ProviderError."""
    claims = _claims(token, keys, client, now, sub={"essential": True})
    audience = claims["aud"]
    # A token for several parties says in azp to whom it was given.
    party = claims.get("azp", client.client_id if isinstance(audience, str) or len(audience) == 1 else None)
    if party != client.client_id:
        raise ProviderError("the ID token was given to somebody else (azp)")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise ProviderError("the ID token is of another login (nonce)")
    if not _is_name(claims["sub"]):
        raise ProviderError("the ID token has no usable subject")
    return claims


def logout(token: str, keys: KeySet, client: Client, now: float) -> Logout:
    """What a logout token says (OpenID Connect Back-Channel Logout 1.0, section 2.6). ProviderError."""
    if len(token) > MAX_TOKEN:
        raise ProviderError("the logout token is too large")
    claims = _claims(token, keys, client, now, jti={"essential": True})
    events, issued = claims.get("events"), claims["iat"]
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise ProviderError("the token is no logout token (events)")
    # Or an ID token that somebody got hold of would sign its owner out.
    if "nonce" in claims:
        raise ProviderError("the token is no logout token (nonce)")
    if issued < now - LOGOUT_S - SKEW_S:
        raise ProviderError("the logout token is too old")
    named = {name: claims[name] for name in ("sub", "sid") if name in claims}
    if not named or not all(_is_name(one) for one in [*named.values(), claims["jti"]]):
        raise ProviderError("the logout token names nobody")
    return Logout(
        issuer=client.issuer,
        subject=named.get("sub", ""),
        session=named.get("sid", ""),
        token=digest_of(client.issuer, f"jti\0{claims['jti']}"),
        expires=issued + LOGOUT_S + 2 * SKEW_S,
    )


def has_claim(claims: Mapping[str, Any], name: str) -> bool:
    """Whether `groups` finds the claim, or that it begins in; none is always there."""
    return not name or name in claims or name.partition(".")[0] in claims


def groups(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The texts in a claim of this name, or in a member of a claim (`realm_access.roles`)."""
    if not name:
        return frozenset()
    found: Any = claims
    for part in [name] if name in claims else name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return frozenset(one for one in listed[:MAX_GROUPS] if _is_name(one))


def _claims(token: str, keys: KeySet, client: Client, now: float, **wanted: Any) -> Mapping[str, Any]:
    """The claims of a token that the provider has signed for us, and that holds now. ProviderError."""
    try:
        key_id = _header(token).get("kid")
        if key_id is not None and key_id not in {key.kid for key in keys.keys}:
            raise UnknownKey(f"no key of the provider has the id {plain(str(key_id))!r}")
        claims = jwt.decode(token, keys, algorithms=list(client.algorithms)).claims
        jwt.JWTClaimsRegistry(
            now=lambda: int(now),
            leeway=SKEW_S,
            iss={"essential": True, "value": client.issuer},
            aud={"essential": True, "value": client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            **wanted,
        ).validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProviderError(f"the token is not good: {plain(str(error))}") from None
    return claims


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME


def key_set(document: Mapping[str, Any]) -> KeySet:
    """The keys that signatures are checked with; kinds that nobody here knows are left out. ProviderError."""
    listed = document.get("keys")
    found = []
    for one in listed[:50] if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC", "OKP") or one.get("use") == "enc":
            continue
        try:
            found.append(JWKRegistry.import_key(one))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    if not found:
        raise ProviderError("the provider has no key that signs")
    return KeySet(found)


def _header(token: str) -> Mapping[str, Any]:
    first = token.partition(".")[0]
    found = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if not isinstance(found, dict):
        raise ValueError("it has no header")
    return found


def plain(text: str) -> str:
    """What somebody else has said, as one line of a log."""
    return "".join(c if c.isprintable() else " " for c in text[:300])
