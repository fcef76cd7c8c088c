"""What must hold between options, and between them and the machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lazaret.config.account import service_account
from lazaret.config.endpoint import Endpoint
from lazaret.config.options import Config


@dataclass(frozen=True, slots=True)
class Conflict:
    """Options that cannot stand together. The error points to the first of `keys` that was set."""

    keys: tuple[str, ...]
    text: str


def conflicts(config: Config, euid: int) -> Iterator[Conflict]:
    """Everything that does not fit; `euid` is the effective user who would start the service."""
    yield from _levels(config)
    yield from _open_listeners(config, euid)
    yield from _listeners_twice(config)
    yield from _mail_loop(config)
    yield from _user(config, euid)
    yield from _rule_paths(config)
    yield from _tls(config)
    yield from _digests(config)
    yield from _oidc(config)


def _levels(config: Config) -> Iterator[Conflict]:
    levels = config.levels
    if levels.mark > levels.quarantine:
        yield Conflict(
            ("levels.mark", "levels.quarantine"),
            f"levels.mark = {levels.mark} is above levels.quarantine = {levels.quarantine}; "
            "nothing would ever be marked, write mark <= quarantine",
        )
    if levels.quarantine > levels.kill:
        yield Conflict(
            ("levels.quarantine", "levels.kill"),
            f"levels.quarantine = {levels.quarantine} is above levels.kill = {levels.kill}; "
            "nothing would ever be quarantined, write quarantine <= kill",
        )


def _listeners(config: Config) -> Mapping[str, tuple[Endpoint, ...]]:
    listen = config.listen
    return {
        "listen.smtp": listen.smtp,
        "listen.before_queue": listen.before_queue,
        "listen.originating": listen.originating,
        "listen.ampdp": listen.ampdp,
        "listen.spamd": listen.spamd,
        "listen.http": (listen.http,) if listen.http else (),
    }


def _open_listeners(config: Config, euid: int) -> Iterator[Conflict]:
    """A listener that other machines reach: never as root, and never without saying who may use it."""
    as_root = euid == 0 and _runs_as_root(config)
    for key, endpoints in _listeners(config).items():
        reachable = next((e for e in endpoints if not e.loopback), None)
        if reachable is None:
            continue
        if as_root:
            yield Conflict(
                (key,),
                f"{key}: {reachable} is reachable from other machines, and the service would run as root; "
                "set service.user, or listen on 127.0.0.1",
            )
        if key == "listen.http" and not (config.web.tls_certificate or config.web.proxies):
            yield Conflict(
                (key,),
                f"{key}: {reachable} is reachable from other machines, and passwords would go over the wire "
                "in clear; set web.tls_certificate, or name your reverse proxy in web.proxies",
            )
        # The web page asks for a login instead of an address.
        if key != "listen.http" and not (config.is_set("listen.clients") and config.listen.clients):
            yield Conflict(
                (key, "listen.clients"),
                f"{key}: {reachable} is reachable from other machines; "
                "write in listen.clients who may use it",
            )


def _runs_as_root(config: Config) -> bool:
    try:
        return service_account(config).uid == 0
    except KeyError:
        return False


def _listeners_twice(config: Config) -> Iterator[Conflict]:
    first: dict[Endpoint, str] = {}
    for key, endpoints in _listeners(config).items():
        for endpoint in endpoints:
            if not endpoint.path and not endpoint.port:
                continue
            if endpoint in first:
                yield Conflict((key, first[endpoint]), f"{key}: {endpoint} is also in {first[endpoint]}")
            first.setdefault(endpoint, key)


def _mail_loop(config: Config) -> Iterator[Conflict]:
    ours = {e for key, endpoints in _listeners(config).items() if key != "listen.http" for e in endpoints}
    relay = config.relay
    for key, hops in (
        ("relay.next_hop", relay.next_hop),
        ("relay.release", relay.release),
        # Who listens on port 25 himself has no need of the default.
        ("relay.requeue", relay.requeue if config.is_set("relay.requeue") else ()),
    ):
        for hop in hops:
            if hop.endpoint in ours:
                yield Conflict(
                    (key, "listen.smtp"), f"{key}: {hop} is Lazaret itself; mail would go in circles"
                )


def _user(config: Config, euid: int) -> Iterator[Conflict]:
    if euid != 0:
        return  # Only root can become somebody else, so that nobody looks the name up.
    try:
        service_account(config)
    except KeyError:
        yield Conflict(
            ("service.user",), f'service.user: there is no user "{config.service.user}" on this machine'
        )


def _rule_paths(config: Config) -> Iterator[Conflict]:
    for path in config.rules.paths:
        if not path.exists():
            yield Conflict(("rules.paths",), f"rules.paths: there is no {path}")


def _tls(config: Config) -> Iterator[Conflict]:
    if config.listen.tls_required and config.listen.tls_certificate is None:
        yield Conflict(
            ("listen.tls_required",),
            "listen.tls_required: without listen.tls_certificate there is no STARTTLS and no mail",
        )


def _digests(config: Config) -> Iterator[Conflict]:
    """Digests lead to a page, and go to our own people: both must be known before the first is sent."""
    if not config.digest.enabled:
        return
    if not config.local.domains:
        yield Conflict(
            ("digest.enabled",),
            "digest.enabled: digests go to our own people only; write in local.domains which those are",
        )
    if not config.web.url:
        yield Conflict(
            ("digest.enabled",),
            "digest.enabled: digests lead to the web page; write in web.url where people reach it",
        )


def _oidc(config: Config) -> Iterator[Conflict]:
    """The provider must know to which page it sends people back, and we who we are to it."""
    if not config.oidc.issuer:
        return
    if not config.web.url:
        yield Conflict(
            ("oidc.issuer",),
            "oidc.issuer: the provider sends people back to the page; write in web.url where they reach it",
        )
    if not config.oidc.client_id:
        yield Conflict(
            ("oidc.issuer",), "oidc.issuer: write in oidc.client_id under which the provider knows this page"
        )
    if bool(config.oidc.roles) != bool(config.oidc.role_claim):
        yield Conflict(
            ("oidc.roles",),
            "oidc.roles: say in oidc.role_claim in which claim the values stand, or leave out both",
        )
    if not config.oidc.algorithms:
        yield Conflict(
            ("oidc.algorithms",), "oidc.algorithms: nothing could ever sign; leave it out, or name one"
        )
