"""Which policy holds for a recipient, as far as the configuration says (`merge` adds the database)."""

from collections.abc import Iterable
from dataclasses import replace

from lazaret.model.address import DomainSet, normalise, split
from lazaret.model.verdict import Policy

MOST_KNOWN = 10_000
"""Recipients whose policy is kept."""


class AddressSet:
    """Addresses by pattern: `user@` (in every domain), `user@domain`, `@domain`, `@.domain` (and below)."""

    __slots__ = ("_addresses", "_domains", "_locals")

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        patterns = list(patterns)
        self._locals = frozenset(p[:-1].lower() for p in patterns if p.endswith("@"))
        self._domains = DomainSet(p[1:] for p in patterns if p.startswith("@"))
        self._addresses = frozenset(normalise(p) for p in patterns if p[:1] != "@" and p[-1:] != "@")

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, str):
            return False
        address = normalise(address)
        local, domain = split(address)
        return local in self._locals or address in self._addresses or domain in self._domains


class Lookup:
    """The site's policy, with the exceptions that addresses make."""

    def __init__(
        self, default: Policy, *, local_domains: Iterable[str] = (), always_deliver: Iterable[str] = ()
    ) -> None:
        self.default = default
        """Of whom nothing else is said."""
        self._local = DomainSet(local_domains)
        self._always = AddressSet(always_deliver)
        self._known: dict[str, Policy] = {}

    def policy_for(self, recipient: str) -> Policy:
        """The policy of one recipient."""
        known = self._known.get(recipient)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[recipient] = replace(
                self.default, local=self.is_local(recipient), always_deliver=recipient in self._always
            )
        return known

    def is_local(self, address: str) -> bool:
        """Whether the address is one of ours; without `local.domains` every one but the null sender is."""
        return bool(address) and (not self._local or split(address)[1] in self._local)

    def is_known_local(self, address: str) -> bool:
        """Whether `local.domains` names its domain."""
        return split(address)[1] in self._local
