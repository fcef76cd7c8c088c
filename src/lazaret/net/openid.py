"""What an OpenID provider is asked, and what of its answers is believed (OpenID Connect Core 1.0, 3.1).

The authorization code flow with PKCE (RFC 7636). Keys and addresses come from the provider's discovery
document, over TLS, and are asked for again after an hour, or when a token names a key that is not known.
"""

import asyncio
import base64
import hashlib
import json
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from joserfc.jwk import KeySet

from lazaret.model.identity import Identity, Logout
from lazaret.net.openid_tokens import (
    MAX_NAME,
    MAX_TOKEN,
    Client,
    ProviderError,
    UnknownKey,
    groups,
    has_claim,
    key_set,
    logout,
    plain,
    verified,
)

TIMEOUT_S = 10
MAX_ANSWER = 1 << 20
"""Octets of an answer that are read."""
FRESH_S = 3600
KEYS_AGAIN_S = 60
"""So often, and no oftener, a token with an unknown key makes us ask for the keys."""
SCOPE = "openid email"

T = TypeVar("T")


@dataclass(slots=True)
class _Known:
    """What the provider has said of itself."""

    document: Mapping[str, Any]
    keys: KeySet
    at: float
    keys_at: float


class Provider:
    """One OpenID provider."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        self.client = client
        self._clock = clock
        self._known: _Known | None = None
        self._asking = asyncio.Lock()
        # A provider that stalls is to stall nobody but those who come in by it.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="openid")
        context = ssl.create_default_context(cafile=client.ca)
        self._opener = build_opener(HTTPSHandler(context=context), _NoRedirect())

    async def authorization(self, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is to be sent. ProviderError."""
        document = (await self._discovered()).document
        asked = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        where = self._address(document, "authorization_endpoint")
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def farewell(self, back: str) -> str:
        """Where a browser is sent to sign out there too; "" when the provider has no such place."""
        document = (await self._discovered()).document
        if "end_session_endpoint" not in document:
            return ""
        where = self._address(document, "end_session_endpoint")
        asked = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def identity(self, code: str, nonce: str, verifier: str) -> Identity:
        """Who has signed in there, for the code that came back. ProviderError."""
        known = await self._discovered()
        said = await self._post(
            self._address(known.document, "token_endpoint"), code, verifier, known.document
        )
        token, access = said.get("id_token"), said.get("access_token")
        if not isinstance(token, str) or len(token) > MAX_TOKEN:
            raise ProviderError("the provider gave no ID token")
        claims = await self._with_keys(
            known, lambda keys, now: verified(token, keys, self.client, nonce, now)
        )
        enough = "email" in claims and has_claim(claims, self.client.role_claim)
        if not enough and isinstance(access, str) and "userinfo_endpoint" in known.document:
            more = await self._get(
                self._address(known.document, "userinfo_endpoint"), {"Authorization": f"Bearer {access}"}
            )
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
        email, session = claims.get("email"), claims.get("sid")
        return Identity(
            issuer=self.client.issuer,
            subject=str(claims["sub"]),
            email=email if isinstance(email, str) else "",
            verified=claims.get("email_verified") is True,
            session=session if isinstance(session, str) and len(session) <= MAX_NAME else "",
            groups=groups(claims, self.client.role_claim),
        )

    async def logout(self, token: str) -> Logout:
        """Who has signed out at the provider, as its notice says. ProviderError."""
        known = await self._discovered()
        return await self._with_keys(known, lambda keys, now: logout(token, keys, self.client, now))

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _with_keys(self, known: _Known, check: Callable[[KeySet, float], T]) -> T:
        """What the check gives; with newer keys, where the token names one that we do not know."""
        now = self._clock()
        try:
            return check(known.keys, now)
        except UnknownKey:
            if now - known.keys_at < KEYS_AGAIN_S:
                raise
            known.keys, known.keys_at = await self._keys(known.document), now
            return check(known.keys, now)

    async def _discovered(self) -> _Known:
        async with self._asking:
            now = self._clock()
            if self._known is None or now - self._known.at > FRESH_S:
                document = await self._get(
                    self.client.issuer.rstrip("/") + "/.well-known/openid-configuration", {}
                )
                # Or a document that another issuer's server gives away would speak for this one
                # (OpenID Connect Discovery 1.0, section 4.3).
                if document.get("issuer") != self.client.issuer:
                    raise ProviderError(f"{self.client.issuer} calls itself {document.get('issuer')!r}")
                self._known = _Known(document, await self._keys(document), now, now)
            return self._known

    async def _keys(self, document: Mapping[str, Any]) -> KeySet:
        return key_set(await self._get(self._address(document, "jwks_uri"), {}))

    def _address(self, document: Mapping[str, Any], name: str) -> str:
        """An address that the provider names; over TLS, unless the provider itself is not."""
        address = document.get(name)
        if not isinstance(address, str) or len(address) > 2000 or not _printable(address):
            raise ProviderError(f"the provider names no {name}")
        scheme = urlsplit(address).scheme
        if scheme != "https" and scheme != urlsplit(self.client.issuer).scheme:
            raise ProviderError(f"the {name} of the provider is not https")
        return address

    async def _post(
        self, url: str, code: str, verifier: str, document: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "client_id": self.client.client_id,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        ways = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self.client.secret and "client_secret_basic" not in ways and "client_secret_post" in ways:
            form["client_secret"] = self.client.secret
        elif self.client.secret:
            headers["Authorization"] = _basic(self.client)
        return await self._ask(Request(url, urlencode(form).encode(), headers))

    async def _get(self, url: str, headers: dict[str, str]) -> Mapping[str, Any]:
        return await self._ask(Request(url, headers=headers))

    async def _ask(self, request: Request) -> Mapping[str, Any]:
        request.add_header("Accept", "application/json")
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._threads, self._asked, request)
        try:
            return await asyncio.wait_for(asked, 2 * TIMEOUT_S)
        except TimeoutError:
            raise ProviderError(f"{request.full_url}: no answer in {2 * TIMEOUT_S} s") from None

    def _asked(self, request: Request) -> Mapping[str, Any]:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                octets = response.read(MAX_ANSWER + 1)
        except HTTPError as error:
            with error:
                said = error.read(500).decode("utf-8", "replace")
            raise ProviderError(f"{request.full_url}: {error.code} {plain(said)}") from None
        except (OSError, HTTPException) as error:
            raise ProviderError(f"{request.full_url}: {error}") from None
        if len(octets) > MAX_ANSWER:
            raise ProviderError(f"{request.full_url}: the answer is too large")
        try:
            found = json.loads(octets)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ProviderError(f"{request.full_url}: the answer is no JSON object")
        return found


def _challenge(verifier: str) -> str:
    """As RFC 7636, section 4.2, has it: S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _basic(client: Client) -> str:
    """RFC 6749, section 2.3.1: both are encoded as in a form first."""
    pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _printable(address: str) -> bool:
    return address.isascii() and address.isprintable() and " " not in address


class _NoRedirect(HTTPRedirectHandler):
    """Neither a code nor a secret is carried on to wherever an answer points."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None
