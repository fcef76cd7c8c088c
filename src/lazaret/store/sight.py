"""What somebody may know of, as SQL: no search that he words tells him of other people's copies."""

from lazaret.model import words
from lazaret.model.person import Sight
from lazaret.store.addresses import key
from lazaret.store.condition import NEVER, Condition, Source, escaped, joined, like, one_of
from lazaret.store.search_addresses import BELOW, below

_THEIR_MESSAGES = (
    "SELECT s.partition_tag, s.mail_id FROM msgrcpt s"
    " WHERE s.rid IN (SELECT a.id FROM maddr a WHERE $ADDRESSES)"
)
_OF_MESSAGES = "(m.partition_tag, m.mail_id) IN (" + _THEIR_MESSAGES + ")"
_SEEN = "r.rid IN (SELECT a.id FROM maddr a WHERE $ADDRESSES)"
_COPY_TO = (
    "EXISTS (SELECT 1 FROM msgrcpt r JOIN maddr b ON b.id = r.rid WHERE r.partition_tag = m.partition_tag"
    " AND r.mail_id = m.mail_id AND $SEEN AND ($WANTED))"
)
_HEADER_TO = "l.id IN (SELECT a.msg FROM lz_addresses a WHERE a.field = 'T' AND ($WANTED))"


def of_messages(sight: Sight) -> Condition:
    """Messages with a copy that is covered."""
    covered = addresses(sight)
    theirs = _OF_MESSAGES.replace("$ADDRESSES", covered.sql)
    source = Source(_THEIR_MESSAGES.replace("$ADDRESSES", covered.sql), covered.values, whole=theirs)
    return Condition(theirs, covered.values, (source,))


def of_figures(statement: str, sight: Sight) -> Condition:
    """A statement in which `$MESSAGE` stands for: a copy of m is covered, and `$COPY` for: the copy r is."""
    if sight.everything:
        return Condition(statement.replace("$MESSAGE", "1 = 1").replace("$COPY", "1 = 1"))
    covered = addresses(sight)
    message = _OF_MESSAGES.replace("$ADDRESSES", covered.sql)
    copy = _SEEN.replace("$ADDRESSES", covered.sql)
    return Condition(statement.replace("$MESSAGE", message).replace("$COPY", copy), covered.values)


def of_copies(sql: str, sight: Sight, values: dict[str, object] | None = None) -> Condition:
    """A condition in which `$SEEN` stands for: the copy r is covered."""
    if sight.everything:
        return Condition(sql.replace("$SEEN", "1 = 1"), values or {})
    covered = addresses(sight)
    seen = _SEEN.replace("$ADDRESSES", covered.sql)
    return Condition(sql.replace("$SEEN", seen), covered.values | (values or {}))


def addressed_to(value: str, sight: Sight) -> Condition:
    """`to:value` for a limited sight: the header's recipients, which he can read, and those he covers."""
    value = value.strip("<>")
    if "@" in value.strip("@"):
        exact: dict[str, object] = {"wanted_email": key(value)}
        return _either("a.email = :wanted_email", exact, sight)
    if value.startswith("@") or "." in value:
        names: dict[str, object] = {
            f"wanted_{name}": item for name, item in below(value.lstrip("@.")).items()
        }
        wanted = BELOW.replace(":domain", ":wanted_domain")
        wanted = wanted.replace(":below", ":wanted_below").replace(":beyond", ":wanted_beyond")
        return _either(wanted, names, sight)
    local: dict[str, object] = {"wanted_local": f"%{escaped(value.lower())}%@%"}
    copy = _copy("b.email LIKE :wanted_local ESCAPE '!'", local, sight)
    named = " ".join(words.phrase(value).words)
    return joined([copy, like("l.to_words", f"%{escaped(named)}%")], "OR") if named else copy


def _either(wanted: str, values: dict[str, object], sight: Sight) -> Condition:
    header = Condition(_HEADER_TO.replace("$WANTED", wanted), values)
    return joined([header, _copy(wanted.replace("a.", "b."), values, sight)], "OR")


def _copy(wanted: str, values: dict[str, object], sight: Sight) -> Condition:
    return of_copies(_COPY_TO.replace("$WANTED", wanted), sight, values)


def addresses(sight: Sight) -> Condition:
    """Rows a of maddr that are covered."""
    some = [one_of("a.email", [key(address) for address in sorted(sight.addresses)])]
    for domain in sight.domains:
        if domain.startswith("."):
            some.append(Condition(BELOW, below(domain[1:])))
        else:
            some.append(Condition("a.domain = :domain", {"domain": below(domain)["domain"]}))
    some = [condition for condition in some if condition is not NEVER]
    return joined(some, "OR") if some else NEVER
