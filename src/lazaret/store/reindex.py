"""Building the full-text index anew, and for messages that amavisd stored, for the first time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lazaret.model.errors import NoSuchMessage
from lazaret.model.quarantine import Item
from lazaret.store import fulltext, listing, text
from lazaret.store.condition import Condition, joined
from lazaret.store.connection import Connection
from lazaret.store.inserting import insert
from lazaret.store.keys import Key
from lazaret.store.opening import Store
from lazaret.store.quarantine import stored_text
from lazaret.store.rows import (
    LZ_ADDRESSES,
    LZ_ATTACHMENTS,
    LZ_HITS,
    Header,
    address_rows,
    attachment_rows,
    header_values,
    hit_rows,
    numbers,
)
from lazaret.store.symbols import Symbols, packed

BATCH = 20
"""Messages to a transaction: mail that comes in meanwhile waits for it."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What the index needs out of a message, decoded; the store itself reads no MIME."""

    body_text: str
    attachments: tuple[str, ...]
    reply_to: str
    to_header: str


_STORED_SINCE = "m.quar_type = 'Q' AND m.content IS NOT NULL AND m.time_num >= :since"
_Found = tuple[Item, Extract, bytes]
"""A message, what is in its text, and what amavisd put before that."""
Extractor = Callable[[bytes], Extract]
"""From the octets of a message, CRLF, to its texts. It runs in a reader's thread and must not raise."""


async def reindex(
    store: Store,
    extract: Extractor,
    progress: Callable[[int], None] = lambda done: None,
    *,
    everything: bool = True,
    since: float = 0.0,
) -> int:
    """Indexes every stored message, or those that are not indexed yet; how many there were, newest first.

    `since`: received at that moment or later. `progress` is told the number so far. What was done stays done
    when it is ended halfway, and is passed over the next time, unless that is to do everything.
    """
    wanted = Condition(
        "m.quar_type = 'Q' AND m.content IS NOT NULL AND m.time_num >= :since", {"since": int(since)}
    )
    if not everything:
        wanted = joined([wanted, Condition("COALESCE(l.indexed, 'N') <> 'Y'")], "AND")
    done, after = 0, ""
    while items := await store.reader.run(partial(listing.page, wanted=wanted, limit=BATCH, after=after)):
        # Reading mail takes longer than writing down what was read: the writer is not kept from its work.
        found = await store.reader.run(partial(_read, items=items, extract=extract))
        await store.writer.run(partial(_index_all, found=found))
        done, after = done + len(items), items[-1].cursor
        progress(done)
    return done


def _read(
    connection: Connection, items: Sequence[Item], extract: Extractor
) -> list[tuple[Item, Extract, bytes]]:
    """Each item with what is in its text, and with what amavisd put before that."""
    found = []
    for item in items:
        try:
            stored = stored_text(connection, Key(item.mail_id, item.partition_tag))
        except NoSuchMessage:
            continue
        prefix = stored.octets[: stored.prefix].replace(b"\r\n", b"\n")
        found.append((item, extract(stored.message), prefix))
    return found


def _index_all(connection: Connection, found: Sequence[_Found]) -> None:
    for item, extracted, prefix in found:
        msg = _number(connection, Key(item.mail_id, item.partition_tag))
        if msg is None:
            msg = _adopt(connection, item, extracted, prefix)
        _index(connection, msg, item, extracted)


def _number(connection: Connection, message: Key) -> int | None:
    found = connection.execute(
        "SELECT id FROM lz_msgs WHERE mail_id = :mail_id AND partition_tag = :tag", message.values
    ).fetchone()
    return found[0] if found else None


def _adopt(connection: Connection, item: Item, found: Extract, prefix: bytes) -> int:
    """Gives a message of amavisd the rows by which ours are found; `prefix` is what amavisd put before it."""
    header = Header(item.from_header, found.reply_to, found.to_header)
    tests = text.amavis_tests(prefix)
    symbols = Symbols().ids(connection, tests)
    own, from_words, reply_words, to_words = header_values(item.sender, header)
    connection.execute(
        "INSERT INTO lz_msgs (partition_tag, mail_id, hits, unavailable, prefix, from_sender,"
        " subject_words, from_words, reply_words, to_words) VALUES (:tag, :mail_id, :hits, '', NULL,"
        " :own, '', :from_words, :reply_words, :to_words)",
        {
            "tag": item.partition_tag,
            "mail_id": item.mail_id,
            "hits": packed(tests, symbols),
            "own": own,
            "from_words": from_words,
            "reply_words": reply_words,
            "to_words": to_words,
        },
    )
    msg = numbers(connection, [item.mail_id], item.partition_tag)[item.mail_id]
    insert(connection, LZ_HITS, hit_rows(msg, tests, symbols))
    recipients = [copy.address for copy in item.copies]
    insert(connection, LZ_ADDRESSES, address_rows(msg, item.sender, recipients, header))
    return msg


def _index(connection: Connection, msg: int, item: Item, found: Extract) -> None:
    fulltext.remove(connection, [msg])
    text = fulltext.Searchable(
        subject=item.subject,
        sender=f"{item.sender} {item.from_header} {found.reply_to}",
        recipients=" ".join((*(copy.address for copy in item.copies), found.to_header)),
        body=found.body_text,
        attachments="\n".join(found.attachments),
    )
    fulltext.add(connection, [(msg, text)])
    connection.execute("DELETE FROM lz_attachments WHERE msg = :msg", {"msg": msg})
    insert(connection, LZ_ATTACHMENTS, attachment_rows(msg, found.attachments))
    connection.execute("UPDATE lz_msgs SET indexed = 'Y', subject_words = '' WHERE id = :msg", {"msg": msg})
