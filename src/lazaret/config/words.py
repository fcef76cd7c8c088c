"""The words that options choose from, and the texts that must have a certain form."""

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lazaret.config.endpoint import Endpoint
from lazaret.config.problems import Unfit
from lazaret.model import address
from lazaret.model.identity import ClaimedRole
from lazaret.model.keeping import KILLED, KeepRule
from lazaret.model.language import languages
from lazaret.model.person import Role
from lazaret.model.verdict import Category

MOST_DAYS = 36_500


class Mode(StrEnum):
    FILTER = "filter"
    OBSERVE = "observe"


class BareLineFeed(StrEnum):
    REJECT = "reject"
    NORMALIZE = "normalize"


class RelayTls(StrEnum):
    NONE = "none"
    MAY = "may"
    ENCRYPT = "encrypt"
    VERIFY = "verify"


class RequireSecret(StrEnum):
    TCP = "tcp"
    ALWAYS = "always"
    NEVER = "never"


class KillAction(StrEnum):
    AUTO = "auto"
    REJECT = "reject"
    DISCARD = "discard"


class QuarantineReply(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class OnUnavailable(StrEnum):
    IGNORE = "ignore"
    DEFER = "defer"


def listener_or_none(text: str) -> Endpoint | None:
    """An address to listen on; "" for none."""
    return Endpoint.parse(text) if text else None


def path(text: str) -> Path:
    """A path, `~` not expanded: a service has no home."""
    if not text:
        raise Unfit('expected a path; write "." for the directory of the configuration file')
    return Path(text)


def path_or_none(text: str) -> Path | None:
    """A path; "" for none."""
    return Path(text) if text else None


def domain(text: str) -> str:
    """A mail domain in lower-case ASCII; with a dot before it all domains below it too."""
    ascii_name = address.to_ascii(text)
    if not address.is_valid("a@" + ascii_name.removeprefix(".")):
        raise Unfit(f'"{text}" is no domain; write "example.org", or ".example.org" for all below it too')
    return ascii_name


def recipient_pattern(text: str) -> str:
    """`user@`, `user@domain`, `@domain` or `@.domain`."""
    local, at, at_domain = text.rpartition("@")
    sample = f"{local or 'a'}@{at_domain.removeprefix('.') or 'a'}"
    if at and (local or at_domain) and address.is_valid(sample):
        return text
    raise Unfit(f'"{text}" is no address; write "postmaster@", "user@example.org" or "@example.org"')


def delimiter(text: str) -> str:
    """One character that may stand in a local part; "" for none."""
    if text and (len(text) > 1 or not text.isprintable() or text.isalnum() or text in "@ ."):
        raise Unfit(f'"{text}" is no delimiter; write "+", "-" or ""')
    return text


def host_name(text: str) -> str:
    """A host name as it stands in Received and in greetings; "" for the machine's own."""
    if text and not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", text):
        raise Unfit(f'"{text}" is no host name; write for example "mail.example.org"')
    return text


def url_prefix(text: str) -> str:
    """The path below which the page lies: "" or "/name", without a slash at its end."""
    if text and not re.fullmatch(r"(?:/[A-Za-z0-9._~-]+)+", text):
        raise Unfit(f'"{text}" is no path prefix; write "/quarantine", without a slash at its end')
    return text


_WEB_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*")


def web_url(text: str) -> str:
    """Where people reach the page: scheme, host and perhaps a path, without a slash at its end."""
    if text and not _WEB_URL.fullmatch(text):
        raise Unfit(f'"{text}" is no address of a page; write for example "https://quarantine.example.org"')
    return text


class IdTokenAlgorithm(StrEnum):
    """Signatures with a public key (RFC 7518, section 3.1; RFC 8037)."""

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    ES256 = "ES256"
    ES384 = "ES384"
    EDDSA = "EdDSA"


def issuer_url(text: str) -> str:
    """An OpenID issuer: https, but on this machine; no query and no fragment."""
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if text and not ((parts.scheme == "https" or local) and _ISSUER.fullmatch(text)):
        raise Unfit(f'"{text}" is no issuer; write for example "https://login.example.org/realms/office"')
    return text


_ISSUER = re.compile(r"https?://[^\s?#@\x00-\x20\x7f-\U0010ffff]{1,200}")


def client_id(text: str) -> str:
    """As the provider gave it."""
    if len(text) > 200 or not text.isprintable():
        raise Unfit("write the client id as the provider gave it")
    return text


def claim(text: str) -> str:
    """The name of a claim; "" for none."""
    if len(text) > 200 or not text.isprintable() or text != text.strip():
        raise Unfit(f'"{text}" is no claim; write for example "groups" or "realm_access.roles"')
    return text


def claimed_role(text: str) -> ClaimedRole:
    """`mail-admins: admin`, `hosting: domain-admin example.org .example.net`: a value, and what it makes."""
    value, _, given = text.rpartition(":")
    role, *domains = given.split() or [""]
    wrong = Unfit(f'"{text}" is no such line; write for example "mail-admins: admin"')
    if role not in (Role.ADMIN, Role.DOMAIN_ADMIN, Role.AUDITOR) or not 0 < len(value.strip()) <= 255:
        raise wrong
    if (role == Role.DOMAIN_ADMIN) != bool(domains):
        raise Unfit(f'"{text}": a domain-admin has domains behind the word, and nobody else has')
    return ClaimedRole(value.strip(), Role(role), tuple(map(domain, domains)))


def write_claimed_role(role: ClaimedRole) -> str:
    """As `claimed_role` reads it."""
    return f"{role.value}: " + " ".join([role.role, *role.domains])


def label(text: str) -> str:
    """A name that people are shown."""
    if not 0 < len(text) <= 40 or not text.isprintable():
        raise Unfit("takes a name of 1 to 40 characters")
    return text


def time_zone(text: str) -> str:
    """A name of the IANA database that this machine has; "" for the machine's own zone."""
    try:
        if text:
            ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unfit(f'this machine knows no time zone "{text}"; write for example "Europe/Berlin"') from None
    return text


def language(text: str) -> str:
    """A language that people are spoken to in."""
    if text not in languages():
        known = " or ".join(f'"{code}"' for code in sorted(languages()))
        raise Unfit(f'there are no texts in "{text}"; write {known}')
    return text


def address_or_none(text: str) -> str:
    """A mail address; "" for none."""
    if text and not (text.isascii() and address.is_valid(text)):
        raise Unfit(f'"{text}" is no mail address; write for example "postmaster@example.org"')
    return text


def keep_rule(text: str) -> KeepRule:
    """`virus 7`, `example.org 60`, `.example.org killed 5`: what, and how many days."""
    *what, days = text.split() or [""]
    if not days.isdecimal() or not 1 <= int(days) <= MOST_DAYS or not what:
        raise Unfit(f'"{text}" is no such rule; write for example "virus 7" or ".example.org killed 5"')
    rule = KeepRule(int(days))
    categories = {category.word: category for category in Category}
    for word in what:
        if word == KILLED and not rule.killed:
            rule = replace(rule, killed=True)
        elif word in categories and rule.category is None:
            rule = replace(rule, category=categories[word])
        elif "." in word and not rule.domain:
            rule = replace(rule, domain=domain(word))
        else:
            raise Unfit(f'"{word}" is no domain and none of {", ".join([KILLED, *categories])}')
    return rule


def write_keep_rule(rule: KeepRule) -> str:
    """As `keep_rule` reads it."""
    category = rule.category.word if rule.category else ""
    return " ".join(filter(None, (rule.domain, category, KILLED if rule.killed else "", str(rule.days))))


def database_url(text: str) -> str:
    """`sqlite:///file`, `mysql://user@host/db`, `postgresql://user@host/db`. Errors show no password."""
    try:
        url = urlsplit(text)
        valid = url.port is None or url.port > 0
    except ValueError:
        raise Unfit("is no URL; write for example postgresql://user@host/db") from None
    if url.scheme == "sqlite":
        if url.netloc or url.path in ("", "/") or url.path == "/:memory:":
            raise Unfit('needs a file; write "sqlite:///lazaret.db", or four slashes before an absolute path')
        return text
    if url.scheme not in ("mysql", "postgresql"):
        raise Unfit("expected sqlite:///file, mysql://user@host/db or postgresql://user@host/db")
    if "password" in url.query:
        raise Unfit("takes no password after the question mark; write store.password_file")
    if not valid or url.path in ("", "/"):
        raise Unfit(f"names no database; write {url.scheme}://user@host/db")
    return text


_FACILITIES = ("mail", "daemon", "user", *(f"local{n}" for n in range(8)))


def log_target(text: str) -> str:
    """`stderr`, `syslog:FACILITY` or a path; a lone word is rather a typing mistake than a path."""
    if text == "stderr" or "/" in text:
        return text
    word, _, facility = text.partition(":")
    if word == "syslog" and facility in _FACILITIES:
        return text
    if word == "syslog":
        raise Unfit(f'expected a facility; write "syslog:mail" ({" ".join(_FACILITIES)})')
    raise Unfit('expected "stderr", "syslog:mail", or a path with a slash such as "./lazaret.log"')
