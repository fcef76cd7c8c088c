"""Every setting, and the only home of each: its name, kind, unit, default and meaning.

Those of the page stand in `page_options.py`.
"""

# ruff: noqa: RUF009  -- `option` is this room's word for dataclasses.field

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from lazaret.config import words
from lazaret.config.endpoint import Endpoint, NextHop
from lazaret.config.kinds import (
    NETWORK,
    Network,
    Number,
    Parsed,
    PartitionTag,
    Several,
    Size,
    Switch,
    Text,
    Whole,
    Word,
    network,
)
from lazaret.config.option import Option, option
from lazaret.config.page_options import Oidc, Rights, Web
from lazaret.model.digest import Interval, Told
from lazaret.model.keeping import KeepRule
from lazaret.model.partition import ALWAYS_0, Partition

LISTENER = Parsed("an address to listen on", Endpoint.parse)
NEXT_HOP = Parsed("a next hop", NextHop.parse)
KEEP_RULE = Parsed("what, and days", words.keep_rule, words.write_keep_rule)
KEPT_DAYS = Whole(1, words.MOST_DAYS)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where Lazaret listens, and who may speak to it."""

    smtp: tuple[Endpoint, ...] = option(
        Several(LISTENER),
        (Endpoint("127.0.0.1", 10024),),
        "After-queue content filter: an MTA that has taken the mail already hands it over here "
        "(Postfix: content_filter). Greeted with LHLO it speaks LMTP.",
    )
    before_queue: tuple[Endpoint, ...] = option(
        Several(LISTENER),
        (),
        "The same before the queue (Postfix: smtpd_proxy_filter): our reply goes to the sending client, "
        "so that a refusal is a refusal and no bounce.",
    )
    originating: tuple[Endpoint, ...] = option(
        Several(LISTENER),
        (),
        "The same for mail of our own users, as the submission service hands it over: "
        "it is scored, but never marked, learned from or silently quarantined.",
    )
    ampdp: tuple[Endpoint, ...] = option(
        Several(LISTENER),
        (Endpoint(path="ampdp.sock"),),
        "The release protocol of amavisd (AM.PDP). A relative socket path lies in store.data_dir; "
        '"127.0.0.1:9998" is where amavisd has it.',
    )
    spamd: tuple[Endpoint, ...] = option(
        Several(LISTENER),
        (),
        "The protocol of SpamAssassin's spamd, for spamc, Exim and others: they are told score, tests and "
        'report of a message, and keep it. "127.0.0.1:783" is where spamd has it.',
    )
    http: Endpoint | None = option(
        Parsed("an address to listen on", words.listener_or_none),
        Endpoint("127.0.0.1", 8025),
        'Web page, API, /healthz, /readyz and /metrics. "" turns them off.',
    )
    clients: tuple[Network, ...] = option(
        Several(NETWORK),
        (network("127.0.0.0/8"), network("::1")),
        "Who may speak SMTP, LMTP, XFORWARD, AM.PDP and spamd's protocol to us; any other client is turned "
        "away when it connects, by SMTP with 554. "
        "It must be written when one of these listeners is reachable from beyond this machine.",
    )
    bare_lf: words.BareLineFeed = option(
        Word(words.BareLineFeed),
        words.BareLineFeed.REJECT,
        'A line feed without carriage return in DATA: "reject" ends the connection with 521, because it is '
        'how mail is smuggled past a filter; "normalize" takes it as a line end.',
    )
    tls_certificate: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        'The certificate (PEM, with its chain) for STARTTLS on the SMTP listeners. "": STARTTLS is not '
        "offered.",
    )
    tls_key: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        'The private key of listen.tls_certificate (PEM). "": it is in the same file.',
    )
    tls_required: bool = option(
        Switch(),
        False,
        "Take mail under TLS only: before STARTTLS, MAIL gets 530 5.7.0.",
    )


@dataclass(frozen=True, slots=True)
class Ampdp:
    """The release protocol of amavisd."""

    require_secret: words.RequireSecret = option(
        Word(words.RequireSecret),
        words.RequireSecret.TCP,
        'When a release must carry the secret_id beside the mail_id: over "tcp" only (the Unix socket has '
        'mode 0660, so whoever reaches it may release), "always", or "never".',
    )
    work_dir: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        "Where amavisd-milter puts the messages that it asks about (its option -w): files below it are read, "
        'and no others. "": AM.PDP serves no content checks.',
    )


@dataclass(frozen=True, slots=True)
class Local:
    """What is ours."""

    domains: tuple[str, ...] = option(
        Several(Text("a domain", words.domain)),
        (),
        "Recipients in these domains are local: only their mail gets the subject mark and X-Spam fields. "
        '".example.org" is that domain and all below it. Empty: every recipient is local, with a warning.',
    )
    networks: tuple[Network, ...] = option(
        Several(NETWORK),
        (),
        "Our own networks besides loopback: mail from them is originating, and the rules trust their "
        "Received fields. Empty: the rules infer what they trust as SpamAssassin does.",
    )
    recipient_delimiter: str = option(
        Text("a delimiter", words.delimiter),
        "+",
        "What an address extension begins with: ann+shop@example.org has the policies of ann@example.org, "
        'unless it has its own. "": addresses have no extensions.',
    )


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail goes from here."""

    next_hop: tuple[NextHop, ...] = option(
        Several(NEXT_HOP, single=True),
        (NextHop.parse("smtp:[127.0.0.1]:10025"),),
        'Takes the mail that is delivered: "smtp:[host]:port", "lmtp:[host]:port", "unix:/path" (LMTP) or '
        '"smtp:unix:/path". A list is tried in its order.',
    )
    release: tuple[NextHop, ...] = option(
        Several(NEXT_HOP, single=True),
        (),
        "Takes the mail that is released from the quarantine, when that is another. Empty: relay.next_hop.",
    )
    requeue: tuple[NextHop, ...] = option(
        Several(NEXT_HOP, single=True),
        (NextHop.parse("smtp:[127.0.0.1]:25"),),
        "Takes the mail that is requeued (AM.PDP, amavisd-requeue): where the MTA takes in mail of others. "
        "It goes through the MTA as new mail does; the filter knows it again, and lets it pass.",
    )
    tls: words.RelayTls = option(
        Word(words.RelayTls),
        words.RelayTls.MAY,
        'STARTTLS with the next hops. "may": where one on another machine offers it, whatever its '
        'certificate, and in the clear when it fails; "encrypt": always, or the mail stays with the MTA; '
        '"verify": the certificate must also be valid for the host as relay.next_hop names it; '
        '"none": never. Unix sockets need none.',
    )
    tls_ca: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        'The authorities (PEM) that "verify" believes. "": those of the system.',
    )


@dataclass(frozen=True, slots=True)
class Levels:
    """From which score on what happens; a score that is equal has reached the level."""

    tag: float = option(
        Number(), -999.0, "From here on a delivered message gets X-Spam fields.", unit="points"
    )
    mark: float = option(
        Number(),
        3.0,
        "From here on a delivered message is marked: levels.subject_tag before its subject, and "
        "X-Spam-Flag: YES, so that Sieve can file it.",
        unit="points",
    )
    quarantine: float = option(
        Number(),
        5.0,
        "From here on a message is kept in the quarantine and not delivered.",
        unit="points",
    )
    kill: float = option(
        Number(),
        8.0,
        "From here on a message is refused or discarded, as levels.kill_action says. On a database that "
        "Lazaret did not create it counts only when it is written in the configuration: nobody loses mail "
        "by switching.",
        unit="points",
    )
    kill_action: words.KillAction = option(
        Word(words.KillAction),
        words.KillAction.AUTO,
        '"auto" refuses where our client is the sender itself (listen.before_queue) and discards after the '
        'queue, where a refusal would become a bounce to a forged address; "reject" and "discard" force one.',
    )
    quarantine_reply: words.QuarantineReply = option(
        Word(words.QuarantineReply),
        words.QuarantineReply.ACCEPT,
        'Before the queue, "reject" keeps the quarantined copy and tells the sender with a 5xx; "accept" '
        "tells nothing.",
    )
    subject_tag: str = option(
        Text(),
        "***SPAM*** ",
        'Stands before the subject of a marked message. "" leaves the subject alone.',
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """Exceptions from the levels."""

    always_deliver: tuple[str, ...] = option(
        Several(Text("an address", words.recipient_pattern)),
        ("postmaster@", "abuse@"),
        'Recipients whose mail is marked at most, never quarantined or killed for its score: "user@" in '
        'every domain, "user@example.org", "@example.org", or "@.example.org" with all below it.',
    )


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of senders: allow and block."""

    require_auth: bool = option(
        Switch(),
        True,
        "An allow entry takes off at most 3 points, unless the sender is authenticated or the entry names "
        "his network. Entries that Lazaret wrote always want that; those that another program wrote (MailZu, "
        "Modoboa, SQL) when this is true. On a database that Lazaret did not create they count as in amavis "
        "until this is written in the configuration.",
    )


@dataclass(frozen=True, slots=True)
class Quarantine:
    """How long quarantined mail is kept."""

    keep_days: int = option(KEPT_DAYS, 30, "Quarantined messages are removed after this time.", unit="days")
    keep_killed_days: int = option(
        Whole(0, 36_500),
        14,
        "Discarded messages are kept, releasable, for this time. 0: they are not kept.",
        unit="days",
    )
    keep: tuple[KeepRule, ...] = option(
        Several(KEEP_RULE),
        (),
        'Other times for some, in days: "virus 7" for a category (spam, virus, banned, unchecked, '
        'bad-header, oversized), "killed 5" for what was discarded, "example.org 60" for a domain of '
        'recipients, ".example.org 60" also for all below it, and two of these together: "example.org virus '
        "3\". A rule for the recipient's domain counts before one for all, one for a category or for what "
        "was killed before one without; where two fit alike, the shorter time. A message to several "
        "recipients is kept as long as the longest of theirs.",
    )


@dataclass(frozen=True, slots=True)
class Digest:
    """Mails that tell recipients what was quarantined for them. Each of them may choose otherwise."""

    enabled: bool = option(
        Switch(),
        False,
        "Send digests: one mail to each recipient in local.domains who ever got a message, of what is new in "
        "the quarantine for him. They lead to web.url, which must be set.",
    )
    interval: Interval = option(
        Word(Interval),
        Interval.DAILY,
        'On which days: "daily", "workdays" (Monday to Friday), "weekly" (Monday), or "never", for a site '
        "where only those are told who choose to be.",
    )
    hours: tuple[int, ...] = option(
        Several(Whole(0, 23)),
        (7,),
        "At which hours of such a day, on the clock of digest.time_zone. When there is nothing new, nothing "
        "is sent; what a stopped service missed is sent when it runs again, in one mail.",
    )
    time_zone: str = option(
        Text("a time zone", words.time_zone),
        "",
        'As "Europe/Berlin". Empty: the machine\'s.',
    )
    language: str = option(
        Text("a language", words.language),
        "en",
        'Of the text: "en" or "de".',
    )
    categories: tuple[Told, ...] = option(
        Several(Word(Told)),
        tuple(told for told in Told if told is not Told.VIRUS),
        "What is told of.",
    )
    discarded: bool = option(
        Switch(),
        False,
        "Tell of discarded messages (levels.kill) as well. They are many, and hardly one of them is wanted.",
    )
    max_days: int = option(Whole(1, 31), 7, "What came in longer ago is never told of.", unit="days")
    link_days: int = option(
        Whole(1, 90),
        14,
        "So long do the links in a digest hold. A link shows one message to one recipient, without its text, "
        "and lets him have it; nothing happens by opening it.",
        unit="days",
    )
    sender: str = option(
        Text("an address", words.address_or_none),
        "",
        "From whom digests come, and where a bounce goes. Empty: postmaster@ the site's name is in From, and "
        "the envelope sender is empty, so that there are no bounces.",
    )


@dataclass(frozen=True, slots=True)
class History:
    """How long it is remembered what happened."""

    keep_days: int = option(
        KEPT_DAYS,
        90,
        "Rows of history, those of delivered mail too, are removed after this time.",
        unit="days",
    )


@dataclass(frozen=True, slots=True)
class Store:
    """The database, and where files lie."""

    url: str = option(
        Text("a database URL", words.database_url),
        "sqlite:///lazaret.db",
        '"sqlite:///file"; a relative file lies in store.data_dir. "mysql://user@host/db" for MariaDB and '
        'MySQL, "postgresql://user@host/db". After a question mark: "socket=/path" for a Unix socket '
        '(PostgreSQL: its directory); "tls=off|on|verify-ca|verify" (off on this machine, on beyond it), '
        '"tls_ca=FILE", "tls_cert=FILE", "tls_key=FILE".',
    )
    password_file: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        "A file with the password of the database in its first line; others must not be able to read it. "
        "$LAZARET_STORE_PASSWORD does the same without a file.",
    )
    data_dir: Path = option(
        Parsed("a path", words.path),
        Path(),
        "Where the database, the learner, the compiled rules and the sockets lie. As every relative path it "
        "is taken from the directory of the configuration file; without one from $STATE_DIRECTORY, else "
        "/var/lib/lazaret when it exists and is ours, else $XDG_STATE_HOME/lazaret.",
    )
    min_free: int = option(
        Size(),
        2**30,
        "With less free space in store.data_dir, MAIL FROM gets 452 4.3.1 and the mail stays with the MTA.",
        unit="octets",
    )
    partition_tag: Partition = option(
        PartitionTag(),
        ALWAYS_0,
        "Into which partition of amavis' tables messages are written, as amavisd's $sql_partition_tag: a "
        'number, or "iso-week" for the week of the reception, 1 to 53. They are found in every partition. '
        "Leave it at 0 where Modoboa or MailZu work on the database: they know no partitions.",
    )
    password: str = field(default="", repr=False)
    """Of the database, from wherever it was given; `url` has none once the configuration is loaded."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules are run."""

    shipped: bool = option(Switch(), True, "Run the rules that Lazaret ships.")
    paths: tuple[Path, ...] = option(
        Several(Parsed("a path", words.path)),
        (),
        "SpamAssassin .pre and .cf files, or directories of them, loaded after the shipped rules in "
        "this order.",
    )
    watch_s: int = option(
        Whole(),
        60,
        "So often the service looks whether these files have changed, and puts changed ones in force; "
        "0: only when it gets SIGHUP.",
        unit="seconds",
    )


@dataclass(frozen=True, slots=True)
class Check:
    """One check, by its name: `[checks.NAME]`."""

    on_unavailable: words.OnUnavailable = option(
        Word(words.OnUnavailable),
        words.OnUnavailable.IGNORE,
        'When the check cannot answer: "ignore" goes on without it and the report says so; "defer" answers '
        "451, so that the MTA tries again later.",
    )


@dataclass(frozen=True, slots=True)
class Learn:
    """The learner."""

    enabled: bool = option(
        Switch(),
        True,
        "Let what was learned from your mail add its points, and learn from what people teach.",
    )
    auto: bool = option(
        Switch(),
        True,
        "Learn by itself from mail that rules alone have judged beyond doubt, a little of each, once people "
        "have taught 25 messages of both kinds: never from mail of our own users, or released, allowed or "
        "blocked mail, and ham only where the sender is authenticated.",
    )
    user_daily: int = option(
        Whole(0, 100_000),
        20,
        "So many messages a user may teach in a day at full weight; four times as many beyond these count a "
        "third, and then no more. 0: users teach nothing. Operators on the command line have no limit.",
        unit="messages",
    )
    keep_days: int = option(
        Whole(0, 100_000),
        0,
        "Lessons are removed from the database after so long, but for the latest 2,000 of each kind. A model "
        "keeps what it has learned of them until it is made anew. 0: they are kept for ever.",
        unit="days",
    )


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that filter."""

    count: int = option(Whole(0, 1024), 0, "How many. 0: one per core.", unit="processes")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message, and one client, may cost."""

    message_size: int = option(
        Size(), 0, "A larger message is refused with 552. 0: what the next hop takes.", unit="octets"
    )
    recipients: int = option(
        Whole(100, 100_000),
        1100,
        "More recipients in one transaction get 452 each; RFC 5321 asks for at least 100.",
        unit="recipients",
    )
    scan_time_s: float = option(
        Number(above=0),
        20.0,
        "The checks of one message get this much time; a message that needs more gets LAZARET_OVER_BUDGET.",
        unit="seconds",
    )
    memory: int = option(
        Size(),
        256 * 2**20,
        "So much mail one worker holds at a time, being received or examined. With more, the largest message "
        "that is still being received gets 452, and so does MAIL. At least one message of the size that is "
        "allowed should fit.",
        unit="octets",
    )
    connections: int = option(
        Whole(1, 1_000_000),
        2000,
        "Open connections at a time, of all clients to all workers. With more, one that stood still for 20 "
        "seconds is let go; when there is none, the newcomer gets 421.",
        unit="connections",
    )
    client_connections: int = option(
        Whole(),
        0,
        "The same for one client, by its IP address (IPv6: its /64). 0: limits.connections. The usual client "
        "is the one MTA, so that what limits one client limits all mail.",
        unit="connections",
    )
    client_rate: int = option(
        Whole(),
        0,
        "New connections of one client in a minute; more get 421. 0: no limit.",
        unit="connections",
    )
    client_errors: int = option(
        Whole(),
        0,
        "Commands of one client that were refused in a minute, over all its connections; after them new "
        "connections get 421 until the minute is over. 0: no limit.",
        unit="commands",
    )
    errors: int = option(
        Whole(1),
        20,
        "Refused commands in one connection, since its last message; after them it ends with 421. Of NOOP, "
        "RSET and others that bring no message nearer 100 are free.",
        unit="commands",
    )
    command_time_s: float = option(
        Number(above=0),
        300.0,
        "A client that sends nothing, or no whole command, for so long is cut off with 421; RFC 5321 asks "
        "for at least 5 minutes.",
        unit="seconds",
    )
    message_time_s: float = option(
        Number(above=0),
        900.0,
        "A client that has not sent the whole message so long after DATA is cut off with 421.",
        unit="seconds",
    )


@dataclass(frozen=True, slots=True)
class Site:
    """How this machine calls itself."""

    hostname: str = option(
        Text("a host name", words.host_name),
        "",
        "The name in greetings and Received fields. Empty: the machine's own.",
    )


@dataclass(frozen=True, slots=True)
class Service:
    """As whom Lazaret runs."""

    user: str = option(
        Text(),
        "",
        "Whom to become when started as root. Empty: the owner of store.data_dir; when that is root too, "
        "Lazaret runs with a warning and listens on loopback only.",
    )


@dataclass(frozen=True, slots=True)
class Log:
    """Where it is told what happens."""

    to: str = option(
        Text("a log target", words.log_target),
        "stderr",
        '"stderr", "syslog:mail" or another facility, or a path with a slash, reopened on SIGHUP.',
    )
    format: words.LogFormat = option(
        Word(words.LogFormat),
        words.LogFormat.TEXT,
        '"text" is the line that amavisd writes, for the parsers that exist; "json" has fixed keys.',
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. `load` gives it with every path absolute."""

    mode: words.Mode = option(
        Word(words.Mode),
        words.Mode.FILTER,
        '"observe" scores and records everything and changes nothing: for running beside another filter.',
    )
    listen: Listen = Listen()
    ampdp: Ampdp = Ampdp()
    local: Local = Local()
    relay: Relay = Relay()
    levels: Levels = Levels()
    policy: Policy = Policy()
    lists: Lists = Lists()
    quarantine: Quarantine = Quarantine()
    digest: Digest = Digest()
    history: History = History()
    store: Store = Store()
    rules: Rules = Rules()
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Only the checks that the configuration names."""
    learn: Learn = Learn()
    workers: Workers = Workers()
    limits: Limits = Limits()
    site: Site = Site()
    service: Service = Service()
    web: Web = Web()
    oidc: Oidc = Oidc()
    rights: Rights = Rights()
    log: Log = Log()
    file: Path | None = field(default=None, compare=False)
    """The configuration file; None when there is none."""
    where: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Key -> where it was set (`lazaret.toml:12`, `--set`); keys that were not set are missing."""

    def is_set(self, key: str) -> bool:
        """Whether `section.key` is written in the configuration, be it with its default."""
        return key in self.where

    @property
    def login_by_mail(self) -> bool:
        """Whether people may come in by a link in a mail: it must be known who is ours, and where we are."""
        return self.web.login_by_mail and bool(self.web.url and self.local.domains)

    def check(self, name: str) -> Check:
        """The settings of the check with this name."""
        return self.checks.get(name, Check())


SECTIONS: Mapping[str, type] = {
    f.name: type(f.default) for f in fields(Config) if f.name not in ("mode", "checks", "file", "where")
}
"""Section -> its class, in the order of the file; `[checks.NAME]` is beside them, one for each check."""


def options_of(section: type) -> Iterator[tuple[str, Option]]:
    """(name, option) of each setting of a section."""
    for f in fields(section):
        if "option" in f.metadata:
            yield f.name, f.metadata["option"]


OPTIONS: Mapping[tuple[str, ...], Option] = {
    **{(name,): option for name, option in options_of(Config)},
    **{(s, name): option for s, section in SECTIONS.items() for name, option in options_of(section)},
}
"""Path of the key -> option; the top level first."""

CHECK_OPTIONS: Mapping[str, Option] = dict(options_of(Check))
"""The settings of `[checks.NAME]`."""


def find_option(path: tuple[str, ...]) -> Option | None:
    """The option with this key, those of `checks.NAME` included."""
    if len(path) == 3 and path[0] == "checks":
        return CHECK_OPTIONS.get(path[2])
    return OPTIONS.get(path)
