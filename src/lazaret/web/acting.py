"""Acts on messages, one or many, each with an honest result."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from lazaret.flow.quarantine import Released
from lazaret.flow.visit import NotAllowed, Visitor
from lazaret.model.errors import LazaretError, NoSuchMessage, UserError
from lazaret.model.quarantine import State
from lazaret.web.rows import tag_of

ACTS = ("release", "delete", "undelete", "request", "learn-spam", "learn-ham")
"""What can be done with many messages at once."""
MOST = 5000
"""Messages of one act over a whole search."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one recipient's copy."""

    recipient: str
    words: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message."""

    mail_id: str
    ok: bool
    lines: tuple[Line, ...] = ()
    problem: str = ""
    state: str = ""


async def act_on(visitor: Visitor, mail_id: str, act: str, *, again: bool = False) -> Outcome:
    """Does it; whatever goes wrong with one message is told, and stops no other."""
    try:
        if act == "release":
            return released(mail_id, await visitor.release(mail_id, again=again))
        if act == "delete":
            await visitor.delete(mail_id)
            return Outcome(mail_id, ok=True, state=State.DELETED.value)
        if act == "undelete":
            await visitor.undelete(mail_id)
            return Outcome(mail_id, ok=True, state=(await visitor.show(mail_id)).item.state.value)
        if act == "request":
            await visitor.request(mail_id)
            return Outcome(mail_id, ok=True, state=State.PENDING.value)
        if act in ("learn-spam", "learn-ham"):
            fate = await visitor.learn(mail_id, spam=act == "learn-spam")
            state = (await visitor.show(mail_id)).item.state.value
            return Outcome(mail_id, ok=True, problem=f"learned: {fate.value}", state=state)
        return Outcome(mail_id, ok=False, problem=f"there is no act {act!r}")
    except NoSuchMessage:
        return Outcome(mail_id, ok=False, problem="There is no such message.")
    except (NotAllowed, UserError, LazaretError) as error:
        return Outcome(mail_id, ok=False, problem=str(error))


async def all_found(visitor: Visitor, query: str, *, everything: bool) -> list[str]:
    """The ids of all stored messages that a search finds, the newest first, of MOST at most. QueryError."""
    items = await visitor.find(query, everything=everything, limit=MOST)
    return [tag_of(item) for item in items if item.stored]


async def act_on_all(visitor: Visitor, mail_ids: Iterable[str], act: str) -> AsyncIterator[Outcome]:
    """One after the other, each told as soon as it is done."""
    for mail_id in mail_ids:
        yield await act_on(visitor, mail_id, act)


def released(mail_id: str, results: Iterable[Released]) -> Outcome:
    """The results of a release; it went well when every copy is with the next hop, now or from before."""
    lines = tuple(Line(r.recipient, str(r.reply).strip(), r.state is State.RELEASED) for r in results)
    ok = all(line.ok for line in lines)
    return Outcome(mail_id, ok, lines, state=State.RELEASED.value if ok else State.QUARANTINED.value)
