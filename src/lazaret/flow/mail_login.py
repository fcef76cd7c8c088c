"""Coming in by a link in a mail: whoever reads the mail of an address may see what was kept from it.

Nobody is told whether an address is known. The link is good once and for a quarter of an hour, and looking at
it uses nothing up. It leads into the account that has the address for a name, when that is a user's: into an
admin's a mailbox is not enough, and the alias of somebody may be read by others as well.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Protocol
from urllib.parse import quote

from lazaret.flow import needs
from lazaret.flow.digest_letter import Stationery, head
from lazaret.flow.login import WINDOW_S, Doorkeeper, Entered, LoginFailed, Refusal, digest
from lazaret.model.address import is_valid, normalise
from lazaret.model.delivery import Outgoing
from lazaret.model.envelope import Recipient
from lazaret.model.language import Language
from lazaret.model.person import Person, Role

log = logging.getLogger("lazaret.login")

LINK_S = 15 * 60
MAILS_PER_ADDRESS = 3
MAILS_PER_PLACE = 20
"""Mails that are asked for within a quarter of an hour."""


class Links(Protocol):
    """The links that were sent, as the store keeps them."""

    async def make(self, digest: bytes, address: str, *, expires: float, now: float) -> None: ...

    async def address(self, digest: bytes, *, now: float) -> str | None: ...

    async def use(self, digest: bytes, *, now: float) -> str | None: ...


class Register(Protocol):
    """The people, and what was tried lately."""

    async def named(self, name: str) -> Person | None: ...

    async def add(self, person: Person, *, who: str) -> Person: ...

    async def failures(self, subjects: Sequence[str], *, since: float) -> list[tuple[int, float]]: ...

    async def failed(self, subjects: Iterable[str], *, now: float, forget_before: float) -> None: ...


class MailLogin:
    """Sends links, and lets in by them."""

    def __init__(
        self,
        *,
        links: Links,
        register: Register,
        doorkeeper: Doorkeeper,
        digests: needs.Digests,
        relay: needs.Relay,
        stationery: Stationery,
        is_local: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._links = links
        self._register = register
        self._doorkeeper = doorkeeper
        self._digests = digests
        self._relay = relay
        self._stationery = stationery
        self._is_local = is_local
        self._clock = clock
        self._sending: set[asyncio.Task[None]] = set()

    async def ask(self, address: str, say: Language, *, next_path: str, remote: str) -> None:
        """Sends a link to an address that may have one; for any other the same happens, but no mail.

        LoginFailed when this address, or whoever asks, has asked too often.
        """
        address = normalise(address.strip())[:255]
        await self._count(address, remote)
        if not await self._may_come_in(address):
            log.info('no link to sign in is sent: from=%s user="%s"', remote, _plain(address))
            return
        task = asyncio.create_task(self._send(address, say, next_path))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def address(self, token: str) -> str | None:
        """To whom a link was sent, when it holds."""
        return await self._links.address(digest(token), now=self._clock())

    async def come_in(self, token: str, *, remote: str) -> Entered | None:
        """Uses a link up, and comes in; None when it does not hold."""
        address = await self._links.use(digest(token), now=self._clock())
        if address is None or not await self._may_come_in(address):
            return None
        person = await self._register.named(address)
        if person is None:
            new = Person(0, address, Role.USER, addresses=(address,))
            person = await self._register.add(new, who="web:mail-login")
        return await self._doorkeeper.enter(person, remote=remote)

    async def close(self) -> None:
        """Ends what is being sent."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _count(self, address: str, remote: str) -> None:
        subjects = (f"link:{address}", f"link-from:{remote}")
        now = self._clock()
        (by_address, last), (by_place, last_place) = await self._register.failures(
            subjects, since=now - WINDOW_S
        )
        if by_address >= MAILS_PER_ADDRESS or by_place >= MAILS_PER_PLACE:
            raise LoginFailed(Refusal.LOCKED, max(1.0, max(last, last_place) + WINDOW_S - now))
        await self._register.failed(subjects, now=now, forget_before=now - WINDOW_S)

    async def _may_come_in(self, address: str) -> bool:
        if not is_valid(address) or not self._is_local(address):
            return False
        person = await self._register.named(address)
        if person is None:
            return address in await self._digests.known((address,))
        own = person.role is Role.USER and address in map(normalise, person.addresses)
        return own and not person.disabled

    async def _send(self, address: str, say: Language, next_path: str) -> None:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        try:
            await self._links.make(digest(token), address, expires=now + LINK_S, now=now)
            octets = self._letter(address, token, say, next_path, now)
            (answer,) = await self._relay.send(
                Outgoing(
                    self._stationery.sender,
                    (Recipient(address),),
                    octets,
                    body="7BIT" if octets.isascii() else "8BITMIME",
                    smtputf8=not address.isascii(),
                )
            )
        except Exception:
            log.exception("(!)link to sign in for <%s> not sent", address)
            return
        level = logging.INFO if answer.reply.positive else logging.ERROR
        log.log(level, "link to sign in for <%s>: %s", address, answer.reply)

    def _letter(self, address: str, token: str, say: Language, next_path: str, now: float) -> bytes:
        link = f"{self._stationery.links.url}/login/mail?link={token}"
        if next_path not in ("", "/"):
            link += f"&next={quote(next_path, safe='')}"
        lines = (
            say(
                "Somebody, you we hope, wants to see what the mail filter keeps for {address}.",
                address=address,
            ),
            say("This link lets in once, within a quarter of an hour:"),
            "",
            link,
            "",
            say("If it was not you, do nothing: without the link nobody comes in."),
        )
        message = EmailMessage(policy=SMTP)
        message.set_content("\n".join(lines) + "\n", cte="quoted-printable")
        message_id = f"<login.{secrets.token_urlsafe(18)}@{self._stationery.site.hostname}>"
        subject = say("Your link to sign in")
        return head(message_id, address, subject, self._stationery, now) + message.as_bytes()


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() and c not in ' "' else "?" for c in text)
