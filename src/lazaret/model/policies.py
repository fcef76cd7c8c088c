"""What people have written into the database about their mail: policies, and lists of senders."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER = re.compile(r"[+-]?[0-9]{1,6}(?:\.[0-9]{0,6})?")


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A row of `users` with its row of `policy`: what was set for an address, a domain or everybody."""

    user: int
    """`users.id`, which the lists of senders hang on."""
    key: str
    """`users.email`: whom the row is for, in one of the forms of `policy.keys`."""
    priority: int
    policy: int = 0
    """`policy.id`; 0 when there is no such row."""
    name: str = ""
    """`policy.policy_name`."""
    local: bool | None = None
    """`users.local`; None when the row says nothing."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Column of `policy` -> value; columns that are NULL are missing."""

    @property
    def origin(self) -> str:
        """In words, for the sentence that explains a verdict."""
        return f'policy "{self.name}" for {self.key}' if self.name else f"policy for {self.key}"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A row of `wblist`: what a recipient, a domain or everybody thinks of a sender."""

    user: int
    owner: str
    """`users.email`: whose list it is."""
    sender: int
    key: str
    """`mailaddr.email`: the address or domain that is listed."""
    priority: int
    wb: str
    """W allow, B block, a number: points, blank: neutral."""
    ours: bool = False
    """Written by Lazaret, not by amavis' tools: an allow entry wants proof of the sender."""
    networks: tuple[str, ...] = ()
    """Where the sender's mail comes from (CIDR): an allow entry counts in full from there."""
    expires: int = 0
    """Seconds since 1970; 0: never."""
    note: str = ""
    who: str = ""
    since: int = 0
    """When it was written, seconds since 1970; 0: unknown."""

    @property
    def word(self) -> str:
        """`wb` without what pads it: amavis' tools may have filled the column with NUL or blanks."""
        return self.wb.strip(" \0")

    @property
    def points(self) -> float | None:
        """What it adds, or takes off; None when it allows or blocks outright, or says nothing."""
        return float(self.word) if _NUMBER.fullmatch(self.word) else None

    @property
    def blocks(self) -> bool:
        """Outright. Whatever is no number, no such letter and not blank allows, as in amavis."""
        return self.word[:1] in tuple("BbNnFf")


@dataclass(frozen=True, slots=True)
class PoliciesState:
    """Whether the tables hold anything, and the count of changes that Lazaret made to them."""

    number: int = 0
    policies: bool = False
    """There are rows in `users`."""
    lists: bool = False
    """There are rows in `wblist`."""


@dataclass(frozen=True, slots=True)
class PoliciesFound:
    """What the tables say about some recipients and senders."""

    rows: tuple[PolicyRow, ...] = ()
    entries: tuple[ListEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A row of `policy`, by itself."""

    id: int
    name: str
    users: int
    """How many rows of `users` have it."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Column -> value; columns that are NULL are missing."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Who set or took back what, as the record of acts has it."""

    time: float
    """Seconds since 1970."""
    who: str
    act: str
    """`policy set` or `policy unset`."""
    detail: str
    """For whom, and what: `ann@example.org: quarantine=6.5`."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry that is to be written into the list of `owner`."""

    owner: str
    key: str
    wb: str
    networks: tuple[str, ...] = ()
    expires: int = 0
    note: str = ""
