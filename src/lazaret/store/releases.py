"""The journal of releases: claim, send, record. A claim that a crash left open is uncertain."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lazaret.model.delivery import Answer
from lazaret.model.quarantine import ReleaseRecord
from lazaret.store import owner
from lazaret.store.addresses import from_octets, key, plain, to_octets
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.keys import Key

_MESSAGE = "SELECT mail_id FROM msgs WHERE mail_id = :mail_id AND partition_tag = :tag"
_NOT_PASSED = (
    "SELECT email FROM lz_releases WHERE resent_message_id = :id AND digest = :digest AND passed_again = 'N'"
)
_RECORDS = (
    "SELECT mail_id, recipient, time_num, who, state, response, resent_message_id, owner"
    " FROM lz_releases WHERE mail_id = :mail_id AND partition_tag = :tag"
)
_COPIES = (
    "SELECT partition_tag, mail_id FROM lz_releases WHERE resent_message_id = :resent AND email = :email"
)
# Not one statement: MariaDB would look for the copy among all copies that the recipient ever had.
_SENT = (
    "UPDATE msgrcpt SET rs = 'R', smtp_resp = :response WHERE partition_tag = :tag AND mail_id = :mail_id"
    " AND rid IN (SELECT id FROM maddr WHERE email = :email)"
)

Found = tuple[ReleaseRecord, str]
"""A record with the process that claimed it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be released how, the same for all recipients of one act."""

    who: str
    resent_message_id: str
    digest: bytes
    """SHA-256 of what will be sent below our Resent fields."""
    again: bool
    """Also what was released before, or may have been."""


def claim(
    connection: Connection, message: Key, recipients: Sequence[str], wish: Wish
) -> tuple[ReleaseRecord, ...]:
    """One record per recipient; "claimed" are ours to send. To be called inside a durable transaction."""
    # Two at once, from two processes: the second waits here, and finds the claim of the first.
    connection.execute(sql(_MESSAGE, connection.dialect.lock), message.values).fetchall()
    now = int(time.time())
    fresh = ReleaseRecord(message.mail_id, "", now, wish.who, "claimed", "", wish.resent_message_id)
    return tuple(
        _claim_one(connection, message, replace(fresh, recipient=recipient), wish) for recipient in recipients
    )


def settle(connection: Connection, claims: Sequence[ReleaseRecord], answers: Sequence[Answer]) -> None:
    """Records the answers, in the order of the claims; a copy that was accepted is released."""
    for record, answer in zip(claims, answers, strict=True):
        state = "sent" if answer.reply.positive else "deferred" if answer.reply.transient else "refused"
        response = str(answer.reply)
        values = {"resent": record.resent_message_id, "email": key(record.recipient)}
        connection.execute(
            "UPDATE lz_releases SET state = :state, response = :response"
            " WHERE resent_message_id = :resent AND email = :email",
            values | {"state": state, "response": plain(response, 1000)},
        )
        if state == "sent":
            copies = connection.execute(_COPIES, values).fetchall()
            sent = {"email": values["email"], "response": plain(response, 255)}
            connection.executemany(
                _SENT, [{**sent, "tag": tag, "mail_id": mail_id} for tag, mail_id in copies]
            )


def is_ours(connection: Connection, resent_message_id: str) -> bool:
    """Whether we ever gave out this Resent-Message-ID."""
    found = connection.execute(
        "SELECT 1 FROM lz_releases WHERE resent_message_id = :id", {"id": resent_message_id}
    ).fetchone()
    return found is not None


def pass_again(connection: Connection, resent_message_id: str, digest: bytes, emails: Sequence[str]) -> bool:
    """Whether these copies were released with this content and have not come by; from now on they have."""
    wanted = set(emails)
    released = connection.execute(
        sql(_NOT_PASSED, connection.dialect.lock), {"id": resent_message_id, "digest": digest}
    )
    known = {email for (email,) in released}
    if not wanted or not wanted <= known:
        return False
    connection.executemany(
        "UPDATE lz_releases SET passed_again = 'Y' WHERE resent_message_id = :id AND email = :email",
        [{"id": resent_message_id, "email": email} for email in wanted],
    )
    return True


def expect_again(connection: Connection, resent_message_id: str, emails: Sequence[str]) -> None:
    """Takes back that these copies have come by."""
    connection.executemany(
        "UPDATE lz_releases SET passed_again = 'N' WHERE resent_message_id = :id AND email = :email",
        [{"id": resent_message_id, "email": email} for email in emails],
    )


def of_message(connection: Connection, message: Key) -> list[ReleaseRecord]:
    """All releases of a message, oldest first; an open claim whose process is gone is "uncertain"."""
    found = connection.execute(
        sql(_RECORDS, "ORDER BY id"),
        message.values,
    )
    return [replace(record, state=_state(record, by)) for record, by in map(_record, found)]


def crashed(connection: Connection) -> set[tuple[Key, str]]:
    """Message and recipient (as in maddr) of each open claim whose process is not at work on it any more."""
    now = time.time()
    open_claims = connection.execute(
        "SELECT partition_tag, mail_id, email, owner, time_num FROM lz_releases WHERE state = 'claimed'"
    ).fetchall()
    return {
        (Key(mail_id, tag), email)
        for tag, mail_id, email, by, claimed in open_claims
        if not owner.is_at_work(by, claimed, now)
    }


def _claim_one(connection: Connection, message: Key, wanted: ReleaseRecord, wish: Wish) -> ReleaseRecord:
    again, digest = wish.again, wish.digest
    last = _last(connection, message, wanted.recipient)
    if last is None or last[0].state in ("deferred", "refused"):
        other = _released_by_other_tools(connection, message, wanted) if last is None and not again else None
        return other or _insert(connection, message, wanted, digest)
    record, by = last
    if record.state == "sent":
        return _insert(connection, message, wanted, digest) if again else replace(record, state="released")
    state = _state(record, by)
    if state == "claimed":
        return replace(record, state="busy")
    if not again:
        return replace(record, state=state)
    return _take_over(connection, message, record, wanted, digest)


def _last(connection: Connection, message: Key, recipient: str) -> Found | None:
    found = connection.execute(
        sql(_RECORDS, "AND email = :email ORDER BY id DESC LIMIT 1"),
        _key(message, recipient),
    ).fetchone()
    return _record(found) if found else None


def _released_by_other_tools(
    connection: Connection, message: Key, wanted: ReleaseRecord
) -> ReleaseRecord | None:
    """The release that amavisd-release or a web interface left in `msgrcpt.rs` alone, at an unknown time."""
    found = connection.execute(
        "SELECT r.smtp_resp FROM msgrcpt r JOIN maddr a ON a.id = r.rid"
        " WHERE r.partition_tag = :tag AND r.mail_id = :mail_id AND a.email = :email AND r.rs = 'R'",
        _key(message, wanted.recipient),
    ).fetchone()
    if found is None:
        return None
    return replace(wanted, time=0.0, state="released", response=found[0] or "")


def _insert(connection: Connection, message: Key, wanted: ReleaseRecord, digest: bytes) -> ReleaseRecord:
    connection.execute(
        "INSERT INTO lz_releases"
        " (partition_tag, mail_id, recipient, email, time_num, who, state, owner, response,"
        " resent_message_id, digest)"
        " VALUES (:tag, :mail_id, :recipient, :email, :time, :who, 'claimed', :owner, '', :resent, :digest)",
        _key(message, wanted.recipient) | _claimant(wanted) | {"digest": digest},
    )
    return wanted


def _take_over(
    connection: Connection, message: Key, record: ReleaseRecord, wanted: ReleaseRecord, digest: bytes
) -> ReleaseRecord:
    """Claims an uncertain release: what is sent now carries the identifier of what may have been sent."""
    connection.execute(
        "UPDATE lz_releases"
        " SET time_num = :time, who = :who, owner = :owner, digest = :digest, passed_again = 'N'"
        " WHERE resent_message_id = :resent AND email = :email",
        _key(message, wanted.recipient)
        | _claimant(wanted)
        | {"resent": record.resent_message_id, "digest": digest},
    )
    return replace(wanted, resent_message_id=record.resent_message_id)


def _key(message: Key, recipient: str) -> dict[str, object]:
    return {**message.values, "email": key(recipient)}


def _claimant(wanted: ReleaseRecord) -> dict[str, object]:
    return {
        "recipient": to_octets(wanted.recipient),
        "time": int(wanted.time),
        "who": plain(wanted.who, 255),
        "owner": owner.this_process(),
        "resent": wanted.resent_message_id,
    }


def _state(record: ReleaseRecord, by: str) -> str:
    if record.state != "claimed" or owner.is_at_work(by, record.time, time.time()):
        return record.state
    return "uncertain"


def _record(row: tuple[str, bytes, int, str, str, str, str, str]) -> Found:
    mail_id, recipient, claimed, who, state, response, resent, by = row
    return ReleaseRecord(mail_id, from_octets(recipient), claimed, who, state, response, resent), by
