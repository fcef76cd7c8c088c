"""`from:`, `to:` and their kin as SQL: a domain with what is below it, an address, part of a name."""

from dataclasses import dataclass

from lazaret.model import address, words
from lazaret.store.addresses import key
from lazaret.store.condition import NEVER, Condition, Source, escaped, joined, like

_KEYS_IN = "(m.partition_tag, m.mail_id) IN ("
# $TIME, $NO_TIME: nothing, or `Source.timed`'s third column.
_SENT_BY = (
    "(m.partition_tag, m.mail_id) IN (SELECT s.partition_tag, s.mail_id$TIME FROM msgs s"
    " WHERE s.sid IN (SELECT a.id FROM maddr a WHERE $WANTED))"
)
_SENT_TO = (
    "(m.partition_tag, m.mail_id) IN (SELECT s.partition_tag, s.mail_id FROM msgrcpt s"
    " WHERE s.rid IN (SELECT a.id FROM maddr a WHERE $WANTED))"
)
_IN_FROM = (
    "(m.partition_tag, m.mail_id) IN (SELECT s.partition_tag, s.mail_id FROM msgs s"
    " JOIN lz_msgs o ON o.partition_tag = s.partition_tag AND o.mail_id = s.mail_id AND o.from_sender = 'Y'"
    " WHERE s.sid IN (SELECT a.id FROM maddr a WHERE $WANTED))"
    " OR l.id IN (SELECT a.msg FROM lz_addresses a WHERE a.field = 'F' AND ($WANTED))"
)
_ENVELOPE_OR_HEADER_FROM = (
    "(m.partition_tag, m.mail_id) IN (SELECT s.partition_tag, s.mail_id$TIME FROM msgs s"
    " WHERE s.sid IN (SELECT a.id FROM maddr a WHERE $WANTED)"
    " UNION SELECT o.partition_tag, o.mail_id$NO_TIME FROM lz_addresses a JOIN lz_msgs o ON o.id = a.msg"
    " WHERE a.field IN ('F', 'R') AND ($WANTED))"
)
_ENVELOPE_OR_HEADER_TO = (
    "(m.partition_tag, m.mail_id) IN (SELECT s.partition_tag, s.mail_id FROM msgrcpt s"
    " WHERE s.rid IN (SELECT a.id FROM maddr a WHERE $WANTED)"
    " UNION SELECT o.partition_tag, o.mail_id FROM lz_addresses a JOIN lz_msgs o ON o.id = a.msg"
    " WHERE a.field = 'T' AND ($WANTED))"
)
_LOCAL_PART_SENT = "m.sid IN (SELECT a.id FROM maddr a WHERE a.email LIKE :local ESCAPE '!')"
_LOCAL_PART_RECEIVED = (
    "EXISTS (SELECT 1 FROM msgrcpt r JOIN maddr a ON a.id = r.rid WHERE r.partition_tag = m.partition_tag"
    " AND r.mail_id = m.mail_id AND a.email LIKE :local ESCAPE '!')"
)


@dataclass(frozen=True, slots=True)
class _Field:
    """How one field looks for an address, and how for part of a name."""

    addressed: str
    local_part: str
    names: tuple[str, ...]


_FIELDS = {
    "from": _Field(_ENVELOPE_OR_HEADER_FROM, _LOCAL_PART_SENT, ("l.from_words", "l.reply_words")),
    "envelope-from": _Field(_SENT_BY, _LOCAL_PART_SENT, ()),
    "header-from": _Field(_IN_FROM, "", ("l.from_words",)),
    "to": _Field(_ENVELOPE_OR_HEADER_TO, _LOCAL_PART_RECEIVED, ("l.to_words",)),
}


def addressed(field: str, value: str) -> Condition:
    """What `field:value` asks of a message."""
    place = _FIELDS[field]
    value = value.strip("<>")
    if "@" in value.strip("@") or value == "":
        return _wanted(place, "a.email = :email", {"email": key(value)})
    if value.startswith("@") or "." in value:
        return _wanted(place, BELOW, below(value.lstrip("@.")))
    return _named(place, value)


BELOW = "a.domain = :domain OR (a.domain >= :below AND a.domain < :beyond)"


def below(domain: str) -> dict[str, object]:
    """The range of reversed domains that `a.domain` lies in: `/` is the character after `.`."""
    reverse = address.reversed_domain("@" + domain)
    return {"domain": reverse, "below": reverse + ".", "beyond": reverse + "/"}


def _wanted(place: _Field, sql: str, values: dict[str, object]) -> Condition:
    timed = place.addressed.replace("$WANTED", sql)
    wanted = timed.replace("$TIME", "").replace("$NO_TIME", "")
    if not wanted.startswith(_KEYS_IN) or " OR l.id IN " in wanted:
        return Condition(wanted, values)
    timed = timed.replace("$TIME", ", s.time_num").replace("$NO_TIME", ", NULL")
    start = len(_KEYS_IN)
    return Condition(wanted, values, (Source(wanted[start:-1], values, whole=wanted, timed=timed[start:-1]),))


def _named(place: _Field, value: str) -> Condition:
    """Part of a name in the header, or of a local part in envelope or header."""
    conditions = []
    if place.local_part:
        conditions.append(Condition(place.local_part, {"local": f"%{escaped(value.lower())}%@%"}))
    named = " ".join(words.phrase(value).words)
    if named:
        conditions += [like(column, f"%{escaped(named)}%") for column in place.names]
    if named and "l.from_words" in place.names:
        conditions.append(_named_by_amavis(value))
    return joined(conditions, "OR") if conditions else NEVER


def _named_by_amavis(value: str) -> Condition:
    """Rows of amavisd have no words; their header From is searched as it stands."""
    other = like("LOWER(m.from_addr)", f"%{escaped(value.lower())}%")
    return Condition("l.id IS NULL AND " + other.sql, other.values)
