"""What the next hop said, in the words in which we pass it on: amavis' texts, which tools look for."""

import re
from collections.abc import Sequence

from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Answer
from lazaret.model.errors import Reply

MAX_TEXT = 1000
"""Characters of a foreign reply that are passed on; it ends up in log lines and database rows."""

_QUEUED_AS = re.compile(
    r"\bqueued as (?P<postfix>[\w.+-]+)"
    r"|\bid=(?P<exim>[\w.+-]+)"
    r"|\bqp (?P<qmail>[0-9]+)"
    r"|<[^<>]*> (?P<dovecot>\S+) Saved"
    r"|(?:^|\s)(?P<sendmail>\w[\w.+-]*) Message accepted for delivery",
    re.IGNORECASE | re.ASCII,
)


def from_hop(hop: NextHop, recipient: str, raw: Reply) -> Answer:
    """The answer for one recipient: `250 2.0.0 from MTA(smtp:[h]:25): 250 2.0.0 Ok: queued as X`."""
    text = " ".join(str(raw).split())[:MAX_TEXT]
    enhanced = raw.enhanced or f"{raw.code // 100}.0.0"
    # 421 would tell our own client that we close the connection, which we do not.
    code = 451 if raw.code == 421 else raw.code
    reply = Reply(code, enhanced, f"from MTA({hop}): {text}")
    return Answer(recipient, reply, queued_as(raw.text) if raw.positive else "")


def queued_as(text: str) -> str:
    """The queue id in a reply of Postfix, Exim, Sendmail, OpenSMTPD, qmail or Dovecot; "" without one."""
    match = _QUEUED_AS.search(text[:MAX_TEXT])
    return next((found for found in match.groups() if found), "") if match else ""


def connect_failed(hops: Sequence[NextHop]) -> Reply:
    """No next hop could be reached."""
    places = ", ".join(map(str, hops))
    text = f"From MTA() during fwd-connect (All attempts ({len(hops)}) failed connecting to {places})"
    return Reply(451, "4.5.0", text)


def timed_out(hop: NextHop, stage: str) -> Reply:
    """The next hop was silent for too long."""
    return Reply(450, "4.4.2", f"Timed out during {stage}, MTA({hop})")


def failed(hop: NextHop, stage: str, what: str) -> Reply:
    """The dialogue ended without an answer for the message."""
    what = " ".join(what.split())[:MAX_TEXT]
    return Reply(451, "4.5.0", f"From MTA({hop}) during {stage} ({what})")
