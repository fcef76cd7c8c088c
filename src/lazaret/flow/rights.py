"""Who may do what: by role, and with one message by its category too."""

from enum import StrEnum

from lazaret.config.page_options import Rights
from lazaret.model.grant import Grant
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
    ALLOW = "allow"
    """Allow a sender."""
    BLOCK = "block"
    """Block a sender."""
    LISTS = "lists"
    """See who is allowed and blocked."""
    FIGURES = "figures"
    """Overview, rules."""
    POLICIES = "policies"
    """See what holds for an address, and who set it."""
    LEVELS = "levels"
    """Set levels and exceptions."""
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


_EVERYTHING = frozenset(Right) - {Right.REQUEST}
_OF_MESSAGES = frozenset(Right(grant.value) for grant in Grant)
_LISTING = frozenset({Right.ALLOW, Right.BLOCK})
# The record and the people are of all domains; figures and policies are of those that he has.
_DOMAIN_ADMIN = _EVERYTHING - {Right.AUDIT, Right.PEOPLE}
_OF_ROLE = {
    Role.ADMIN: _EVERYTHING,
    Role.DOMAIN_ADMIN: _DOMAIN_ADMIN - _OF_MESSAGES,
    Role.USER: frozenset({Right.FIND, Right.LISTS, Right.SEARCHES, Right.DIGEST, Right.ACCOUNT}),
    Role.AUDITOR: frozenset(
        {
            *(Right.FIND, Right.FIGURES, Right.POLICIES, Right.AUDIT),
            *(Right.SEARCHES, Right.DIGEST, Right.ACCOUNT),
        }
    ),
}
"""Role -> what it may do whatever the matrix says."""
ORDINARY = ""
"""The kind of all mail that the matrix has no row of its own for."""


class Matrix:
    """Who may do what: by role, and with one message by its category too."""

    def __init__(self, rights: Rights) -> None:
        """`rights`: as the configuration grants them."""
        granted = {
            Role.USER: {
                ORDINARY: rights.user,
                Category.VIRUS: rights.user_virus,
                Category.BANNED: rights.user_banned,
            },
            Role.DOMAIN_ADMIN: {
                ORDINARY: rights.domain_admin,
                Category.VIRUS: rights.domain_admin_virus,
                Category.BANNED: rights.domain_admin_banned,
            },
        }
        self._of_messages = {
            role: {str(kind): frozenset(Right(g.value) for g in grants) for kind, grants in kinds.items()}
            for role, kinds in granted.items()
        }

    def rights(self, role: Role, category: str) -> frozenset[Right]:
        """What this role may do with a message of this category (the letter of `msgs.content`)."""
        kinds = self._of_messages.get(role)
        if kinds is None:
            return _OF_ROLE[role]
        return _whole(role, kinds.get(category, kinds[ORDINARY]))

    def somewhere(self, role: Role) -> frozenset[Right]:
        """What this role may do with some message or other, and what needs none."""
        kinds = self._of_messages.get(role)
        if kinds is None:
            return _OF_ROLE[role]
        every = frozenset[Right]().union(*kinds.values())
        # A sender is on a list for all his mail, whatever kind it is.
        return _whole(role, every - _LISTING | kinds[ORDINARY] & _LISTING)


def _whole(role: Role, of_messages: frozenset[Right]) -> frozenset[Right]:
    """To send to another address, or to see the lists, means nothing to who may not release, or not list."""
    found = _OF_ROLE[role] | of_messages
    if Right.RELEASE not in of_messages:
        found -= {Right.REDIRECT}
    return found if of_messages & _LISTING else found - {Right.LISTS}
