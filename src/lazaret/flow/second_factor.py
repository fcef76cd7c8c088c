"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for its loss.

A code is good once, thirty seconds early or late included. Wrong ones are counted as wrong passwords are.
"""

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

import pyotp
from pyotp.exceptions import OTPVerificationError

from lazaret.flow.login import (
    WINDOW_S,
    Doorkeeper,
    LoginFailed,
    Refusal,
    digest,
    who,
)
from lazaret.flow.sealing import Seal, WrongKey, is_sealed
from lazaret.model.errors import UserError
from lazaret.model.person import Person

log = logging.getLogger("lazaret.login")

ISSUER = "Lazaret"
EARLY_OR_LATE = 1
"""Steps of thirty seconds by which the clocks may differ (RFC 6238, section 5.2)."""
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Those that nobody mistakes for another; sixteen of them are 79 bits."""
_CODE_LENGTH = 16
EX_DATAERR = 65


class Keeper(Protocol):
    """Secrets, codes and waiting logins, as the store keeps them."""

    async def waiting(self, digest: bytes, *, now: float) -> Person | None: ...

    async def finish(self, digest: bytes) -> bool: ...

    async def propose(self, user: int, secret: str) -> None: ...

    async def secret(self, user: int) -> tuple[str, bool] | None: ...

    async def secrets(self) -> list[tuple[int, str]]: ...

    async def reseal(self, user: int, old: str, new: str) -> None: ...

    async def confirm(
        self, user: int, secret: str, step: int, codes: Sequence[bytes], *, keep: bytes, who: str
    ) -> bool: ...

    async def use_step(self, user: int, step: int) -> bool: ...

    async def use_code(self, user: int, digest: bytes, *, who: str) -> bool: ...

    async def set_codes(self, user: int, codes: Sequence[bytes], *, who: str) -> None: ...

    async def codes_left(self, user: int) -> int: ...

    async def remove(self, person: Person, *, who: str, end_sessions: bool = False) -> bool: ...


class Counter(Protocol):
    """What was tried lately."""

    async def failed(self, subjects: Iterable[str], *, now: float, forget_before: float) -> None: ...

    async def succeeded(self, subject: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """A secret for an app to take in."""

    secret: str
    uri: str
    """otpauth://, as a QR code holds it."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What there is of one person."""

    kept: str
    """As the database has it."""
    holds: bool
    secret: str
    """Empty when it cannot be read."""


class SecondFactor:
    """Sets up, asks for, and takes away the second factor."""

    def __init__(
        self,
        keeper: Keeper,
        counter: Counter,
        doorkeeper: Doorkeeper,
        site: str,
        seal: Seal,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`site`: the name under which an app shows the account."""
        self._keeper = keeper
        self._counter = counter
        self._doorkeeper = doorkeeper
        self._site = site
        self._seal = seal
        self._clock = clock
        self._busy: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def waiting(self, half: str) -> Person | None:
        """Who has shown a password, or a link, and has a code still to show."""
        return await self._keeper.waiting(digest(half), now=self._clock())

    async def come_in(self, half: str, code: str, *, remote: str) -> str | None:
        """The secret of a new session; None when the password was shown too long ago. LoginFailed."""
        person = await self.waiting(half)
        if person is None:
            return None
        await self.check(person, code, remote=remote)
        if not await self._keeper.finish(digest(half)):
            return None
        return await self._doorkeeper.admit(person, remote=remote, half=half)

    async def propose(self, person: Person) -> Proposal:
        """A secret that takes effect with `confirm`; the same one until then."""
        found = await self._secret(person)
        if found is None or not (found.holds or found.secret):
            await self._keeper.propose(person.id, self._seal.close(person.id, pyotp.random_base32()))
            found = await self._secret(person)
        if found is None or found.holds:
            raise UserError("there is a second factor already", EX_DATAERR)
        app = pyotp.TOTP(found.secret)
        uri = app.provisioning_uri(name=person.name, issuer_name=f"{ISSUER} {self._site}")
        return Proposal(found.secret, uri)

    async def confirm(
        self, person: Person, secret: str, code: str, session: str, *, remote: str
    ) -> tuple[str, ...]:
        """Takes the first code of the app: recovery codes, shown this once. All sessions end but `session`.

        `secret`: the key that was proposed: only whoever was shown it confirms it. LoginFailed, UserError.
        """
        async with self._one_by_one(person):
            return await self._confirm(person, secret, code, session, remote)

    async def _confirm(
        self, person: Person, secret: str, code: str, session: str, remote: str
    ) -> tuple[str, ...]:
        await self._refuse_many(person, remote)
        found = await self._secret(person)
        shown = found is not None and not found.holds and same(found.secret, secret)
        step = self._step(found.secret, code) if found and shown else None
        if found is None or step is None:
            raise await self._wrong(person, remote)
        codes = _new_codes()
        digests = [digest(_plain(one)) for one in codes]
        if not await self._keeper.confirm(
            person.id, found.kept, step, digests, keep=digest(session), who=who(person)
        ):
            raise UserError("there is a second factor already", EX_DATAERR)
        return codes

    async def new_codes(self, person: Person, code: str, *, remote: str) -> tuple[str, ...]:
        """Recovery codes in the place of the old ones. LoginFailed."""
        await self.check(person, code, remote=remote)
        codes = _new_codes()
        await self._keeper.set_codes(person.id, [digest(_plain(one)) for one in codes], who=who(person))
        return codes

    async def codes_left(self, person: Person) -> int:
        """Recovery codes that were not used yet."""
        return await self._keeper.codes_left(person.id)

    async def remove(self, person: Person, code: str, *, remote: str) -> None:
        """The password alone is enough again. LoginFailed."""
        await self.check(person, code, remote=remote)
        await self._keeper.remove(person, who=who(person))

    async def check(self, person: Person, code: str, *, remote: str) -> None:
        """Uses up a code of the app, or a recovery code. LoginFailed when it is neither."""
        async with self._one_by_one(person):
            await self._check(person, code, remote)

    async def _check(self, person: Person, code: str, remote: str) -> None:
        await self._refuse_many(person, remote)
        found = await self._secret(person)
        step = self._step(found.secret, code) if found and found.holds else None
        if step is not None and await self._keeper.use_step(person.id, step):
            await self._counter.succeeded(f"code:{person.name}")
            return
        plain = _plain(code)
        if len(plain) == _CODE_LENGTH and await self._keeper.use_code(
            person.id, digest(plain), who=who(person)
        ):
            await self._counter.succeeded(f"code:{person.name}")
            return
        raise await self._wrong(person, remote)

    async def seal_old(self) -> None:
        """Seals what an earlier version has kept in clear."""
        for user, kept in await self._keeper.secrets():
            if not is_sealed(kept):
                await self._keeper.reseal(user, kept, self._seal.close(user, kept))

    async def _secret(self, person: Person) -> "_Kept | None":
        found = await self._keeper.secret(person.id)
        if found is None:
            return None
        try:
            return _Kept(found[0], found[1], self._seal.open(person.id, found[0]))
        except WrongKey:
            log.error(
                "%s: the key of the authenticator app cannot be read: factor.key in store.data_dir is not "
                "the file by which it was sealed; recovery codes hold",
                person.name,
            )
            return _Kept(found[0], found[1], "")

    def _step(self, secret: str, code: str) -> int | None:
        """Which step the code is of."""
        digits = "".join(code.split())
        if not secret or len(digits) != 6 or not digits.isascii() or not digits.isdigit():
            return None
        try:
            return pyotp.TOTP(secret).verify_and_get_timecode(
                digits, for_time=self._clock(), valid_window=EARLY_OR_LATE
            )
        except OTPVerificationError:
            return None

    def _one_by_one(self, person: Person) -> asyncio.Lock:
        """Codes that are sent all at once would all be tried before the first is counted as wrong."""
        return self._busy.setdefault(person.id, asyncio.Lock())

    async def _refuse_many(self, person: Person, remote: str) -> None:
        await self._doorkeeper.refuse_many(person.name, remote, _subjects(person, remote))

    async def _wrong(self, person: Person, remote: str) -> LoginFailed:
        now = self._clock()
        await self._counter.failed(_subjects(person, remote), now=now, forget_before=now - WINDOW_S)
        return self._doorkeeper.refused(person.name, remote, Refusal.CODE)


def same(secret: str, shown: str) -> bool:
    """Whether two secrets are one; how long that takes tells nothing of either. Of none, never."""
    return bool(secret) and hmac.compare_digest(secret.encode(), shown.encode("utf-8", "replace"))


def _subjects(person: Person, remote: str) -> tuple[str, str]:
    return f"code:{person.name}", f"from:{remote}"


def _new_codes() -> tuple[str, ...]:
    return tuple(
        _in_groups("".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH)))
        for _ in range(RECOVERY_CODES)
    )


def _in_groups(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _plain(code: str) -> str:
    """The form in which recovery codes are compared: as people type them, without dashes and blanks."""
    return "".join(c for c in code.lower()[:100] if c in _LETTERS)
