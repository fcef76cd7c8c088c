"""The settings of the page: who may do what there, how it is reached, and who else lets people in."""

# ruff: noqa: RUF009  -- `option` is this room's word for dataclasses.field

from dataclasses import dataclass, field
from pathlib import Path

from lazaret.config import words
from lazaret.config.kinds import NETWORK, Network, Parsed, Several, Switch, Text, Whole, Word
from lazaret.config.option import option
from lazaret.model.grant import EVERYTHING, REQUEST_ONLY, Grant
from lazaret.model.identity import ClaimedRole
from lazaret.model.person import Role

GRANTS = Several(Word(Grant))


@dataclass(frozen=True, slots=True)
class Rights:
    """What users and domain admins may do with what is quarantined, by its kind. Admins may do everything."""

    user: tuple[Grant, ...] = option(
        GRANTS,
        EVERYTHING,
        "Of a user, with his own copies of all mail that is of no kind below. Who may not release may be "
        'given "request": an admin decides then.',
    )
    user_virus: tuple[Grant, ...] = option(GRANTS, REQUEST_ONLY, "The same with viruses.")
    user_banned: tuple[Grant, ...] = option(GRANTS, REQUEST_ONLY, "The same with forbidden attachments.")
    domain_admin: tuple[Grant, ...] = option(
        GRANTS, EVERYTHING, "Of a domain admin, with the mail of his domains that is of no kind below."
    )
    domain_admin_virus: tuple[Grant, ...] = option(GRANTS, EVERYTHING, "The same with viruses.")
    domain_admin_banned: tuple[Grant, ...] = option(
        GRANTS, EVERYTHING, "The same with forbidden attachments."
    )


@dataclass(frozen=True, slots=True)
class Web:
    """The web page and the API, which listen.http serves."""

    hosts: tuple[str, ...] = option(
        Several(Text("a host name", words.host_name)),
        (),
        "Names under which people reach the page; a request with any other Host is refused. The address "
        "that it came in at, loopback and site.hostname are always among them.",
    )
    proxies: tuple[Network, ...] = option(
        Several(NETWORK),
        (),
        "Reverse proxies before the page: only they may say, with X-Forwarded-For, -Proto and -Host, "
        "who asks and how.",
    )
    prefix: str = option(
        Text("a path", words.url_prefix),
        "",
        'The path below which a reverse proxy shows the page, as "/quarantine".',
    )
    tls_certificate: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        'The certificate (PEM, with its chain) with which listen.http speaks TLS. "": it does not, and may '
        "be reached from other machines through web.proxies only.",
    )
    tls_key: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        'The private key of web.tls_certificate (PEM). "": it is in the same file.',
    )
    url: str = option(
        Text("a URL", words.web_url),
        "",
        'The page as people reach it, as "https://quarantine.example.org": links in mails begin with it.',
    )
    require_second_factor: tuple[Role, ...] = option(
        Several(Word(Role)),
        (),
        "Roles that must come in with a second factor, a passkey or a code of an app (TOTP), as "
        '["admin", "domain-admin"]. Who has none is led to setting it up, and to no other page.',
    )
    login_by_mail: bool = option(
        Switch(),
        True,
        "Let users come in by a link that is sent to their address, without a password: whoever reads the "
        "mail of an address in local.domains may see what was kept from it. It takes effect once web.url is "
        "set.",
    )
    requests_per_minute: int = option(
        Whole(0, 1_000_000),
        1200,
        "How much one account may ask for, its tokens together as much again, and one address (in IPv6 a "
        "/64) where nobody is logged in: so many at once, and so many again in a minute. A search, a list or "
        "figures count as 5, other pages and calls of the API as 1. What is more is answered with 429. "
        "0: no limit.",
    )


@dataclass(frozen=True, slots=True)
class Oidc:
    """Signing in to the page by an OpenID provider (Keycloak, Entra ID, Google and their like)."""

    issuer: str = option(
        Text("a URL", words.issuer_url),
        "",
        'The provider, exactly as it calls itself, as "https://login.example.org/realms/office". '
        "Empty: none. At the provider, web.url with /login/oidc/return is the redirect URI.",
    )
    client_id: str = option(Text("a client id", words.client_id), "", "Under which it knows this page.")
    client_secret_file: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        "A file with the client secret in its first line; others must not be able to read it. "
        '$LAZARET_OIDC_CLIENT_SECRET does the same without a file. "": a public client, which PKCE protects.',
    )
    name: str = option(
        Text("a name", words.label),
        "single sign-on",
        "What people call it; it stands on the button.",
    )
    create_for: tuple[str, ...] = option(
        Several(Text("a domain", words.domain)),
        (),
        "Whoever comes with a verified address in one of these domains, and has no account, gets one, as a "
        "user who sees the mail for that address. Anybody else needs an account by the name of his address.",
    )
    role_claim: str = option(
        Text("a claim", words.claim),
        "",
        'The claim that says who is more than a user, as "groups"; "realm_access.roles" is member roles of '
        'the claim realm_access. "": none, roles are given here alone.',
    )
    roles: tuple[ClaimedRole, ...] = option(
        Several(Parsed("a value, and a role", words.claimed_role, words.write_claimed_role)),
        (),
        "What a value of that claim makes of a user while he is signed in by the provider: "
        '"mail-admins: admin", "audit: auditor", "hosting: domain-admin example.org .example.net". The first '
        "line that fits counts. Whom an admin gave another role here keeps that.",
    )
    algorithms: tuple[words.IdTokenAlgorithm, ...] = option(
        Several(Word(words.IdTokenAlgorithm)),
        (words.IdTokenAlgorithm.RS256, words.IdTokenAlgorithm.ES256),
        "How its ID tokens may be signed.",
    )
    tls_ca: Path | None = option(
        Parsed("a path", words.path_or_none),
        None,
        'Certificates (PEM) of the authorities that may vouch for the provider. "": those of the machine.',
    )
    client_secret: str = field(default="", repr=False)
    """From wherever it was given."""
