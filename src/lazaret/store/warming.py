"""Reading ahead what searches will ask for, so that the first of them do not wait for the disk.

Found messages are put in the order of time, and asked for their copies, by a few narrow indexes: some 150 MB
a million messages. Page by page, as a search comes by them, each costs an access to the disk. Whoever looks
for a word that is not rare goes through the rows of the newest.
"""

import logging
import time

from lazaret.store.connection import Connection, Fault, snapshot
from lazaret.store.database import Database

log = logging.getLogger(__name__)

STEP_S = 10.0
"""So long one index may take: a large one on a slow disk does without."""
_PAUSE_S = 0.05


def warm(database: Database, *, foreign: bool) -> None:
    """Reads the indexes once, each from one end to the other; what takes too long is left.

    `foreign`: another program made the tables of amavisd-new.
    """
    warming = database.dialect.warming
    with database.trouble():
        connection = database.connect(patient=True)
        try:
            _wait(connection)
            for statement in warming.setting:
                connection.execute(statement)
            for statement in (*warming.ours, *(() if foreign else warming.theirs)):
                try:
                    with snapshot(connection), database.limited(connection, STEP_S):
                        connection.execute(statement).fetchall()
                except database.errors as error:
                    if database.fault(error) != Fault.STOPPED:
                        raise
                    log.info("an index was not read ahead: that took longer than %g s", STEP_S)
        finally:
            connection.close()


def _wait(connection: Connection) -> None:
    """Until a server that was started a moment ago has read what it had in memory, or for STEP_S."""
    busy, end = connection.dialect.warming.busy, time.monotonic() + STEP_S
    while busy and connection.execute(busy).fetchone() and time.monotonic() < end:
        time.sleep(_PAUSE_S)
