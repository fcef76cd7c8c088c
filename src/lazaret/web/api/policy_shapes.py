"""What the API takes and gives about policies, as types; see `shapes`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lazaret.web.api.shapes import Time


class PolicySetting(msgspec.Struct):
    """A setting as it holds for a recipient, and where it was set."""

    key: str
    value: str
    origin: str


class PolicyChange(msgspec.Struct):
    """Who set or took back what."""

    time: Time
    who: str
    act: str
    detail: str


class PolicyExplained(msgspec.Struct):
    """What holds for a recipient; `sender`: what his lists say of the sender, null when none was named.

    `changes`: who changed what for him, his domain or everybody, the newest first.
    """

    settings: list[PolicySetting]
    sender: str | None
    changes: list[PolicyChange]


Whom = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=320,
        description="An address, a domain, `.domain` with all below it, everybody",
    ),
]
SettingName = Annotated[str, Meta(min_length=1, max_length=64)]
Settings = Annotated[
    dict[SettingName, Annotated[str, Meta(max_length=255)]],
    Meta(min_length=1, max_length=40, description="As `lazaret policy set` takes them: name and value"),
]


class SettingMeaning(msgspec.Struct):
    """What a setting is for."""

    name: str
    text: str


class SettingMeanings(msgspec.Struct):
    """All that can be set."""

    settings: list[SettingMeaning]


class PolicyOf(msgspec.Struct):
    """What an address, a domain or everybody has of his own."""

    whom: str = msgspec.field(name="for")
    policy: str
    priority: int
    settings: dict[str, str]


class Policies(msgspec.Struct):
    """A page of them."""

    policies: list[PolicyOf]
    next: str | None


class PolicyWish(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be set, and for whom."""

    whom: Whom = msgspec.field(name="for")
    settings: Settings


class PolicySet(msgspec.Struct):
    """What he has now, and what one should know about it."""

    policy: PolicyOf
    notes: list[str]


class TakenBack(msgspec.Struct, forbid_unknown_fields=True):
    """Which settings are to say nothing any more; none named: all."""

    whom: Whom = msgspec.field(name="for")
    names: Annotated[list[SettingName], Meta(max_length=40)] = []


class PolicyTakenBack(msgspec.Struct):
    """What was taken back."""

    whom: str = msgspec.field(name="for")
    names: list[str]


class NamedPolicy(msgspec.Struct):
    """A policy that several may have, and how many do."""

    name: str
    users: int
    settings: dict[str, str]


class NamedPolicies(msgspec.Struct):
    """Those that most have first."""

    policies: list[NamedPolicy]


class NamedWish(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be set for all who have the policy."""

    name: Annotated[str, Meta(min_length=1, max_length=32)]
    settings: Settings


class NamedPolicySet(msgspec.Struct):
    """What one should know about it."""

    name: str
    notes: list[str]
