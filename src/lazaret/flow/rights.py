"""Who may do what: by role, and with one message by its category too."""

from enum import StrEnum

from lazaret.model.person import Role
from lazaret.model.verdict import Category


class Right(StrEnum):
    """Something that one needs leave for."""

    FIND = "find"
    """See lists, and what is known of a message besides its text."""
    PREVIEW = "preview"
    """Read a text."""
    DOWNLOAD = "download"
    """Take a message or an attachment away."""
    RELEASE = "release"
    """Have a copy sent to whom it was meant for."""
    REQUEST = "request"
    """Ask an admin for that."""
    DECIDE = "decide"
    """Grant or deny what users ask for."""
    REDIRECT = "redirect"
    """Release to another address."""
    DELETE = "delete"
    LEARN = "learn"
    LISTS = "lists"
    """Allow and block senders."""
    FIGURES = "figures"
    """Overview, rules, policies."""
    AUDIT = "audit"
    """See who did what."""
    PEOPLE = "people"
    """Let people in and out."""
    SEARCHES = "searches"
    """Keep searches of one's own."""
    DIGEST = "digest"
    """Say how one is told of what is new."""
    ACCOUNT = "account"
    """One's own password, language and tokens."""


_EVERYTHING = frozenset(Right)
# Figures and the record are of all domains.
_DOMAIN_ADMIN = _EVERYTHING - {Right.AUDIT, Right.PEOPLE, Right.REQUEST, Right.FIGURES}
_USER = frozenset(
    {
        *(Right.FIND, Right.PREVIEW, Right.DOWNLOAD, Right.RELEASE, Right.REQUEST, Right.DELETE),
        *(Right.LEARN, Right.LISTS, Right.SEARCHES, Right.DIGEST, Right.ACCOUNT),
    }
)
OF_ROLE = {
    Role.ADMIN: _EVERYTHING - {Right.REQUEST},
    Role.DOMAIN_ADMIN: _DOMAIN_ADMIN,
    Role.USER: _USER,
    Role.AUDITOR: frozenset(
        {Right.FIND, Right.FIGURES, Right.AUDIT, Right.SEARCHES, Right.DIGEST, Right.ACCOUNT}
    ),
}

_DANGEROUS = (Category.VIRUS, Category.BANNED)
_NOT_WITH_DANGEROUS = frozenset({Right.PREVIEW, Right.DOWNLOAD, Right.RELEASE, Right.LEARN})


def rights(role: Role, category: str = "") -> frozenset[Right]:
    """What this role may do with a message of this category (the letter of `msgs.content`).

    A user does not release, open or take away a virus or a forbidden attachment: he asks an admin.
    """
    granted = OF_ROLE[role]
    if role is not Role.USER:
        return granted
    if category in _DANGEROUS:
        return granted - _NOT_WITH_DANGEROUS
    return granted - {Right.REQUEST} if category else granted
