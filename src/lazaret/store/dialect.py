"""The words that the databases do not share; all other statements are common to the three."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lazaret.store.connection import Connection


class FullText(Protocol):
    """The full-text index of a database, the table `lz_text`."""

    @property
    def matching(self) -> str:
        """SELECT of the `lz_msgs.id` of the messages that match the expression `:match`."""

    @property
    def among(self) -> str:
        """Whether message l is one of them, `$MATCHING`; not a way to find l."""

    @property
    def among_newest(self) -> str:
        """The same of messages that are read from the newest on until there are enough."""

    @property
    def in_row(self) -> str:
        """Whether message l matches, asked of its own row; for words that most messages have."""

    @property
    def in_recent(self) -> str:
        """The same; those above `:floor` are looked for together in the index."""

    @property
    def entries(self) -> float:
        """So many entries of the index are read in the time that a row takes; 0: by `in_row` alone."""

    @property
    def sample(self) -> str:
        """SELECT of how many of the `:some` messages indexed last match, and how many have all the words."""

    @property
    def closer(self) -> int:
        """So many samples are looked at where the first has nothing, as the index takes long for what two
        messages of a hundred have; 0: no more."""

    @property
    def row_cost(self) -> float:
        """How often the time that the index takes to give a message its row takes to answer."""

    @property
    def phrase_cost(self) -> float:
        """The same of the time for a message that has the words, where they must follow each other."""

    @property
    def add(self) -> str:
        """Indexes the `values` of a message."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Where the `values` go in `lz_text`, in their order."""

    @property
    def drop_index(self) -> str:
        """Takes the index off the words, to make it when all of them are there; empty: it is always there."""

    @property
    def make_index(self) -> str: ...

    @property
    def is_removed_by_words(self) -> bool:
        """Whether `remove` must be given the `values` that a message was indexed with."""

    @property
    def remove(self) -> str:
        """Takes a message out again by those, or all of a condition on `msg`, which follows."""

    def values(self, msg: int, columns: Sequence[str]) -> Mapping[str, object]:
        """For `add`, or `remove`; each column has words with blanks between them."""

    def tend(self, connection: "Connection") -> bool:
        """Does a step of what the index has put off; whether there may be more."""

    def match(self, columns: Sequence[str], words: Sequence[str], prefix: bool) -> Mapping[str, object]:
        """The values of `matching`, `in_row` and `sample` for words that follow each other in a column.

        `words` are letters and digits alone (model.words); with `prefix` the last may be longer.
        """


class Division(Protocol):
    """How the table `quarantine` is divided by the weeks 1 to 53 of `partition_tag`."""

    @property
    def is_made(self) -> str:
        """SELECT of how many tables or parts say that it is; 0 where it is not."""

    @property
    def make(self) -> Sequence[str]:
        """Divides it; what it holds stays."""

    def clear(self, tag: int) -> str:
        """Takes all rows of a week away in one step."""


NEWEST = (
    "SELECT count(*) FROM (SELECT m.time_num FROM msgs m WHERE m.quar_type = 'Q'"
    " ORDER BY m.time_num DESC, m.mail_id DESC LIMIT 50000) w",
    "SELECT sum(length(m.subject)), sum(length(l.hits)), count(r.ds), count(x.action)"
    " FROM (SELECT m.partition_tag, m.mail_id FROM msgs m WHERE m.quar_type = 'Q'"
    " ORDER BY m.time_num DESC, m.mail_id DESC LIMIT 3000) w"
    " JOIN msgs m ON m.partition_tag = w.partition_tag AND m.mail_id = w.mail_id"
    " JOIN msgrcpt r ON r.partition_tag = w.partition_tag AND r.mail_id = w.mail_id"
    " LEFT JOIN lz_msgs l ON l.partition_tag = w.partition_tag AND l.mail_id = w.mail_id"
    " LEFT JOIN lz_msgrcpt x ON x.msg = l.id AND x.rseqnum = r.rseqnum",
)
"""For `Warming.theirs`: where pages are read in the order of time, and the rows of those that come first."""


@dataclass(frozen=True, slots=True)
class Warming:
    """Statements that read whole indexes and the newest rows, so that they are in memory afterwards."""

    busy: str = ""
    """Gives a row as long as the server itself reads what it had in memory before; nothing afterwards."""
    setting: Sequence[str] = ()
    """Makes the connection take indexes for it."""
    ours: Sequence[str] = ()
    """Of our own tables."""
    theirs: Sequence[str] = ()
    """Of amavisd's tables, where we made them."""


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One database's own words."""

    kind: str
    """`sqlite`, `mariadb` or `postgresql`: a file of `schema/` may be for one of them."""
    schema_words: Mapping[str, str]
    """What stands for `$WORD` in the files of `schema/`."""
    table_options: str
    """Ends a CREATE TABLE that does not say it otherwise."""
    begin: str
    begin_snapshot: str
    insert_new: str
    """Begins a statement that inserts the rows that violate no unique key and passes over the others."""
    on_known: str
    """Ends it."""
    lock: str
    """Ends a SELECT in a transaction: nobody else changes or locks these rows before that ends."""
    share: str
    """The same, but others may lock them so too: nobody removes these rows."""
    tables: str
    """SELECT of the names of all tables."""
    columns: str
    """SELECT of the names of the columns of `:table`."""
    renumber: str
    """Makes `:table` count on from its highest id; the name of the table and `))` follow. Empty: it does."""
    full_text: FullText
    listed: str = ""
    """Many texts in one parameter, `:$NAME`, a JSON array; empty: each is a parameter of its own."""
    their_keys: str = ""
    """Stands behind `lz_msgs o`: its columns `id`, `partition_tag` and `mail_id` are read from an index."""
    their_moments: str = ""
    """Stands behind `msgs m`: its key and `time_num` are read from an index."""
    by_key: bool = False
    """Rows of amavisd's tables lie in the order of their keys, those of one moment on pages far apart."""
    walk_cost: float = 1.0
    """What it costs to look at a message in the order of time, beside putting the key of one in order."""
    after_words: str = ""
    """Ends a condition on m that has OR in it: l is asked for its words first."""
    warming: Warming = Warming()
    division: Division | None = None
    """None: a table cannot be divided."""
    load_from: int = sys.maxsize
    """From so many rows on `Connection.load` costs less than to insert them."""


COLUMNS = ("subject", "sender", "recipients", "body", "attachments")
"""The columns of the full text, in the order in which they are given."""


def sql(*pieces: str) -> str:
    """One statement out of constant pieces. Values never come in here: they are parameters, always."""
    return " ".join(pieces)
