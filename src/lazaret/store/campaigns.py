"""Which campaign a new message belongs to: that of an older one with which it has a mark in common."""

import time
from collections.abc import Sequence

from lazaret.model.entry import Entry
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert, marks, portions

_MARKS = Table("lz_campaign_marks", ("mark", "campaign", "time_num"), skip_known=True)
_KNOWN = "SELECT mark, campaign FROM lz_campaign_marks WHERE mark IN ("


def assign(connection: Connection, entries: Sequence[Entry]) -> dict[str, int]:
    """`mail_id` -> campaign of those entries that have marks; new marks are known from now on.

    A campaign has the number of the first mark of its first message, so that two hosts at once agree.
    """
    wanted = sorted({mark for entry in entries for mark in entry.alike})
    known: dict[int, int] = {}
    for some in portions(wanted):
        known.update(connection.execute(sql(_KNOWN, marks(len(some)), ")"), some))
    campaigns, new, now = {}, [], int(time.time())
    for entry in entries:
        if not entry.alike:
            continue
        campaign = next((known[mark] for mark in entry.alike if mark in known), entry.alike[0])
        campaigns[entry.mail_id] = campaign
        for mark in entry.alike:
            if mark not in known:
                known[mark] = campaign
                new.append((mark, campaign, now))
    # In one order everywhere: two hosts that wait for each other would both begin again.
    insert(connection, _MARKS, sorted(new))
    return campaigns
