"""What the API takes and gives, as types: they check requests, and the OpenAPI document is made of them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lazaret.flow.lists import LEAST_POINTS, MOST_POINTS
from lazaret.web.acting import ACTS, MOST

MOST_IDS = 500
Address = Annotated[str, Meta(max_length=320)]
Time = Annotated[str, Meta(description="RFC 3339, UTC", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class Message(msgspec.Struct):
    """A message as a row of a list; `from` and `to` are the envelope's.

    `stored`: its text is kept. `campaign`: what it shares with all that are alike, for `campaign:` of a
    query; empty when nobody has looked.
    """

    id: str
    time: Time
    sender: str = msgspec.field(name="from")
    to: list[str]
    subject: str
    score: float
    category: str
    action: str
    state: str
    size: int
    client_ip: str
    symbols: list[str]
    cursor: str
    header_from: str
    stored: bool
    campaign: str


class Line(Message, kw_only=True):
    """The newest of `members` messages that are alike; `more`: there are still more of them."""

    members: int
    more: bool


class Lines(msgspec.Struct):
    """A page of such a list; it may be short though there is a `next`. See Messages."""

    lines: list[Line]
    next: str | None
    searched_since: str | None


class Fresh(msgspec.Struct):
    """The newest lines, those too that came up to a minute before `newer`: put them in by their ids.

    `newest` is the next `newer`. `full`: there may be more, which the list has.
    """

    lines: list[Line]
    newest: str
    full: bool


class Messages(msgspec.Struct):
    """A page of a list; `next` is the cursor of the page after it, null on the last.

    `searched_since` is null, or the moment since when was searched, where words that very many messages have
    did not let the older ones be searched in time.
    """

    messages: list[Message]
    next: str | None
    searched_since: str | None


class Count(msgspec.Struct):
    """How many; `more`: at least so many."""

    count: int
    more: bool


class Copy(msgspec.Struct):
    """One recipient's copy."""

    address: str
    state: str
    action: str
    score: float
    reason: str
    response: str


class Hit(msgspec.Struct):
    """A rule or a check that hit."""

    symbol: str
    score: float
    description: str
    detail: str


class Release(msgspec.Struct):
    """An attempt to release one copy."""

    to: str
    time: Time
    who: str
    state: str
    response: str


class Levels(msgspec.Struct):
    """The points from which mail is marked, quarantined, killed here; `kill` null: nothing is killed."""

    mark: float
    quarantine: float
    kill: float | None


class Detail(Message, kw_only=True):
    """All that is known of a message besides its text.

    `levels`: of the site. `may`: what whoever asks may do with a message of this kind.
    """

    levels: Levels
    may: list[str]
    message_id: str
    queue_id: str
    recipients: list[Copy]
    hits: list[Hit]
    unavailable: list[str]
    attachments: list[str]
    releases: list[Release]


class ReleaseWish(msgspec.Struct, forbid_unknown_fields=True):
    """To whom; nobody: to whom the message was meant for. `again`: also what was released before.

    `learn`: it is taught to be wanted. `allow_sender`: its sender is allowed for those who have it now.
    """

    to: Annotated[list[Address], Meta(max_length=100)] = []
    again: bool = False
    learn: bool = False
    allow_sender: bool = False


class Lesson(msgspec.Struct, forbid_unknown_fields=True):
    """What the message is."""

    spam: bool


class Taught(msgspec.Struct):
    """new, moved, known, kept (somebody with more say thinks otherwise) or enough (for today)."""

    fate: str


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An empty object."""


class Result(msgspec.Struct):
    """What became of one copy."""

    recipient: str
    words: str
    ok: bool


class Outcome(msgspec.Struct):
    """What became of one message."""

    id: str
    ok: bool
    state: str
    problem: str
    results: list[Result]


ActWord = Annotated[str, Meta(pattern=f"^({'|'.join(ACTS)})$")]


class Acts(msgspec.Struct, forbid_unknown_fields=True):
    """One act on many messages."""

    act: ActWord
    ids: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=MOST_IDS)]


class SearchActs(msgspec.Struct, forbid_unknown_fields=True):
    """One act on all stored messages that a search finds; `everything`: over all mail.

    Without `seen` they are counted, and nothing is done. `seen` is the count that was agreed to: when there
    are more or fewer by now, nothing is done either.
    """

    act: ActWord
    query: Annotated[str, Meta(max_length=4096)]
    everything: bool = False
    seen: Annotated[int, Meta(ge=0, le=MOST)] | None = None


class SearchOutcomes(msgspec.Struct):
    """How many there are, of 5,000 at most; a result for each, null when they were counted only."""

    count: int
    outcomes: list[Outcome] | None


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to whoever asks for the release of a message."""

    id: Annotated[str, Meta(min_length=1, max_length=40)]
    grant: bool


class Outcomes(msgspec.Struct):
    """A result for each, in order."""

    outcomes: list[Outcome]


class Act(msgspec.Struct):
    """A row of the record of acts."""

    id: int
    time: Time
    who: str
    act: str
    mail_id: str
    detail: str


class Record(msgspec.Struct):
    """A page of it; `before` leads to the next one."""

    acts: list[Act]
    before: int | None


class Chain(msgspec.Struct):
    """Whether the record is whole, and where it is not."""

    whole: bool
    faults: list[str]


class Me(msgspec.Struct):
    """Who asks, and what he may do."""

    name: str
    role: str
    addresses: list[str]
    domains: list[str]
    rights: list[str]


# What belongs to whoever asks.

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Short = Annotated[str, Meta(max_length=64)]


class Search(msgspec.Struct):
    """A search that was kept; `everything`: over all mail."""

    id: str
    name: str
    query: str
    everything: bool


class Searches(msgspec.Struct):
    """All of one person."""

    searches: list[Search]


class NewSearch(msgspec.Struct, forbid_unknown_fields=True):
    """A search to keep."""

    name: Name
    query: Annotated[str, Meta(max_length=4096)] = ""
    everything: bool = False


class NewName(msgspec.Struct, forbid_unknown_fields=True):
    """How it is to be called."""

    name: Name


class Digest(msgspec.Struct):
    """How one recipient is told of what is new; not `enabled`: nobody is, here."""

    enabled: bool

    address: str
    interval: str
    hours: list[int]
    time_zone: str
    language: str
    categories: list[str]


class DigestWish(msgspec.Struct, forbid_unknown_fields=True):
    """The same, chosen; no address: one's first one. `default`: as for everybody, whatever else is said."""

    address: Address = ""
    default: bool = False
    interval: Annotated[str, Meta(pattern="^(daily|workdays|weekly|never)$")] = "daily"
    hours: Annotated[list[Annotated[int, Meta(ge=0, le=23)]], Meta(max_length=24)] = []
    time_zone: Short = ""
    language: Short = "en"
    categories: Annotated[list[Short], Meta(max_length=20)] = []


# Senders, people, levels.


class ListEntry(msgspec.Struct):
    """A sender whom a recipient, a domain or everybody allows or blocks."""

    kind: str
    sender: str
    owner: str
    effect: str
    expires: Time | None
    note: str
    who: str


class ListEntries(msgspec.Struct):
    """A page of them."""

    entries: list[ListEntry]
    next: str | None


class Listing(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to allow or to block, or not to any more: an address, a domain, `.domain` with all below it."""

    kind: Annotated[str, Meta(pattern="^(allow|block)$")]
    sender: Annotated[str, Meta(min_length=1, max_length=320)]
    owner: Annotated[str, Meta(min_length=1, max_length=320, description="Whose list; or: everybody")]


class NewListing(Listing):
    """The same, with what an entry may say besides; without `points` it decides."""

    points: (
        Annotated[
            float, Meta(ge=LEAST_POINTS, le=MOST_POINTS, description="Taken off (allow) or added (block)")
        ]
        | None
    ) = None
    networks: Annotated[
        list[Annotated[str, Meta(max_length=50)]],
        Meta(max_length=20, description="Where an allowed sender's mail comes from: 192.0.2.0/24"),
    ] = []
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    note: Annotated[str, Meta(max_length=255)] = ""


class Person(msgspec.Struct):
    """Somebody who may come in."""

    name: str
    role: str
    addresses: list[str]
    domains: list[str]
    disabled: bool
    has_password: bool
    second_factor: bool
    passkeys: int
    single_sign_on: bool
    language: str
    made: Time
    last_login: Time | None


class People(msgspec.Struct):
    """Everybody."""

    people: list[Person]


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody to be let in."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    role: Annotated[str, Meta(pattern="^(admin|domain-admin|user|auditor)$")] = "user"
    addresses: Annotated[list[Address], Meta(max_length=100)] = []
    domains: Annotated[list[Annotated[str, Meta(max_length=255)]], Meta(max_length=100)] = []


class ChangeOfPerson(msgspec.Struct, forbid_unknown_fields=True):
    """What is to become of somebody."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    act: Annotated[str, Meta(pattern="^(close|open|link|reset-totp|remove-identity|remove-passkeys|remove)$")]


class Invitation(msgspec.Struct):
    """The link by which he chooses a password; empty when none was made."""

    name: str
    link: str
