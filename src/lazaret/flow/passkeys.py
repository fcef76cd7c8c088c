"""Passkeys (WebAuthn, level 2): a second factor and a first in one, which no other site can ask for.

The authenticator must have made sure of its user (a finger, a face, a PIN), so that nothing else is asked
for. A challenge is sealed together with the session, or the visit, that it was made for; it holds for five
minutes and is good for one answer.
"""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import webauthn
from cryptography.fernet import Fernet, InvalidToken
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from lazaret.flow.login import TRIES_PER_PLACE, WINDOW_S, Doorkeeper, LoginFailed, Refusal, digest, who
from lazaret.model.errors import UserError
from lazaret.model.passkey import Passkey
from lazaret.model.person import Person

CHALLENGE_S = 5 * 60
CHALLENGE_OCTETS = 32
MAX_ANSWER = 32 << 10
"""Characters of what a browser answers."""
SITE = "Lazaret"
EX_DATAERR = 65
_BROKEN = (
    *(WebAuthnException, ValueError, TypeError, LookupError),
    *(AttributeError, ArithmeticError, RecursionError),
)
"""What the library raises over an answer that is none."""


class Keeper(Protocol):
    """The passkeys, as the store keeps them."""

    async def of(self, user: int) -> list[Passkey]: ...

    async def holder(self, credential: bytes) -> tuple[Person, Passkey] | None: ...

    async def add(self, person: Person, passkey: Passkey, *, keep: bytes, who: str) -> None: ...

    async def use(
        self, passkey: Passkey, count: int, challenge: bytes, *, expires: float, now: float
    ) -> bool: ...

    async def answer(self, challenge: bytes, *, expires: float, now: float) -> bool: ...


class Counter(Protocol):
    """What was tried lately."""

    async def failures(self, subjects: Sequence[str], *, since: float) -> list[tuple[int, float]]: ...

    async def failed(self, subjects: Iterable[str], *, now: float, forget_before: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks: what an authenticator binds a passkey to."""

    id: str
    """The host name."""
    origin: str
    """As the browser says it."""


class Passkeys:
    """Takes passkeys in, and lets in by them."""

    def __init__(
        self,
        keeper: Keeper,
        counter: Counter,
        doorkeeper: Doorkeeper,
        key: bytes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`key`: as Fernet wants it."""
        self._keeper = keeper
        self._counter = counter
        self._doorkeeper = doorkeeper
        self._seal = Fernet(key)
        self._clock = clock

    async def creation(self, person: Person, party: Party, session: str) -> dict[str, object]:
        """What `navigator.credentials.create` is to be given, and the sealed challenge."""
        challenge = secrets.token_bytes(CHALLENGE_OCTETS)
        options = webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name=f"{SITE} {party.id}",
            user_id=_handle(person),
            user_name=person.name,
            user_display_name=person.name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=one.credential) for one in await self._keeper.of(person.id)
            ],
        )
        return {
            "publicKey": options_to_json_dict(options),
            "token": self._sealed("create", challenge, party, session),
        }

    def request(self, party: Party, visit: str) -> dict[str, object]:
        """What `navigator.credentials.get` is to be given, and the sealed challenge."""
        challenge = secrets.token_bytes(CHALLENGE_OCTETS)
        options = webauthn.generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return {
            "publicKey": options_to_json_dict(options),
            "token": self._sealed("get", challenge, party, visit),
        }

    async def add(
        self, person: Person, party: Party, session: str, token: str, answer: str, label: str
    ) -> None:
        """Takes a new one in. UserError."""
        challenge = self._challenge("create", token, party, session)
        wrong = UserError("this passkey was not taken: it took too long, or was made elsewhere", EX_DATAERR)
        if challenge is None or len(answer) > MAX_ANSWER:
            raise wrong
        now = self._clock()
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except _BROKEN:
            raise wrong from None
        if not await self._keeper.answer(_digest(challenge), expires=now + CHALLENGE_S, now=now):
            raise wrong
        passkey = Passkey(
            made.credential_id, made.credential_public_key, made.sign_count, label.strip() or party.id
        )
        await self._keeper.add(person, passkey, keep=digest(session), who=who(person))

    async def come_in(
        self, party: Party, visit: str, token: str, answer: str, *, remote: str, half: str = ""
    ) -> str:
        """The secret of a new session; `half`: of the login that asked for a second factor. LoginFailed."""
        now, place = self._clock(), f"from:{remote}"
        [(tries, last)] = await self._counter.failures([place], since=now - WINDOW_S)
        if tries >= TRIES_PER_PLACE:
            raise self._doorkeeper.refused("", remote, Refusal.LOCKED, max(1.0, last + WINDOW_S - now))
        challenge = self._challenge("get", token, party, visit)
        found = await self._holder(answer) if challenge is not None else None
        if challenge is None or found is None:
            raise await self._wrong("", remote)
        person, passkey = found
        try:
            shown = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except _BROKEN:
            raise await self._wrong(person.name, remote) from None
        if person.disabled:
            raise self._doorkeeper.refused(person.name, remote, Refusal.DISABLED)
        if not await self._keeper.use(
            passkey, shown.new_sign_count, _digest(challenge), expires=now + CHALLENGE_S, now=now
        ):
            raise await self._wrong(person.name, remote)
        return await self._doorkeeper.admit(person, remote=remote, half=half)

    async def _holder(self, answer: str) -> tuple[Person, Passkey] | None:
        """Whose passkey has answered; the person whom the authenticator means must be the same."""
        if len(answer) > MAX_ANSWER:
            return None
        try:
            said = json.loads(answer)
            credential = base64url_to_bytes(said["rawId"])
            handle = base64url_to_bytes(said["response"].get("userHandle") or "")
        except _BROKEN:
            return None
        found = await self._keeper.holder(credential)
        return found if found and handle in (b"", _handle(found[0])) else None

    async def _wrong(self, name: str, remote: str) -> LoginFailed:
        now = self._clock()
        await self._counter.failed([f"from:{remote}"], now=now, forget_before=now - WINDOW_S)
        return self._doorkeeper.refused(name, remote, Refusal.PASSKEY)

    def _sealed(self, purpose: str, challenge: bytes, party: Party, secret: str) -> str:
        kept = [purpose, base64.b64encode(challenge).decode(), party.id, digest(secret).hex()]
        return self._seal.encrypt_at_time(json.dumps(kept).encode(), int(self._clock())).decode()

    def _challenge(self, purpose: str, token: str, party: Party, secret: str) -> bytes | None:
        """The challenge, when it was made for this purpose, here, and for this session or visit."""
        if len(token) > 2000 or not token.isascii():
            return None
        try:
            kept = self._seal.decrypt_at_time(
                token.encode(), ttl=CHALLENGE_S, current_time=int(self._clock())
            )
        except InvalidToken:
            return None
        what, challenge, where, whose = json.loads(kept)
        same = hmac.compare_digest(whose, digest(secret).hex())
        return base64.b64decode(challenge) if same and (what, where) == (purpose, party.id) else None


def _digest(challenge: bytes) -> bytes:
    return digest(base64.b64encode(challenge).decode())


def _handle(person: Person) -> bytes:
    """By what an authenticator knows the person: no name, which it would tell (WebAuthn, section 14.6.1)."""
    return b"lazaret-%d" % person.id
