"""What people do with lists of senders: add, remove, read, and allow a sender when his mail is released."""

import ipaddress
import time
from collections.abc import Callable, Sequence

from lazaret.flow.needs import SenderLists
from lazaret.flow.policy_desk import EX_USAGE, Audit, key_of
from lazaret.mime import mailboxes
from lazaret.model.address import normalise
from lazaret.model.errors import UserError
from lazaret.model.language import ENGLISH, Language
from lazaret.model.policies import ListEntry, NewEntry
from lazaret.model.quarantine import Item
from lazaret.policy.keys import in_words
from lazaret.policy.lookup import Lookup
from lazaret.policy.senders import UNPROVEN_POINTS

RELEASED_DAYS = 180
"""How long a sender stays allowed whose message was released."""
MOST_AT_ONCE = 1000
LEAST_POINTS = 0.001
MOST_POINTS = 1000.0


class ListDesk:
    """Serves people: every change is written to the audit table under the name of who made it.

    Senders and owners are written as addresses, domains, `.domain` with all below it, or `everybody`.
    What is wrong with them is a UserError that says what to write instead. A change counts in every
    process within a second; an entry is in force until it expires, to the second.
    """

    def __init__(
        self,
        lists: SenderLists,
        lookup: Lookup,
        audit: Audit,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lists = lists
        self._lookup = lookup
        self._audit = audit
        self._clock = clock

    async def page(
        self,
        *,
        allow: bool | None = None,
        owner: str = "",
        containing: str = "",
        limit: int = 500,
        after: str = "",
    ) -> list[ListEntry]:
        """Entries, those after the cursor of the last one; `owner` "" for the lists of all."""
        return await self._lists.page(
            allow=allow,
            owner=key_of(owner) if owner else None,
            containing=containing,
            limit=limit,
            after=_position(after),
        )

    async def add(
        self,
        senders: Sequence[str],
        *,
        allow: bool,
        who: str,
        owners: Sequence[str] = ("everybody",),
        points: float | None = None,
        networks: Sequence[str] = (),
        expires: float = 0.0,
        note: str = "",
    ) -> list[ListEntry]:
        """Writes an entry for each sender into the list of each owner, over what is there.

        Without `points` the entry decides; with them it takes them off (allow), or adds them (block).
        `networks` (CIDR) say where an allowed sender's mail comes from; `expires`: seconds since 1970.
        """
        if networks and not allow:
            raise UserError("a network proves an allowed sender; a block needs none", EX_USAGE)
        wb = _wb(allow=allow, points=points)
        pinned = tuple(map(_network, networks))
        wanted = [
            NewEntry(key_of(owner), key_of(sender), wb, pinned, int(expires), note)
            for owner in owners
            for sender in senders
        ]
        if len(wanted) > MOST_AT_ONCE:
            raise UserError(f"{len(wanted)} entries at once are too many; {MOST_AT_ONCE} can be", EX_USAGE)
        return await self._write(wanted, allow=allow, who=who)

    async def remove(
        self, senders: Sequence[str], *, allow: bool, who: str, owner: str = "everybody"
    ) -> list[str]:
        """Removes these senders from a list; those that were not on it."""
        key = key_of(owner)
        wanted = {key_of(sender): sender for sender in senders}
        removed = await self._lists.remove([(key, one) for one in wanted], allow=allow)
        act = "allow remove" if allow else "block remove"
        for entry in removed:
            await self._audit(who, act, "", f"{in_words(entry.key)} for {in_words(entry.owner)}")
        gone = {entry.key for entry in removed}
        return [written for one, written in wanted.items() if one not in gone]

    async def allow_released(self, item: Item, recipients: Sequence[str], *, who: str) -> list[ListEntry]:
        """Allows the sender of a released message for those to whom it was released, for 180 days.

        The author in header From, whom a person knows, else the envelope sender. UserError when there is
        none to allow, or when he is one of our own: his mail needs no list, and his name is often forged.
        """
        sender = sender_of(item)
        if not sender:
            raise UserError(f"{item.mail_id}: it names no sender who could be allowed")
        if self._lookup.is_known_local(sender):
            raise UserError(f"{item.mail_id}: {sender} is in local.domains, and is not put on a list")
        expires = int(self._clock() + RELEASED_DAYS * 86_400)
        note = f"release of {item.mail_id}"
        wanted = [NewEntry(key_of(r), key_of(sender), "W", (), expires, note) for r in recipients]
        return await self._write(wanted, allow=True, who=who)

    async def expire(self) -> int:
        """Removes entries whose time is over; how many."""
        return await self._lists.expire(self._clock())

    async def _write(self, wanted: Sequence[NewEntry], *, allow: bool, who: str) -> list[ListEntry]:
        written = await self._lists.add(wanted, who=who)
        act = "allow add" if allow else "block add"
        for entry in written:
            await self._audit(who, act, "", f"{in_words(entry.key)} for {in_words(entry.owner)}: {entry.wb}")
        return written


def cursor(entry: ListEntry) -> str:
    """Where the next page begins: opaque to people and programs."""
    return f"{entry.user}-{entry.sender}"


def allows(entry: ListEntry) -> bool:
    """Whether it is for the sender rather than against him."""
    return not entry.blocks if entry.points is None else entry.points < 0


def effect(entry: ListEntry, say: Language = ENGLISH) -> str:
    """What an entry does, in a sentence: honest about what it does not."""
    if not entry.word:
        return say("neither allowed nor blocked: the lists of others are not asked")
    if entry.points is not None:
        return _points(entry, entry.points, say)
    if entry.blocks:
        return say("mail is treated as if its score had reached every level")
    sentence = say("not judged by the score when the sender is authenticated (DKIM, DMARC or SPF)")
    rest = say(
        "otherwise {points} points off at most; never covers viruses or banned attachments",
        points=f"{UNPROVEN_POINTS:g}",
    )
    return f"{sentence}{_or_from(entry, say)}; {rest}"


def _points(entry: ListEntry, points: float, say: Language) -> str:
    if points >= 0:
        return say("{points} points are added", points=f"{points:g}")
    if -points <= UNPROVEN_POINTS:
        return say("{points} points are taken off", points=f"{-points:g}")
    sentence = say("{points} points are taken off by a sender who is authenticated", points=f"{-points:g}")
    return f"{sentence}{_or_from(entry, say)}; " + say(
        "otherwise {points} at most", points=f"{UNPROVEN_POINTS:g}"
    )


def sender_of(item: Item) -> str:
    """Whom a person takes for the sender: the one author in header From, else the envelope sender."""
    authors = [box.address for box in mailboxes.parse(item.from_header.encode("utf-8", "surrogateescape"))]
    found = [a.decode("utf-8", "surrogateescape") for a in authors if a]
    return normalise(found[0] if len(found) == 1 else item.sender)


def _or_from(entry: ListEntry, say: Language) -> str:
    if not entry.networks:
        return ""
    return " " + say("or the mail comes from {networks}", networks=" ".join(entry.networks))


def _wb(*, allow: bool, points: float | None) -> str:
    if points is None:
        return "W" if allow else "B"
    # Written as every score is, to the thousandth: the column holds ten characters, and no exponent.
    if not LEAST_POINTS <= points <= MOST_POINTS:
        raise UserError(f"points are a number from {LEAST_POINTS:g} to {MOST_POINTS:g}", EX_USAGE)
    return f"{-points if allow else points:+.3f}".rstrip("0").rstrip(".")


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise UserError(f'"{text}" is no network; write for example "192.0.2.0/24"', EX_USAGE) from None


def _position(after: str) -> tuple[int, int]:
    if not after:
        return 0, 0
    user, _, sender = after.partition("-")
    if not (user.isdecimal() and sender.isdecimal() and len(after) < 40):
        raise UserError(f"{after!r} is no cursor", EX_USAGE)
    return int(user), int(sender)
