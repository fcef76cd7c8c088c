"""What goes wrong between Postfix and Lazaret as both are configured, and the lines that put it right."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from lazaret.config.endpoint import Endpoint, NextHop
from lazaret.config.options import Config
from lazaret.config.postfix import Postfix, Service

PATIENCE_S = 600
"""How long we wait for the next hop at most: whoever feeds us must wait longer."""
PROXY_PATIENCE_S = 300
RECIPIENTS = 1000
_SUBMISSION = (465, 587)
_LOOPBACK = ("", "127.0.0.1", "::1", "localhost")
_ANYWHERE = ("0.0.0.0", "::", "*")
_BACK = (
    "content_filter=",
    "smtpd_proxy_filter=",
    "receive_override_options=no_header_body_checks,no_milters",
    "message_size_limit=0",
    "mynetworks=127.0.0.0/8",
    "smtpd_client_restrictions=permit_mynetworks,reject",
    "smtpd_relay_restrictions=permit_mynetworks,reject",
    "smtpd_recipient_restrictions=permit_mynetworks,reject",
    "smtpd_authorized_xforward_hosts=127.0.0.0/8",
)


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """Mail is lost to its reader, goes round, or passes by the filter."""
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    severity: Severity
    problem: str
    """One word for programs: loop, double-expansion, size …"""
    where: str
    """`main.cf`, `master.cf 127.0.0.1:10025`, `lazaret.toml`."""
    text: str
    write: tuple[str, ...] = ()
    """Lines to be written there."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A service of Postfix that hands its mail to us."""

    service: Service
    proxy: bool
    """smtpd_proxy_filter, before the queue; else content_filter, after it."""
    role: str
    """The listener of ours that it reaches: smtp, before_queue, originating."""
    transport: str = ""
    """Of content_filter: the service of master.cf that carries the mail."""

    def __str__(self) -> str:
        way = "smtpd_proxy_filter" if self.proxy else f"content_filter, transport {self.transport}"
        return f"{self.service} -> listen.{self.role} ({way})"


@dataclass(frozen=True, slots=True)
class Road:
    """How mail goes from Postfix through us and back, as far as both configurations tell."""

    feeds: tuple[Feed, ...]
    back: tuple[Service, ...]


def road(config: Config, postfix: Postfix) -> Road:
    """Who hands mail to us, and who takes it back."""
    hops = [hop.endpoint for hop in config.relay.next_hop if not hop.lmtp and hop.endpoint.loopback]
    smtpd = list(postfix.of_type("inet", command="smtpd"))
    back = tuple(s for s in smtpd if any(s.port and s.port == hop.port for hop in hops))
    sources = [*smtpd, *postfix.of_type("unix", "fifo", command="pickup")]
    return Road(tuple(feed for s in sources for feed in _feeds(config, postfix, s)), back)


def check(config: Config, postfix: Postfix) -> list[Finding]:
    """All findings, the worst first."""
    way = road(config, postfix)
    found = [
        *_feeding(config, postfix, way),
        *_transports(postfix, way),
        *_way_back(config, postfix, way),
        *_mappings(postfix, way),
        *_sizes(config, postfix, way),
        *_our_listeners(config),
    ]
    return sorted(found, key=lambda one: list(Severity).index(one.severity))


def _feeds(config: Config, postfix: Postfix, service: Service) -> Iterator[Feed]:
    proxy = postfix.value("smtpd_proxy_filter", service) if service.command == "smtpd" else ""
    role = _role(config, proxy)
    if role:
        yield Feed(service, True, role)
        return  # Postfix goes by the first of the two alone until the mail is back
    transport, _, place = postfix.value("content_filter", service).partition(":")
    role = _role(config, place)
    if role:
        yield Feed(service, False, role, transport)


def _role(config: Config, place: str) -> str:
    """Which of our listeners `[host]:port`, `host:port` or `unix:path` reaches; "" for none."""
    path = place.removeprefix("unix:") if place.startswith("unix:") else ""
    host, _, port = place.removeprefix("inet:").rpartition(":")
    for role in ("smtp", "before_queue", "originating"):
        for ours in getattr(config.listen, role):
            if path and ours.path == path:
                return role
            if not path and port == str(ours.port) and ours.port and _same_host(host.strip("[]"), ours):
                return role
    return ""


def _same_host(host: str, ours: Endpoint) -> bool:
    return host == ours.host or ours.host in _ANYWHERE or (host in _LOOPBACK and ours.loopback)


def _feeding(config: Config, postfix: Postfix, way: Road) -> Iterator[Finding]:
    if all(feed.role == "originating" for feed in way.feeds):
        elsewhere = postfix.value("content_filter")
        known = f": content_filter = {elsewhere} goes elsewhere" if elsewhere else ""
        ours = next((str(e) for e in config.listen.smtp if not e.path), "127.0.0.1:10024")
        host, _, port = ours.rpartition(":")
        yield Finding(
            Severity.WARNING,
            "no-feed",
            "main.cf",
            f"incoming mail does not pass Lazaret{known}",
            (f"content_filter = lazaret:[{host.strip('[]')}]:{port}",),
        )
    for feed in way.feeds:
        where = f"master.cf {feed.service.name}"
        if not feed.proxy and feed.role == "before_queue":
            text = "mail taken already goes to listen.before_queue: our refusals become bounces to anybody"
            yield Finding(Severity.ERROR, "role", where, text)
        if feed.proxy and feed.role == "smtp":
            text = "asks before the queue, but at listen.smtp: spam is discarded where it could be refused"
            yield Finding(Severity.WARNING, "role", where, text)
        if feed.service.port in _SUBMISSION and feed.role != "originating":
            text = (
                "your own users' mail goes the way of incoming mail: it may be marked, or vanish in silence"
            )
            yield Finding(Severity.WARNING, "submission", where, text, _to_originating(config, feed))
        if feed.proxy and postfix.seconds("smtpd_proxy_timeout", feed.service) < PROXY_PATIENCE_S:
            text = "smtpd_proxy_timeout is short: Postfix gives up while Lazaret still hands the mail on"
            yield Finding(Severity.WARNING, "timeout", where, text, ("-o smtpd_proxy_timeout=300s",))


def _to_originating(config: Config, feed: Feed) -> tuple[str, ...]:
    ours = next((str(e) for e in config.listen.originating if not e.path), "127.0.0.1:10026")
    host, _, port = ours.rpartition(":")
    if feed.proxy:
        return (f"-o smtpd_proxy_filter={ours}",)
    return (f"-o content_filter={feed.transport}:[{host.strip('[]')}]:{port}",)


def _transports(postfix: Postfix, way: Road) -> Iterator[Finding]:
    """The services that carry mail to us after the queue."""
    for name in dict.fromkeys(feed.transport for feed in way.feeds if not feed.proxy):
        where = f"master.cf {name}"
        service = next((s for s in postfix.of_type("unix") if s.name == name), None)
        if service is None:
            line = f"{name} unix - - n - 20 lmtp"
            text = f"content_filter names a transport {name} that is not there: mail stays in the queue"
            yield Finding(Severity.ERROR, "no-transport", "master.cf", text, (line, *_carrying("lmtp")))
            continue
        speaks = service.command
        if speaks not in ("smtp", "lmtp"):
            continue
        forward, patience, _ = _carrying(speaks)
        if postfix.value(f"{speaks}_send_xforward_command", service) != "yes":
            text = "XFORWARD is missing: every message seems to come from this machine, none from yours"
            yield Finding(Severity.WARNING, "xforward", where, text, (forward,))
        if postfix.seconds(f"{speaks}_data_done_timeout", service) <= PATIENCE_S:
            text = "when the next hop is slow, Postfix gives up before Lazaret does, and sends a second copy"
            yield Finding(Severity.WARNING, "timeout", where, text, (patience,))
        limit = postfix.number(f"{name}_destination_recipient_limit") or postfix.number(
            "default_destination_recipient_limit"
        )
        if limit < RECIPIENTS:
            text = f"a message to more than {limit} recipients is scored, and quarantined, several times"
            write = (f"{name}_destination_recipient_limit = {RECIPIENTS}",)
            yield Finding(Severity.NOTE, "recipients", "main.cf", text, write)


def _carrying(speaks: str) -> tuple[str, str, str]:
    return (
        f"-o {speaks}_send_xforward_command=yes",
        f"-o {speaks}_data_done_timeout=1200s",
        "-o disable_mime_output_conversion=yes",
    )


def _way_back(config: Config, postfix: Postfix, way: Road) -> Iterator[Finding]:
    for hop in config.relay.next_hop:
        if hop.lmtp or not hop.endpoint.loopback or hop.endpoint.path:
            continue
        if not any(s.port == hop.endpoint.port for s in way.back):
            yield _nobody_listens(hop)
    for service in way.back:
        where = f"master.cf {service.name}"
        for name in ("content_filter", "smtpd_proxy_filter"):
            value = postfix.value(name, service)
            if value:
                text = f"{name} = {value} holds here too: mail that comes back from Lazaret goes round"
                yield Finding(Severity.ERROR, "loop", where, text, (f"-o {name}=",))
        if postfix.value("smtpd_milters", service) and "no_milters" not in _overrides(postfix, service):
            text = "milters see the mail a second time, as if it came from this machine"
            line = f"-o receive_override_options={','.join([*_overrides(postfix, service), 'no_milters'])}"
            yield Finding(Severity.WARNING, "milters", where, text, (line,))
        if _is_open(postfix, service):
            text = "is reachable from other machines: whoever finds the port sends past the filter"
            yield Finding(Severity.ERROR, "open-listener", where, text, _closed(service))


def _nobody_listens(hop: NextHop) -> Finding:
    text = f"relay.next_hop = {hop}: no smtpd of this Postfix listens there; mail stays in the queue"
    lines = (f"{hop.endpoint} inet n - n - - smtpd", *(f"-o {option}" for option in _BACK))
    return Finding(Severity.ERROR, "nobody-listens", "master.cf", text, lines)


def _is_open(postfix: Postfix, service: Service) -> bool:
    if service.host:
        reachable = service.host not in _LOOPBACK
    else:
        reachable = not set(postfix.words("inet_interfaces")) <= {"loopback-only", *_LOOPBACK}
    restrictions = postfix.words("smtpd_client_restrictions", service)
    closed = restrictions == ["permit_mynetworks", "reject"]
    ours_alone = all(word.startswith(("127.", "[::1]")) for word in postfix.words("mynetworks", service))
    return reachable and not (closed and ours_alone)


def _closed(service: Service) -> tuple[str, ...]:
    return (
        f"127.0.0.1:{service.port} inet n - n - - smtpd",
        "-o mynetworks=127.0.0.0/8",
        "-o smtpd_client_restrictions=permit_mynetworks,reject",
    )


def _overrides(postfix: Postfix, service: Service) -> list[str]:
    return postfix.words("receive_override_options", service)


def _maps(postfix: Postfix, service: Service) -> bool:
    return "no_address_mappings" not in _overrides(postfix, service)


def _mappings(postfix: Postfix, way: Road) -> Iterator[Finding]:
    """Aliases and copies must be expanded once: by the first cleanup(8) or by the second."""
    for back in way.back:
        where = f"master.cf {back.name}"
        again = _maps(postfix, back)
        without = [o for o in _overrides(postfix, back) if o != "no_address_mappings"]
        for feed in way.feeds:
            if feed.service is back:
                continue
            # smtpd_proxy_filter comes before any cleanup(8).
            first = not feed.proxy and _maps(postfix, feed.service)
            if first and again:
                yield from _expanded_twice(feed.service, back, without)
                break
            if not first and not again:
                text = f"aliases and copies are expanded nowhere for mail of {feed.service.name}"
                write = (f"-o receive_override_options={','.join(without)}",)
                yield Finding(Severity.ERROR, "no-expansion", where, text, write)
                break


def _expanded_twice(first: Service, back: Service, without: list[str]) -> Iterator[Finding]:
    text = f"aliases and copies are expanded twice: at {first.name}, and again at {back.name}"
    if "receive_override_options" in first.options:
        options = ",".join(filter(None, [first.options["receive_override_options"], "no_address_mappings"]))
        where, line = f"master.cf {first.name}", f"-o receive_override_options={options}"
    else:
        where, line = "main.cf", "receive_override_options = no_address_mappings"
    yield Finding(Severity.ERROR, "double-expansion", where, text, (line,))
    if "receive_override_options" not in back.options:
        text = "the line for main.cf would hold here too, where aliases must be expanded"
        write = (f"-o receive_override_options={','.join(without) or 'no_milters'}",)
        yield Finding(Severity.ERROR, "double-expansion", f"master.cf {back.name}", text, write)


def _sizes(config: Config, postfix: Postfix, way: Road) -> Iterator[Finding]:
    taken = [postfix.number("message_size_limit", feed.service) for feed in way.feeds]
    if not taken:
        return
    most = 0 if 0 in taken else max(taken)
    ours = config.limits.message_size
    if ours and (ours < most or not most) and any(not feed.proxy for feed in way.feeds):
        text = f"limits.message_size = {ours}, but Postfix takes {most or 'any size'}: the difference bounces"
        yield Finding(Severity.WARNING, "size", "lazaret.toml", text, ("[limits]", f"message_size = {most}"))
    for back in way.back:
        cleanup = postfix.value("cleanup_service_name", back) or "cleanup"
        behind = next((s for s in postfix.of_type("unix") if s.name == cleanup), None)
        for service in (back, behind):
            limit = postfix.number("message_size_limit", service)
            if service is not None and limit and (limit <= most or not most):
                text = f"message_size_limit = {limit}: a message just below it grows on its way, and bounces"
                write = ["-o message_size_limit=0"]
                if service is behind and cleanup == "cleanup":
                    write = ["filtered-cleanup unix n - n - 0 cleanup", *write]
                    write.append(f"and under {back.name}: -o cleanup_service_name=filtered-cleanup")
                yield Finding(Severity.WARNING, "size", f"master.cf {service.name}", text, tuple(write))


def _our_listeners(config: Config) -> Iterator[Finding]:
    everybody = [str(n) for n in config.listen.clients if n.prefixlen == 0]
    for role in ("smtp", "before_queue", "originating", "ampdp", "spamd"):
        for endpoint in getattr(config.listen, role):
            if everybody and not endpoint.loopback:
                text = f"listen.{role} = {endpoint}, and listen.clients = {everybody[0]} lets anybody in"
                yield Finding(
                    Severity.ERROR,
                    "open-listener",
                    "lazaret.toml",
                    text,
                    ("[listen]", "clients = [the addresses of your MTA]"),
                )
