"""What the flows need from the rooms below them, said as Protocols, so that no flow knows SQL or a socket."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from lazaret.model import simulation
from lazaret.model.delivery import Answer, Extensions, Outgoing
from lazaret.model.digest import Attempt, Letter, Untold, Waiting, Wish
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.errors import Reply
from lazaret.model.keeping import Due, Keeping
from lazaret.model.lesson import Figures, JournalRow, Lesson, Limit, Pending, Taught
from lazaret.model.person import ALL, Sight
from lazaret.model.policies import (
    ListEntry,
    NamedPolicy,
    NewEntry,
    PoliciesFound,
    PoliciesState,
    PolicyChange,
    PolicyRow,
)
from lazaret.model.quarantine import Detail, Item, Lines, ReleaseRecord, StoredText


class Relay(Protocol):
    """The way to a next hop."""

    async def send(self, outgoing: Outgoing) -> tuple[Answer, ...]:
        """One answer per recipient, in their order. Network trouble is a 4xx answer, never an exception."""

    async def extensions(self) -> Extensions:
        """What the next hops offer, probed and cached."""


class Journal(Protocol):
    """Where the filter writes what it did. StoreUnavailable when it cannot."""

    async def keep(self, entry: Entry) -> None:
        """Writes the entry with its text, durably: on return it survives a power cut."""

    def note(self, entry: Entry) -> None:
        """Takes a history row to be written within a second; a crash may lose it."""

    async def answered(
        self, mail_id: str, recipients: Sequence[EntryRecipient], *, dsn_sent: str, durable: bool
    ) -> None:
        """Completes a kept entry with what became of each recipient's copy.

        `durable`: more copies are quarantined now than when it was kept; on return that survives a power cut.
        """

    async def done_before(self, queue_id: str, sender: str, digest: bytes) -> Mapping[str, str]:
        """Recipients that were served in an earlier, half-failed attempt -> the response they had."""

    async def remember_done(
        self, queue_id: str, sender: str, digest: bytes, responses: Mapping[str, str]
    ) -> None:
        """Notes durably, for 7 days, who already has the message."""

    async def released_copy(self, resent_message_id: str, digest: bytes, recipients: Sequence[str]) -> bool:
        """Whether these are copies that we released ourselves, passing through again.

        `digest` is the SHA-256 of the message below our Resent fields, or for a digest mail, which
        goes by its Message-ID, below that. True once per recipient.
        """

    async def expect_again(self, resent_message_id: str, recipients: Sequence[str]) -> None:
        """Lets `released_copy` be true for these recipients once more: their copies were deferred."""

    async def has_room(self) -> bool:
        """Whether `store.min_free` octets are free where the database lies."""


class Texts(Protocol):
    """Where the texts of another filter are taken over."""

    async def texts_known(self, mail_ids: Sequence[str]) -> Mapping[str, bool]:
        """Those of the ids that the history knows -> whether their text lies in the quarantine."""

    async def add_text(self, mail_id: str, octets: bytes) -> None:
        """Gives a message of the history its text, as on the wire, with the prefix of who stored it."""


class Lessons(Protocol):
    """The journal of what was taught. StoreUnavailable when it cannot be reached."""

    async def secret(self) -> bytes:
        """The site's secret for features."""

    async def teach(self, lessons: Sequence[Lesson], limit: Limit | None = None) -> list[Taught]:
        """What became of each, durably. `limit` holds for each teacher."""

    async def forget(self, *, who: str, since: float) -> int:
        """Takes back what this teacher has taught since then; how many lessons."""

    async def forget_messages(self, digests: Sequence[bytes]) -> int:
        """Takes back all that was taught of these messages; how many lessons held."""

    async def pending(self, after: int) -> Pending:
        """How far the journal goes beyond row `after`; `last` is below it when the journal is another one."""

    async def after(self, number: int, most: int) -> list[JournalRow]:
        """The rows that follow, as far as no row between them may still be on its way."""

    async def in_force(self, upto: int, after: bytes, most: int) -> tuple[list[JournalRow], bytes]:
        """A page of the lessons that hold as of row `upto`, by chance in order, and where the next begins."""

    async def expire(self, before: float, most: int) -> int:
        """Removes the oldest rows, `most` of them at once: those of before then, as far as enough is left."""

    async def figures(self) -> Figures:
        """What holds now."""

    async def was_scanned_for(self, user: str, mail_id: str, message_id: str) -> bool:
        """Whether this site has examined the message for this recipient."""


class Teacher(Protocol):
    """What tells the learner about messages of the quarantine."""

    async def teach_stored(self, mail_id: str, *, spam: bool, who: str) -> Taught:
        """What became of the lesson. NoSuchMessage."""


class Quarantine(Protocol):
    """The stored messages, for people."""

    def find(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int = 0,
        after: str = "",
        now: float = 0.0,
        sight: Sight = ALL,
        told: Callable[[float], None] = lambda since: None,
    ) -> AsyncIterator[Item]:
        """Items newest first; `everything` = the whole history; `after` = the cursor of an item.

        With a `sight` only messages with a copy that it covers. The items still have all copies, but
        no other recipient has a say in whether a message is found. `told` is told of the moment since when
        was searched, where that is not all there is.
        """

    async def lines(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int,
        after: str = "",
        now: float = 0.0,
        sight: Sight = ALL,
        grouped: bool = True,
        counted: int = 0,
    ) -> Lines:
        """The same, messages that are alike as one line; `after` = the cursor that came with a page.

        `counted`: they are counted too, to so many at most; 0: only where it comes out by the way.
        """

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
        """The newest lines, as far as their newest message came in at `since` or later; not `grouped`:
        each message by itself. Cheap where little has come since then."""

    async def count(
        self, query: str, *, everything: bool = False, now: float = 0.0, sight: Sight = ALL, most: int = 0
    ) -> int:
        """How many `find` would give; counting ends at `most`, unless that is 0."""

    async def detail(self, mail_id: str) -> Detail:
        """NoSuchMessage when there is none."""

    async def text(self, mail_id: str) -> StoredText:
        """NoSuchMessage when there is none, or when only its history row is left."""

    async def secret(self, mail_id: str) -> str:
        """The `secret_id` as stored."""

    async def claim(
        self,
        mail_id: str,
        recipients: Sequence[str],
        *,
        who: str,
        resent_message_id: str,
        digest: bytes,
        again: bool,
    ) -> tuple[ReleaseRecord, ...]:
        """Claims the release for each recipient, durably, in one transaction: two at once, one wins.

        One record per recipient, in order. `state`: "claimed" = ours to send now; anything else is
        why not: "released" (with the earlier response), "uncertain" (a claim that a crash left open),
        "busy" (another process is sending it this moment). `again` claims over released and
        uncertain; the record of an uncertain one carries its first Resent-Message-ID. `digest` is
        the SHA-256 of what will be sent below our Resent fields, for `Journal.released_copy`.
        """

    async def settle(self, claims: Sequence[ReleaseRecord], answers: Sequence[Answer]) -> None:
        """Records what the next hop said: 2xx released; 4xx releasable again; 5xx refused."""

    async def set_deleted(
        self, mail_id: str, deleted: bool, *, who: str, recipients: Sequence[str] | None = None
    ) -> None:
        """Marks copies deleted, or takes the mark back; the text stays until retention removes it.

        `recipients`: only their copies; None: all.
        """

    async def set_pending(self, mail_id: str, *, who: str, recipients: Sequence[str]) -> None:
        """Marks copies that are in the quarantine: their release was asked of an admin."""

    async def set_denied(self, mail_id: str, *, who: str, recipients: Sequence[str]) -> None:
        """Takes that mark off again: an admin has seen the copies and does not release them."""

    async def audit(self, who: str, act: str, mail_id: str, detail: str = "") -> None:
        """Writes who did what into the audit table."""


class Digests(Protocol):
    """Who was told of what in which digest, and how everybody wants to be told. Addresses are normalised."""

    async def waiting(self, *, since: float) -> list[Waiting]:
        """What nobody was told of and came in since then, by recipient."""

    async def untold(self, address: str, *, since: float, limit: int) -> list[Untold]:
        """The same copy by copy, for one recipient: the lowest score first."""

    async def items(self, copies: Sequence[Untold]) -> list[Item]:
        """Their messages, in the same order; those are missing that were removed meanwhile."""

    async def known(self, addresses: Iterable[str]) -> set[str]:
        """Those of the addresses that have a reader, as far as we can know."""

    async def wishes(self) -> dict[str, Wish]:
        """Address -> how its reader wants to be told; those who never said are missing."""

    async def wish(self, address: str) -> Wish | None:
        """The wish of one."""

    async def set_wish(self, address: str, wish: Wish | None, *, who: str) -> None:
        """Takes a wish; None: what holds for everybody holds again."""

    async def attempts(self, *, since: float) -> list[Attempt]:
        """What was sent for moments since then, the oldest first."""

    async def claim(self, letter: Letter, *, due: float, digest: bytes, now: float) -> bool:
        """Whether it is ours to send: not so when it was sent, was refused, or is being sent.

        `digest`: SHA-256 of the letter below its Message-ID.
        """

    async def settle(self, message_id: str, reply: Reply) -> None:
        """Records what the next hop said."""


class Retention(Protocol):
    """What keeps the database from growing for ever."""

    def purge(self, keeping: Keeping, *, now: float, batch: int, orphans: bool = True) -> AsyncIterator[int]:
        """Removes what is due in small batches, and gives the number of each.

        `orphans`: also looks for rows that nothing points to any more, which takes longer.
        """

    async def due(self, keeping: Keeping, *, now: float) -> Due:
        """What that would remove; nothing is changed."""

    async def reclaim(self) -> None:
        """Gives free space back to the file system, a little at a time."""


class Alive(Protocol):
    """A part that can be asked whether it answers."""

    async def ping(self) -> None:
        """StoreUnavailable when it does not."""


class Policies(Protocol):
    """What people have written about their mail, for the filter. StoreUnavailable when it cannot be read."""

    async def state(self) -> PoliciesState:
        """Whether there is anything, and a number that Lazaret's own changes raise: one small look."""

    async def rows(self, keys: Sequence[str], sender_keys: Sequence[str]) -> PoliciesFound:
        """What is written for these keys of recipients, and what their lists say of these keys of senders.

        One query, by indexes: its cost does not grow with the number of policies or entries.
        """

    async def entries(self, users: Sequence[int], sender_keys: Sequence[str]) -> tuple[ListEntry, ...]:
        """What the lists of these `users.id` say of these keys of senders; the same holds of its cost."""


class PolicyTables(Protocol):
    """Policies, for people. What is changed is committed, and counts in every process within a second."""

    async def page(
        self, *, limit: int, after: str = "", within: Sequence[str] | None = None
    ) -> list[PolicyRow]:
        """Rows in the order of their keys, those after the key `after`; `within`: of these domains alone."""

    async def changes(self, about: Sequence[str], *, limit: int) -> list[PolicyChange]:
        """What was set and taken back last for these, each in the words of the record of acts."""

    async def find(self, keys: Sequence[str]) -> list[PolicyRow]:
        """Rows with these keys, in no order, with the columns too that mean nothing to Lazaret."""

    async def named(self) -> list[NamedPolicy]:
        """The policies by themselves, with the number of those who have them."""

    async def subject_tags(self) -> list[str]:
        """What policies write before subjects, each once."""

    async def change(
        self, key: str, values: Mapping[str, object], *, local: bool | None, policy: str = ""
    ) -> PolicyRow:
        """Sets columns for this key alone: a policy that it shares with others is copied before.

        `policy`: gives it the policy of this name first. UserError (66) when there is none.
        """

    async def change_named(self, name: str, values: Mapping[str, object]) -> None:
        """Sets columns for all who have the policy of this name; it is made when it is missing."""

    async def reset(self, key: str, columns: Sequence[str], *, local: bool) -> bool:
        """Lets these columns say nothing any more; False when there is no such row."""

    async def remove(self, key: str) -> bool:
        """Takes the policy away from this key, not its lists of senders; False when it has none."""


class SenderLists(Protocol):
    """Lists of senders, for people. What is changed is committed, and counts within a second."""

    async def page(
        self,
        *,
        allow: bool | None,
        owner: str | None = None,
        containing: str = "",
        limit: int,
        after: tuple[int, int] = (0, 0),
    ) -> list[ListEntry]:
        """Entries after (`user`, `sender`) of the last one; `allow` None: of both kinds, and neutral ones."""

    async def add(self, entries: Sequence[NewEntry], *, who: str) -> list[ListEntry]:
        """Writes entries over what these lists say of these senders so far."""

    async def remove(self, pairs: Iterable[tuple[str, str]], *, allow: bool) -> list[ListEntry]:
        """Removes entries of one kind by (key of the owner, key of the sender); those that were there."""

    async def expire(self, now: float) -> int:
        """Removes what has expired; how many entries."""


class Past(Protocol):
    """The history, for a what-if. Times are seconds since 1970."""

    async def copies(
        self,
        *,
        since: float,
        recipient: str = "",
        domain: str = "",
        exempt: Sequence[str] = (),
        apart: bool = False,
        sight: Sight = ALL,
    ) -> list[simulation.Past]:
        """Copies counted by score, action, and what people said since; `exempt`: patterns of addresses.

        `apart`: those of each recipient by themselves.
        """

    async def border(
        self, level: float, *, since: float, recipient: str = "", domain: str = "", limit: int
    ) -> list[simulation.Border]:
        """The copies nearest to a level, so many on each side, the highest score first."""
