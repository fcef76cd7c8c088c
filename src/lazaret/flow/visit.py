"""The one way by which pages and API reach messages: as a person, who sees and does what is his.

What he may not see is not there (NoSuchMessage), so that no id tells whether it exists.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from lazaret.flow.learn import USER
from lazaret.flow.lists import ListDesk
from lazaret.flow.quarantine import QuarantineDesk, Released
from lazaret.flow.rights import Matrix, Right
from lazaret.model.errors import LazaretError, NoSuchMessage, UserError
from lazaret.model.lesson import Taught
from lazaret.model.person import Person, Role
from lazaret.model.quarantine import Detail, Item, Lines, State, StoredText

EX_DATAERR = 65


class NotAllowed(LazaretError):
    """This person may see the message, but not do that with it."""

    def __init__(self, right: Right) -> None:
        super().__init__(f"you may not {right} here")
        self.right = right


class Visitor:
    """One person at the desk."""

    def __init__(
        self,
        desk: QuarantineDesk,
        person: Person,
        matrix: Matrix,
        *,
        lists: ListDesk | None = None,
        limit_to: frozenset[Right] | None = None,
        via: str = "web",
    ) -> None:
        """`matrix`: what his role grants; `limit_to`: what the scopes of a token, or a link, leave of that;
        `via`: the way by which he came, for the record of his acts."""
        self._desk = desk
        self._who = f"{via}:{person.name}"
        self._lists = lists
        self._matrix = matrix
        self._limit = frozenset(Right) if limit_to is None else limit_to
        self.person = person
        self.note = ""
        """What could not be done beside the last act, and why."""
        self._sight = person.sight
        if not self.may(Right.PREVIEW):
            self._sight = replace(self._sight, bodies=False)

    def may(self, right: Right, item: Item | None = None) -> bool:
        """Whether he may do that; with this message, when one is named."""
        role = self.person.role
        granted = self._matrix.rights(role, item.category) if item else self._matrix.somewhere(role)
        return right in granted & self._limit

    def require(self, right: Right, item: Item | None = None) -> None:
        """NotAllowed when he may not."""
        if not self.may(right, item):
            raise NotAllowed(right)

    async def find(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int,
        after: str = "",
        told: Callable[[float], None] = lambda since: None,
    ) -> list[Item]:
        """Messages newest first, each with only those copies that he may see."""
        self.require(Right.FIND)
        items: AsyncIterator[Item] = self._desk.find(
            query, everything=everything, limit=limit, after=after, sight=self._sight, told=told
        )
        return [self._cut(item) async for item in items]

    async def lines(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int,
        after: str = "",
        grouped: bool = True,
        counted: int = 0,
    ) -> Lines:
        """The same, page by page; `grouped`: those that are alike are one line. Only his own copies count.

        `counted`: all messages are counted too, to so many at most.
        """
        self.require(Right.FIND)
        found = await self._desk.lines(
            query,
            everything=everything,
            limit=limit,
            after=after,
            sight=self._sight,
            grouped=grouped,
            counted=counted,
        )
        return self._cut_lines(found)

    async def news(
        self, query: str, *, since: int, grouped: bool, everything: bool = False, limit: int
    ) -> Lines:
        """The newest lines, as far as something of them came in at `since` or later."""
        self.require(Right.FIND)
        found = await self._desk.news(
            query, since=since, grouped=grouped, everything=everything, limit=limit, sight=self._sight
        )
        return self._cut_lines(found)

    async def count(self, query: str, *, everything: bool = False, most: int = 0) -> int:
        """How many; counting ends at `most`, unless that is 0."""
        self.require(Right.FIND)
        return await self._desk.count(query, everything=everything, sight=self._sight, most=most)

    async def show(self, mail_id: str) -> Detail:
        """All that he may know of a message. NoSuchMessage."""
        self.require(Right.FIND)
        detail = await self._desk.show(mail_id)
        item = self._cut(detail.item)
        if not item.copies and not self._sight.everything:
            raise NoSuchMessage(mail_id)
        if not self.may(Right.PREVIEW):
            # What a rule found is a piece of the text.
            detail = replace(detail, hits=tuple(replace(hit, detail="") for hit in detail.hits))
        if self._sight.everything:
            return detail
        covers = self._sight.covers
        return replace(
            detail,
            item=item,
            reasons={address: reason for address, reason in detail.reasons.items() if covers(address)},
            releases=tuple(r for r in detail.releases if covers(r.recipient)),
        )

    async def text(self, detail: Detail, right: Right = Right.PREVIEW) -> StoredText:
        """The stored octets, for a message that `show` gave him; that he reads it is written down."""
        mail_id = detail.item.mail_id
        detail = await self.show(mail_id)
        self.require(right, detail.item)
        return await self._desk.text(mail_id, who=self._who)

    async def release(
        self,
        mail_id: str,
        *,
        to: Sequence[str] = (),
        again: bool = False,
        learn: bool = False,
        allow_sender: bool = False,
    ) -> tuple[Released, ...]:
        """Sends the copies that he may see to whom they were meant for, or the message to `to`.

        Once somebody has it, it is also taught to be wanted (`learn`), and its sender allowed for those
        who have it (`allow_sender`); why that could not be is in `note`.
        """
        detail = await self.show(mail_id)
        self.require(Right.RELEASE, detail.item)
        for wish, right in ((learn, Right.LEARN), (allow_sender, Right.ALLOW)):
            if wish:
                self.require(right, detail.item)
        results = await self._release(detail, to, again=again)
        have = [result.recipient for result in results if result.state is State.RELEASED]
        if learn and have:
            await self._desk.learn(mail_id, spam=False, who=self._teacher())
        if allow_sender and have and self._lists is not None:
            try:
                await self._lists.allow_released(detail.item, have, who=self._who)
            except UserError as error:
                self.note = str(error)
        return results

    async def learn(self, mail_id: str, *, spam: bool) -> Taught:
        """Teaches the learner what it is. A user overturns no operator, and has a limit for the day."""
        detail = await self.show(mail_id)
        self.require(Right.LEARN, detail.item)
        return await self._desk.learn(mail_id, spam=spam, who=self._teacher())

    def _teacher(self) -> str:
        if self.person.role is Role.USER and self.person.addresses:
            return USER + self.person.addresses[0]
        return self._who

    async def _release(self, detail: Detail, to: Sequence[str], *, again: bool) -> tuple[Released, ...]:
        mail_id = detail.item.mail_id
        if to:
            return await self._redirect(detail, to, again=again)
        kept = [copy.address for copy in detail.item.copies if copy.state.kept]
        if not kept:
            raise UserError(f"{mail_id}: there is no copy in the quarantine to release", EX_DATAERR)
        return await self._desk.release(
            mail_id, who=self._who, to=kept, again=again, outside=True, requested_by=self.person.name
        )

    async def request(self, mail_id: str) -> None:
        """Asks an admin to release the copies that he may see."""
        detail = await self.show(mail_id)
        self.require(Right.REQUEST, detail.item)
        own = [copy.address for copy in detail.item.copies if copy.state.releasable]
        if not own:
            raise UserError(f"{mail_id}: there is no copy in the quarantine to ask for", EX_DATAERR)
        await self._desk.request(mail_id, who=self._who, recipients=own)

    async def deny(self, mail_id: str) -> None:
        """Says no to whoever asked for a release; the copies stay in the quarantine."""
        detail = await self.show(mail_id)
        self.require(Right.DECIDE, detail.item)
        asked = [copy.address for copy in detail.item.copies if copy.state is State.PENDING]
        if not asked:
            raise UserError(f"{mail_id}: nobody asks for it any more", EX_DATAERR)
        await self._desk.deny(mail_id, who=self._who, recipients=asked)

    async def grant(self, mail_id: str) -> tuple[Released, ...]:
        """Sends the copies that were asked for, and no others."""
        detail = await self.show(mail_id)
        self.require(Right.DECIDE, detail.item)
        asked = [copy.address for copy in detail.item.copies if copy.state is State.PENDING]
        if not asked:
            raise UserError(f"{mail_id}: nobody asks for it any more", EX_DATAERR)
        return await self._desk.release(
            mail_id, who=self._who, to=asked, outside=True, requested_by=self.person.name
        )

    async def delete(self, mail_id: str) -> None:
        """Marks the copies that he may see deleted."""
        await self._mark(mail_id, deleted=True)

    async def undelete(self, mail_id: str) -> None:
        """Takes that mark back."""
        await self._mark(mail_id, deleted=False)

    async def _mark(self, mail_id: str, *, deleted: bool) -> None:
        detail = await self.show(mail_id)
        self.require(Right.DELETE, detail.item)
        own = None if self._sight.everything else [copy.address for copy in detail.item.copies]
        act = self._desk.delete if deleted else self._desk.undelete
        await act(mail_id, who=self._who, recipients=own)

    async def _redirect(self, detail: Detail, to: Sequence[str], *, again: bool) -> tuple[Released, ...]:
        """To other addresses: those of his own sight for anybody but an admin."""
        self.require(Right.REDIRECT, detail.item)
        for address in to:
            if not self._sight.covers(address):
                raise UserError(f"{address} is not one of yours to send to", EX_DATAERR)
        return await self._desk.release(
            detail.item.mail_id, who=self._who, to=to, again=again, requested_by=self.person.name
        )

    def _cut_lines(self, found: Lines) -> Lines:
        return replace(found, lines=tuple(replace(one, item=self._cut(one.item)) for one in found.lines))

    def _cut(self, item: Item) -> Item:
        if self._sight.everything:
            return item
        return replace(item, copies=tuple(c for c in item.copies if self._sight.covers(c.address)))
