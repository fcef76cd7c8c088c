"""People who use the page and the API: who they are, and whose mail they may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lazaret.model.address import DomainSet, normalise, split


class Role(StrEnum):
    """What somebody is here for."""

    ADMIN = "admin"
    """Sees and does everything."""
    DOMAIN_ADMIN = "domain-admin"
    """The same for the mail of certain domains, and of no other."""
    USER = "user"
    """Sees what came for certain addresses: his own and their aliases."""
    AUDITOR = "auditor"
    """Sees figures, the history and who did what; reads no mail and changes nothing."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose copies somebody may see. The text of a message may still be closed to him."""

    everything: bool = False
    addresses: frozenset[str] = frozenset()
    """Normalised."""
    domains: tuple[str, ...] = ()
    """In lower-case ASCII; `.example.org` is that domain and all below it."""
    bodies: bool = True
    """Whether a search may look into texts and attachments."""

    @classmethod
    def of(cls, addresses: Iterable[str] = (), domains: Iterable[str] = ()) -> "Sight":
        """The sight of these addresses and domains."""
        return cls(addresses=frozenset(map(normalise, addresses)), domains=tuple(sorted(domains)))

    def covers(self, address: str) -> bool:
        """Whether the copy for this recipient may be seen."""
        if self.everything:
            return True
        plain = normalise(address)
        return plain in self.addresses or split(plain)[1] in DomainSet(self.domains)


ALL = Sight(everything=True)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name to log in with."""

    id: int
    name: str
    """Lower case; mostly a mail address."""
    role: Role
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    language: str = ""
    """Empty: what the browser asks for."""
    disabled: bool = False
    created: float = 0.0
    """Seconds since 1970."""
    last_login: float = 0.0
    """0: never."""
    has_password: bool = False
    totp: bool = False
    """Beside it a code of an authenticator app is asked for."""
    passkeys: int = 0
    """So many let in without a password, and are asked for beside it."""
    single_sign_on: bool = False
    """An OpenID provider knows him."""
    role_is_given: bool = False
    """Role and domains hold for this session: the provider that opened it says so, not the account."""

    @property
    def second_factor(self) -> bool:
        """His password alone does not let in."""
        return self.totp or self.passkeys > 0

    @property
    def sight(self) -> Sight:
        """Whose mail this person may see."""
        if self.role is Role.ADMIN:
            return ALL
        if self.role is Role.AUDITOR:
            return Sight(everything=True, bodies=False)
        if self.role is Role.DOMAIN_ADMIN:
            return Sight.of(self.addresses, self.domains)
        return Sight.of(self.addresses)
