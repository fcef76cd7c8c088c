"""Opening the store: all its parts over one database, for `app` to hand to the flows."""

import asyncio
import logging
import socket
from dataclasses import dataclass
from pathlib import Path

from lazaret.model.partition import ALWAYS_0, Partition
from lazaret.store import migrations
from lazaret.store.audit import AuditLog
from lazaret.store.database import Database
from lazaret.store.digests import SqlDigests
from lazaret.store.figures import Figures
from lazaret.store.identities import SqlIdentities
from lazaret.store.journal import SqlJournal
from lazaret.store.learned import SqlLessons
from lazaret.store.lists import SqlSenderLists
from lazaret.store.locating import locate
from lazaret.store.lookup import Lookup
from lazaret.store.mail_logins import SqlMailLogins
from lazaret.store.passkeys import SqlPasskeys
from lazaret.store.people import SqlPeople
from lazaret.store.policies import SqlPolicies
from lazaret.store.policy_tables import SqlPolicyTables
from lazaret.store.quarantine import SqlQuarantine
from lazaret.store.reader import THREADS, Reader
from lazaret.store.retention import SqlRetention
from lazaret.store.room import Room
from lazaret.store.searches import SqlSearches
from lazaret.store.second_factors import SqlSecondFactors
from lazaret.store.sign_ons import SqlSignOns
from lazaret.store.simulation import SqlPast
from lazaret.store.stats import Stats
from lazaret.store.tokens import SqlTokens
from lazaret.store.warming import warm
from lazaret.store.writer import Writer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Store:
    """The open database. Threads and connections begin with the first use: it may be opened before a fork."""

    database: Database
    journal: SqlJournal
    policies: SqlPolicies
    policy_tables: SqlPolicyTables
    sender_lists: SqlSenderLists
    quarantine: SqlQuarantine
    lessons: SqlLessons
    retention: SqlRetention
    stats: Stats
    figures: Figures
    past: SqlPast
    people: SqlPeople
    tokens: SqlTokens
    audit: AuditLog
    digests: SqlDigests
    mail_logins: SqlMailLogins
    second_factors: SqlSecondFactors
    identities: SqlIdentities
    sign_ons: SqlSignOns
    passkeys: SqlPasskeys
    searches: SqlSearches
    lookup: Lookup
    reader: Reader
    writer: Writer
    foreign: bool
    """Another program made the tables of amavisd-new in it."""

    async def ping(self) -> None:
        """StoreUnavailable when the database does not answer."""
        self.database.place()
        await self.reader.run(lambda connection: connection.execute("SELECT max(id) FROM lz_msgs").fetchone())

    def warm(self) -> None:
        """Reads ahead what nearly every search reads, for seconds. StoreUnavailable without an answer."""
        warm(self.database, foreign=self.foreign)

    async def rehearse(self) -> None:
        """Opens the connections for searches, and has each show a page, whose statements it knows then."""
        await asyncio.gather(*(anext(self.quarantine.find("", limit=1), None) for _ in range(THREADS)))

    def close(self) -> None:
        """Writes what is waiting and closes all connections."""
        self.writer.close()
        self.reader.close()
        self.lookup.close()


def open_store(
    url: str,
    data_dir: Path,
    *,
    create: bool,
    password: str = "",
    min_free: int = 0,
    host: str = "",
    partition: Partition = ALWAYS_0,
) -> Store:
    """The store behind `store.url`; with `create` it and its tables are made when missing.

    `password` is for a server; `min_free` in octets; `host` is what `msgs.host` gets, when empty the
    machine's name; `partition` says where messages are written, they are found everywhere.
    UserError 66 when there is no database, 78 for a URL that cannot be; StoreUnavailable.
    """
    database = locate(url, data_dir, password)
    foreign = prepare(database, create=create)
    writer = Writer(database, host or socket.gethostname(), partition)
    reader = Reader(database)
    lookup = Lookup(database)
    return Store(
        database=database,
        policy_tables=SqlPolicyTables(reader, writer),
        sender_lists=SqlSenderLists(reader, writer),
        journal=SqlJournal(lookup, writer, Room(database.directory, min_free)),
        policies=SqlPolicies(lookup),
        quarantine=SqlQuarantine(reader, writer, foreign=foreign),
        lessons=SqlLessons(reader, lookup, writer),
        retention=SqlRetention(reader, writer, database),
        past=SqlPast(reader),
        stats=Stats(reader, foreign=foreign),
        figures=Figures(reader),
        people=SqlPeople(reader, writer),
        tokens=SqlTokens(reader, writer),
        audit=AuditLog(reader, writer),
        digests=SqlDigests(reader, writer),
        mail_logins=SqlMailLogins(reader, writer),
        second_factors=SqlSecondFactors(reader, writer),
        identities=SqlIdentities(reader, writer),
        sign_ons=SqlSignOns(reader, writer),
        passkeys=SqlPasskeys(reader, writer),
        searches=SqlSearches(reader, writer),
        lookup=lookup,
        reader=reader,
        writer=writer,
        foreign=foreign,
    )


def prepare(database: Database, *, create: bool) -> bool:
    """Sees to it that the tables are there; whether another program made those of amavisd-new."""
    if create:
        database.create()
    else:
        database.require()
    connection = database.connect(writing=create, patient=True)
    try:
        with database.trouble():
            # An older version is brought up to date by `db upgrade` alone, which takes a backup first.
            if create and not migrations.applied(connection):
                migrations.migrate(connection)
                # An old one that is not where it was, as on a disk that is not mounted, shows by this line.
                log.info("database %s: there was none of ours, its tables were made", database.name)
            migrations.require_current(connection, database.name)
            return migrations.is_foreign(connection)
    finally:
        connection.close()
