"""One message as rows of amavisd-new's storage tables and of our own, all written in one transaction."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, repeat
from operator import itemgetter

from lazaret.model import words
from lazaret.model.entry import Entry
from lazaret.model.frozen import frozen
from lazaret.model.partition import Partition
from lazaret.model.verdict import Action, ScoredHit
from lazaret.store import addresses, campaigns, fulltext, text
from lazaret.store.addresses import domain_of, exact, in_header, key, names_in, plain
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert, marks, portions
from lazaret.store.symbols import Symbols, packed

Row = tuple[object, ...]

IMPORTED = "IMPORTED"
"""`msgs.policy` of what was taken over from another filter; amavisd names its policy bank there."""

DS_LETTERS: Mapping[str, str] = {
    Action.DELIVER: "P",
    Action.MARK: "P",
    Action.QUARANTINE: "D",
    Action.DISCARD: "D",
    Action.REJECT: "R",
    Action.DEFER: "T",
}
"""`msgrcpt.ds` for the word of each action."""

_MSGS = Table(
    "msgs",
    (
        *("partition_tag", "mail_id", "secret_id", "am_id", "time_num", "time_iso", "sid", "policy"),
        *("client_addr", "size", "originating", "content", "quar_type", "quar_loc", "dsn_sent"),
        *("spam_level", "message_id", "from_addr", "subject", "host"),
    ),
    loads=True,
)
_MSGRCPT = Table(
    "msgrcpt",
    (
        *("partition_tag", "mail_id", "rseqnum", "rid", "is_local", "content", "ds", "rs", "bl", "wl"),
        *("bspam_level", "smtp_resp"),
    ),
    loads=True,
)
QUARANTINE = Table("quarantine", ("partition_tag", "mail_id", "chunk_ind", "mail_text"))
_LZ_MSGS = Table(
    "lz_msgs",
    (
        *("partition_tag", "mail_id", "sender", "queue_id", "client_name", "helo", "took_ms"),
        *("hits", "unavailable", "prefix", "line_ends", "digest", "indexed"),
        *("subject_words", "from_sender", "from_words", "reply_words", "to_words", "campaign"),
    ),
    loads=True,
)
_NUMBERS = "SELECT mail_id, id FROM lz_msgs WHERE partition_tag = ? AND mail_id IN ("
_LZ_MSGRCPT = Table("lz_msgrcpt", ("msg", "rseqnum", "address", "action", "stored", "reason"), loads=True)
LZ_ADDRESSES = Table("lz_addresses", ("msg", "num", "field", "email", "domain"), loads=True)
LZ_HITS = Table("lz_hits", ("symbol", "msg", "score"), loads=True)
LZ_ATTACHMENTS = Table("lz_attachments", ("msg", "num", "name"))


@frozen
class Header:
    """Three fields of a message, decoded."""

    sender: str
    """From."""
    reply_to: str
    to: str
    """To and Cc."""


class Rows:
    """Writes messages. One per connection, inside the transactions of its caller."""

    def __init__(self, host: str, partition: Partition) -> None:
        self._host = host
        self._partition = partition
        self.symbols = Symbols()

    def write(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """All rows of all entries; those with a text also into `quarantine` and the full-text index."""
        by_tag: dict[int, list[Entry]] = {}
        for entry in entries:
            by_tag.setdefault(self._partition.tag(entry.time), []).append(entry)
        for tag, some in by_tag.items():
            self._write(connection, tag, some)

    def _write(self, connection: Connection, tag: int, entries: Sequence[Entry]) -> None:
        """The same into one partition, which has addresses of its own."""
        written = {entry.sender for entry in entries}
        written.update(recipient.address for entry in entries for recipient in entry.recipients)
        maddr = addresses.ids(connection, written, tag)
        symbols = self.symbols.ids(connection, chain.from_iterable(entry.hits for entry in entries))
        stored = [(entry, *text.to_stored(entry.text)) for entry in entries if entry.text is not None]
        line_ends = {entry.mail_id: ends for entry, _, ends in stored}

        insert(connection, _MSGS, [self._msgs(tag, entry, maddr) for entry in entries])
        insert(connection, _MSGRCPT, [row for entry in entries for row in _msgrcpt(tag, entry, maddr)])
        ends = {entry.mail_id: line_ends.get(entry.mail_id, text.AS_LF) for entry in entries}
        alike = campaigns.assign(connection, entries)
        ours = [(*_lz_msgs(tag, one, ends[one.mail_id], symbols), alike.get(one.mail_id)) for one in entries]
        insert(connection, _LZ_MSGS, ours)
        ids = numbers(connection, [entry.mail_id for entry in entries], tag)
        numbered = [(ids[entry.mail_id], entry) for entry in entries]
        insert(connection, _LZ_MSGRCPT, [row for msg, entry in numbered for row in _lz_msgrcpt(msg, entry)])
        named = list(chain.from_iterable([_address_rows(msg, entry) for msg, entry in numbered]))
        insert(connection, LZ_ADDRESSES, named)
        # In the order of their key (messages are), which spares SQLite most of the search for each place.
        hits = chain.from_iterable([hit_rows(msg, entry.hits, symbols) for msg, entry in numbered])
        insert(connection, LZ_HITS, sorted(hits, key=itemgetter(0)))
        for entry, octets, _ in stored:
            chunks = text.chunks(octets)
            insert(connection, QUARANTINE, [(tag, entry.mail_id, number, chunk) for number, chunk in chunks])
            insert(connection, LZ_ATTACHMENTS, attachment_rows(ids[entry.mail_id], entry.attachments))
        fulltext.add(connection, [(ids[entry.mail_id], _searchable(entry)) for entry, _, _ in stored])

    def _msgs(self, tag: int, entry: Entry, maddr: dict[str, int]) -> Row:
        kept = entry.text is not None
        place = quar_loc(entry.mail_id, tag) if kept else ""
        return (
            *(tag, entry.mail_id, entry.secret_id, plain(entry.log_id, 20)),
            *(int(entry.time), _iso(int(entry.time))),
            *(maddr[entry.sender], IMPORTED if entry.imported else ""),
            *(plain(entry.session.client_ip, 255), entry.size),
            *("Y" if entry.originating else "N", str(entry.category)),
            *("Q" if kept else " ", place, entry.dsn_sent, entry.score),
            *(plain(entry.message_id, 255), plain(entry.from_header, 255), plain(entry.subject, 255)),
            self._host,
        )


def numbers(connection: Connection, mail_ids: Sequence[str], tag: int) -> dict[str, int]:
    """`mail_id` -> the `lz_msgs.id` that the database gave it."""
    found: dict[str, int] = {}
    for some in portions(mail_ids):
        statement = sql(_NUMBERS, marks(len(some)), ")")
        found.update(connection.execute(statement, [tag, *some]))
    return found


@lru_cache(maxsize=64)
def _iso(second: int) -> str:
    """`msgs.time_iso`; much mail comes in the same second."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


def quar_loc(mail_id: str, tag: int) -> str:
    """Where the text of a message lies, as amavisd writes it for the database."""
    return f"{mail_id}[{tag}]" if tag else mail_id


def padded_words(subject: str) -> str:
    """The words of a subject with a blank at each end, so that LIKE finds whole words."""
    return " " + " ".join(words.split(subject[:1000])) + " "


def _msgrcpt(tag: int, entry: Entry, maddr: dict[str, int]) -> Iterator[Row]:
    for number, recipient in enumerate(entry.recipients, 1):
        yield (
            *(tag, entry.mail_id, number, maddr[recipient.address], "Y" if recipient.local else "N"),
            *(str(recipient.category), DS_LETTERS[recipient.action], " "),
            *("Y" if recipient.blocked else "N", "Y" if recipient.allowed else "N"),
            *(recipient.score, plain(recipient.response, 255)),
        )


def _lz_msgs(tag: int, entry: Entry, line_ends: str, numbers: Mapping[str, int]) -> Row:
    kept = entry.text is not None
    unavailable = "\n".join(plain(f"{one.check}: {one.reason}", 500) for one in entry.unavailable)
    return (
        *(tag, entry.mail_id, exact(entry.sender), plain(entry.session.queue_id, 255)),
        *(plain(entry.session.client_name, 255), plain(entry.session.helo, 255), entry.took_ms),
        *(packed(entry.hits, numbers), unavailable),
        *(_stored_prefix(entry, line_ends), line_ends, entry.digest or None, "Y" if kept else "N"),
        "" if kept else padded_words(entry.subject),
        *header_values(entry.sender, _header(entry)),
    )


def _stored_prefix(entry: Entry, line_ends: str) -> int:
    """`entry.prefix` in stored octets."""
    if line_ends == text.AS_ON_WIRE or entry.text is None:
        return entry.prefix
    return entry.prefix - entry.text.count(b"\r\n", 0, entry.prefix)


def _lz_msgrcpt(msg: int, entry: Entry) -> Iterator[Row]:
    for number, one in enumerate(entry.recipients, 1):
        stored = "Y" if one.stored else "N"
        yield msg, number, exact(one.address), str(one.action), stored, plain(one.reason, 1000)


def header_values(sender: str, header: Header) -> tuple[str, str, str, str]:
    """`from_sender`, `from_words`, `reply_words` and `to_words` of `lz_msgs`."""
    own = "Y" if key(sender) in in_header(header.sender) else "N"
    return own, names_in(header.sender), names_in(header.reply_to), names_in(header.to)


def attachment_rows(msg: int, names: Iterable[str]) -> list[Row]:
    """Rows of `lz_attachments`."""
    return [(msg, number, plain(name, 255)) for number, name in enumerate(names, 1)]


def _address_rows(msg: int, entry: Entry) -> list[Row]:
    recipients = [one.address for one in entry.recipients]
    return address_rows(msg, entry.sender, recipients, _header(entry))


def _header(entry: Entry) -> Header:
    return Header(entry.from_header, entry.reply_to, entry.to_header)


def address_rows(msg: int, sender: str, recipients: Iterable[str], header: Header) -> list[Row]:
    """Rows of `lz_addresses`: the addresses in the header that the envelope does not name already."""
    senders, named = {key(sender)}, {key(one) for one in recipients}
    fields = (("F", header.sender, senders), ("R", header.reply_to, senders), ("T", header.to, named))
    found = [(field, one) for field, value, known in fields for one in in_header(value) if one not in known]
    return [(msg, number, field, one, domain_of(one)) for number, (field, one) in enumerate(found, 1)]


def hit_rows(msg: int, hits: Sequence[ScoredHit], numbers: Mapping[str, int]) -> list[tuple[int, int, float]]:
    """Rows of `lz_hits`: one per symbol; one that hit more than once has the sum."""
    scores = {numbers[hit.symbol]: hit.score for hit in hits}
    if len(scores) < len(hits):
        scores = dict.fromkeys(scores, 0.0)
        for hit in hits:
            scores[numbers[hit.symbol]] += hit.score
    return list(zip(scores, repeat(msg), scores.values(), strict=False))


def _searchable(entry: Entry) -> fulltext.Searchable:
    return fulltext.Searchable(
        subject=entry.subject,
        sender=f"{entry.sender} {entry.from_header} {entry.reply_to}",
        recipients=" ".join((*(one.address for one in entry.recipients), entry.to_header)),
        body=entry.body_text,
        attachments="\n".join(entry.attachments),
    )
