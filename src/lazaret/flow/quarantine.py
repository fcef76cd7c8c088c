"""What people do with stored messages: find, show, release, delete.

A release is a transaction in three steps: claim, send, record. Two at once claim the same copy and
one of them wins; a crash between sending and recording leaves the claim, and a person decides.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from lazaret.flow import needs
from lazaret.flow.fields import SPAM_FIELDS, Site, received, resent_fields
from lazaret.mime import headers
from lazaret.mime.edit import edited
from lazaret.model import address as addresses
from lazaret.model import mail_id as ids
from lazaret.model.delivery import Answer, Outgoing
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.errors import Reply, UserError
from lazaret.model.lesson import Taught
from lazaret.model.person import ALL, Sight
from lazaret.model.quarantine import Detail, Item, Lines, ReleaseRecord, State, StoredText

log = logging.getLogger("lazaret.quarantine")

_OURSELVES = Session(peer_helo="localhost", peer_ip="127.0.0.1")


@dataclass(frozen=True, slots=True)
class Released:
    """What became of one recipient's release."""

    mail_id: str
    recipient: str
    reply: Reply
    state: State
    sent: bool = True
    """False: nothing was sent now; `reply` says why not."""
    at: float = 0.0
    """When it was released, for one that was sent before."""
    response: str = ""
    """What was answered then."""


class QuarantineDesk:
    """Serves people: every act is written to the audit table under the name of who did it."""

    def __init__(
        self,
        *,
        quarantine: needs.Quarantine,
        relay: needs.Relay,
        site: Site,
        is_local: Callable[[str], bool],
        teaching: Callable[[], Awaitable[needs.Teacher]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._quarantine = quarantine
        self._relay = relay
        self._site = site
        self._is_local = is_local
        self._teaching = teaching
        self._clock = clock

    def find(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int = 0,
        after: str = "",
        sight: Sight = ALL,
        told: Callable[[float], None] = lambda since: None,
    ) -> AsyncIterator[Item]:
        """Messages newest first; UserError points at what is wrong in the query.

        `told` is told of the moment since when was searched, where that is not all there is.
        """
        now = self._clock()
        return self._quarantine.find(
            query, everything=everything, limit=limit, after=after, now=now, sight=sight, told=told
        )

    async def lines(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int,
        after: str = "",
        sight: Sight = ALL,
        grouped: bool = True,
        counted: int = 0,
    ) -> Lines:
        """A page of them; `grouped`: those that are alike are one line; `counted`: to so many at most."""
        return await self._quarantine.lines(
            query,
            everything=everything,
            limit=limit,
            after=after,
            now=self._clock(),
            sight=sight,
            grouped=grouped,
            counted=counted,
        )

    async def news(
        self,
        query: str,
        *,
        since: int,
        grouped: bool,
        everything: bool = False,
        limit: int,
        sight: Sight = ALL,
    ) -> Lines:
        """The newest lines, as far as something of them came in at `since` or later."""
        return await self._quarantine.news(
            query, since=since, grouped=grouped, everything=everything, limit=limit, sight=sight
        )

    async def count(self, query: str, *, everything: bool = False, sight: Sight = ALL, most: int = 0) -> int:
        """How many `find` would give; counting ends at `most`, unless that is 0."""
        return await self._quarantine.count(
            query, everything=everything, now=self._clock(), sight=sight, most=most
        )

    async def show(self, mail_id: str) -> Detail:
        """All that is known of a message. NoSuchMessage."""
        return await self._quarantine.detail(mail_id)

    async def text(self, mail_id: str, *, who: str) -> StoredText:
        """The stored octets; who reads them is written down. NoSuchMessage."""
        text = await self._quarantine.text(mail_id)
        await self._quarantine.audit(who, "read", mail_id)
        return text

    async def delete(self, mail_id: str, *, who: str, recipients: Sequence[str] | None = None) -> None:
        """Marks copies deleted, all or those of `recipients`; they stay until retention removes them."""
        await self._quarantine.set_deleted(mail_id, True, who=who, recipients=recipients)

    async def request(self, mail_id: str, *, who: str, recipients: Sequence[str]) -> None:
        """Marks copies whose release is asked of an admin. NoSuchMessage."""
        await self._quarantine.set_pending(mail_id, who=who, recipients=recipients)

    async def deny(self, mail_id: str, *, who: str, recipients: Sequence[str]) -> None:
        """Answers such a wish with no. NoSuchMessage."""
        await self._quarantine.set_denied(mail_id, who=who, recipients=recipients)

    async def undelete(self, mail_id: str, *, who: str, recipients: Sequence[str] | None = None) -> None:
        """Takes the mark back. NoSuchMessage."""
        await self._quarantine.set_deleted(mail_id, False, who=who, recipients=recipients)

    async def release(
        self,
        mail_id: str,
        *,
        who: str,
        to: Sequence[str] = (),
        again: bool = False,
        outside: bool = False,
        requested_by: str = "",
        learn_ham: bool = False,
    ) -> tuple[Released, ...]:
        """Sends the message to those whose copy was kept from them, or to the addresses in `to`.

        One result per recipient. What was released before is not sent again without `again`, nor is
        what a crash left uncertain. `learn_ham`: once somebody has it, it is taught to be ham, in the name
        of `who`. NoSuchMessage; UserError for an address that is none, or that is not ours without
        `outside`.
        """
        detail = await self._quarantine.detail(mail_id)
        text = await self._quarantine.text(mail_id)
        recipients = self._recipients(detail, to, outside=outside)
        message = edited(text.message, headers.parse(text.message), without=SPAM_FIELDS)
        claims = await self._quarantine.claim(
            mail_id,
            recipients,
            who=who,
            resent_message_id=f"<{mail_id}.{secrets.token_urlsafe(18)}@{self._site.hostname}>",
            digest=hashlib.sha256(message).digest(),
            again=again,
        )
        results = {c.recipient: _not_sent(c) for c in claims if c.state != "claimed"}
        for resent_message_id in dict.fromkeys(c.resent_message_id for c in claims if c.state == "claimed"):
            group = [c for c in claims if c.state == "claimed" and c.resent_message_id == resent_message_id]
            results |= await self._send(detail.item, message, group, requested_by)
        if learn_ham and any(result.state is State.RELEASED for result in results.values()):
            await self.learn(mail_id, spam=False, who=who)
        return tuple(results[r] for r in recipients)

    async def learn(self, mail_id: str, *, spam: bool, who: str) -> Taught:
        """Teaches the learner what a message of the quarantine is. NoSuchMessage."""
        if self._teaching is None:
            raise UserError("there is nothing here that learns")
        teaching = await self._teaching()
        return await teaching.teach_stored(mail_id, spam=spam, who=who)

    def _recipients(self, detail: Detail, to: Sequence[str], *, outside: bool) -> list[str]:
        if to:
            meant = {copy.address for copy in detail.item.copies}
            for address in to:
                # Whom it was meant for the MTA has accepted, in whatever form.
                if address not in meant:
                    self._check_address(address, outside=outside)
            return _each_once(to)
        blocked = _each_once(c.address for c in detail.item.copies if c.state.kept)
        if not blocked:
            raise UserError(
                f"{detail.item.mail_id}: nobody's copy is in the quarantine; name a recipient with --to", 65
            )
        return blocked

    def _check_address(self, address: str, *, outside: bool) -> None:
        if not addresses.is_valid(address):
            raise UserError(f"{address!r} is not a mail address", 65)
        if not outside and not self._is_local(address):
            raise UserError(f"{address} is not in local.domains; add --outside if you mean it", 77)

    async def _send(
        self, item: Item, message: bytes, claims: Sequence[ReleaseRecord], requested_by: str
    ) -> dict[str, Released]:
        outgoing = self._outgoing(item, message, claims, requested_by)
        answers = await self._relay.send(outgoing)
        await self._quarantine.settle(claims, answers)
        for answer in answers:
            log.info(
                "(%s) release <%s> -> <%s> %s", item.mail_id, item.sender, answer.recipient, answer.reply
            )
        return {a.recipient: _sent(item.mail_id, a) for a in answers}

    def _outgoing(
        self, item: Item, message: bytes, claims: Sequence[ReleaseRecord], requested_by: str
    ) -> Outgoing:
        """Our fields end with Resent-Message-ID: below it begins the message as it came in."""
        now = self._clock()
        recipients = tuple(c.recipient for c in claims)
        resent = resent_fields(
            requested_by=requested_by,
            recipients=recipients,
            message_id=claims[0].resent_message_id,
            site=self._site,
            at=now,
        )
        envelope = Envelope(item.sender, tuple(Recipient(r) for r in recipients))
        new_id, _ = ids.generate()
        trace = received(_OURSELVES, envelope, new_id, self._site, now)
        return Outgoing(
            item.sender,
            envelope.recipients,
            trace + resent + message,
            body="7BIT" if message.isascii() else "8BITMIME",
            smtputf8=not (item.sender + "".join(recipients)).isascii(),
        )


def _each_once(written: Iterable[str]) -> list[str]:
    """Addresses as first written; a mailbox named in two ways gets one copy."""
    found: dict[str, str] = {}
    for address in written:
        found.setdefault(addresses.normalise(address), address)
    return list(found.values())


def _sent(mail_id: str, answer: Answer) -> Released:
    state = State.RELEASED if answer.reply.positive else State.QUARANTINED
    return Released(mail_id, answer.recipient, answer.reply, state)


_WHY_NOT = {
    "released": (State.RELEASED, "already released; --again sends it once more"),
    "uncertain": (
        State.UNCERTAIN,
        "an earlier release was cut off and may have been sent; --again sends it once more",
    ),
    "busy": (State.UNCERTAIN, "is being released this moment by another process"),
}


def _not_sent(record: ReleaseRecord) -> Released:
    state, words = _WHY_NOT[record.state]
    said = f" ({record.response})" if record.response else ""
    reply = Reply(450 if record.state == "busy" else 250, "", f"{words}{said}")
    return Released(
        record.mail_id,
        record.recipient,
        reply,
        state,
        sent=False,
        at=record.time,
        response=record.response,
    )
