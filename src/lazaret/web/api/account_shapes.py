"""What the API takes and gives about one's own account, as types; see `shapes`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lazaret.flow.login import MAX_PASSWORD
from lazaret.flow.tokens import SCOPES
from lazaret.web.api.shapes import Short, Time

Scope = Annotated[str, Meta(pattern=f"^({'|'.join(SCOPES)})$")]
Password = Annotated[str, Meta(max_length=MAX_PASSWORD)]
Code = Annotated[str, Meta(max_length=40)]
NamedBy = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class SecondFactor(msgspec.Struct):
    """What is asked for beside the password; `required`: this role must have one."""

    app: bool
    recovery_codes: int
    passkeys: int
    required: bool


class Account(msgspec.Struct):
    """One's own account; `language` is empty where pages take what the browser asks for."""

    name: str
    role: str
    language: str
    languages: list[str]
    has_password: bool
    single_sign_on: bool
    made: Time
    last_login: Time | None
    second_factor: SecondFactor


class LanguageWish(msgspec.Struct, forbid_unknown_fields=True):
    """In which language pages are to be; empty: as the browser asks."""

    language: Short


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The old password, and the one in its place."""

    old: Password
    new: Password


class Done(msgspec.Struct):
    """It was done."""

    done: bool


class Session(msgspec.Struct):
    """A browser in which one is logged in; `current`: it asks itself."""

    session: str
    begun: Time
    last_used: Time
    remote: str
    current: bool


class Sessions(msgspec.Struct):
    """The one that was used last first."""

    sessions: list[Session]


class EndSession(msgspec.Struct, forbid_unknown_fields=True):
    """Which one is to end; null: all but the one that asks."""

    session: NamedBy | None


class Token(msgspec.Struct):
    """A token of a program; `expires` null: it does not lapse. `current`: it asks itself. `made_by` names the
    token that made it, with which it is removed; null: a person did."""

    token: str
    label: str
    scopes: list[str]
    made: Time
    expires: Time | None
    last_used: Time | None
    current: bool
    made_by: str | None


class Tokens(msgspec.Struct):
    """The newest first; `token` names one, and is not what it is shown by."""

    tokens: list[Token]


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """What it is for, and so many days until it lapses; null: never, or with the token that asks.

    A session shows the password once more, or a code where there is an app. A token gives no scope that it
    has not, and nothing that outlives it or its own removal.
    """

    label: Annotated[str, Meta(min_length=1, max_length=64)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=20)]
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    password: Password = ""
    code: Code = ""


class MadeToken(msgspec.Struct):
    """The token itself, shown only now."""

    token: str


class RemoveToken(msgspec.Struct, forbid_unknown_fields=True):
    """Which one is to end."""

    token: NamedBy


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    """The password once more, where there is one."""

    password: Password = ""


class AppProposal(msgspec.Struct):
    """A key for an authenticator app; it takes effect with the first code. `uri`: as a QR code holds it."""

    secret: str
    uri: str


class FirstCode(msgspec.Struct, forbid_unknown_fields=True):
    """The key that was proposed, which takes the password, and the first code that the app makes of it."""

    secret: Code
    code: Code


class CodeShown(msgspec.Struct, forbid_unknown_fields=True):
    """A code of the app, or a recovery code."""

    code: Code


class RecoveryCodes(msgspec.Struct):
    """Each lets in once, in the place of the app; shown only now."""

    recovery_codes: list[str]


class Passkey(msgspec.Struct):
    """A passkey; `passkey` names it."""

    passkey: str
    label: str
    made: Time
    last_used: Time | None


class Passkeys(msgspec.Struct):
    """The oldest first. To add one takes a browser."""

    passkeys: list[Passkey]


class RenamePasskey(msgspec.Struct, forbid_unknown_fields=True):
    """What one is to be called."""

    passkey: NamedBy
    label: Annotated[str, Meta(max_length=64, pattern=r"^\S(.*\S)?$")]


class RemovePasskey(msgspec.Struct, forbid_unknown_fields=True):
    """Which one is to let in no more; with the password once more, or a code where there is an app."""

    passkey: NamedBy
    password: Password = ""
    code: Code = ""
