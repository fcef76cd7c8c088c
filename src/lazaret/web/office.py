"""What stands behind pages and API: the parts that they work with, put together once per process."""

from dataclasses import dataclass
from typing import Protocol

from lazaret import app
from lazaret.config.options import Config
from lazaret.flow.digest import Digests
from lazaret.flow.links import Links
from lazaret.flow.lists import ListDesk
from lazaret.flow.login import Doorkeeper
from lazaret.flow.mail_login import MailLogin
from lazaret.flow.passkeys import Passkeys
from lazaret.flow.policy_desk import PolicyDesk
from lazaret.flow.quarantine import QuarantineDesk
from lazaret.flow.rights import Matrix
from lazaret.flow.second_factor import SecondFactor
from lazaret.flow.sign_on import SignOn
from lazaret.flow.tokens import Tokens
from lazaret.net.relay import Relay
from lazaret.rules.ruleset import RuleSet
from lazaret.store.opening import Store
from lazaret.web.throttle import Throttle


class Health(Protocol):
    """What the application asks about the service."""

    async def ready(self) -> list[str]:
        """What is missing, in words; empty when all is well."""

    def figures(self) -> dict[str, float]:
        """Copies by fate since the start."""

    def metrics(self) -> bytes:
        """All figures in Prometheus' text format."""

    def throttled(self) -> None:
        """Counts a request that was one too many."""


@dataclass(frozen=True, slots=True)
class Office:
    """One per process."""

    config: Config
    health: Health
    throttle: Throttle
    store: Store
    desk: QuarantineDesk
    matrix: Matrix
    lists: ListDesk
    policies: PolicyDesk
    doorkeeper: Doorkeeper
    second_factor: SecondFactor
    tokens: Tokens
    relay: Relay
    links: Links
    digests: Digests
    mail_login: MailLogin
    passkeys: Passkeys
    sign_on: SignOn | None
    """Where there is an OpenID provider."""

    @classmethod
    def open(cls, config: Config, store: Store, health: Health, ruleset: RuleSet | None = None) -> "Office":
        """The store stays its opener's to close. `ruleset`: in whose words the learner reads a message."""
        relay = app.release_relay(config)
        doorkeeper = Doorkeeper(store.people, store.second_factors)
        return cls(
            config=config,
            health=health,
            throttle=Throttle(config.web.requests_per_minute),
            store=store,
            desk=app.make_desk(config, store, relay, ruleset),
            matrix=Matrix(config.rights),
            lists=app.make_list_desk(config, store),
            policies=app.make_policy_desk(config, store),
            doorkeeper=doorkeeper,
            second_factor=SecondFactor(
                store.second_factors,
                store.people,
                doorkeeper,
                app.site_of(config).hostname,
                app.make_seal(config),
            ),
            tokens=Tokens(store.tokens),
            relay=relay,
            links=app.make_links(config),
            digests=app.make_digests(config, store, relay),
            mail_login=app.make_mail_login(config, store, relay, doorkeeper),
            passkeys=app.make_passkeys(config, store, doorkeeper),
            sign_on=app.make_sign_on(config, store, doorkeeper),
        )

    async def close(self) -> None:
        """Ends connections and threads."""
        self.doorkeeper.close()
        if self.sign_on is not None:
            self.sign_on.close()
        await self.mail_login.close()
        await self.relay.close()
