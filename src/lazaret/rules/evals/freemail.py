"""Mailboxes that anyone can open (Mail::SpamAssassin::Plugin::FreeMail)."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from lazaret.rules import views
from lazaret.rules.evals import Settings, Subject, Test, eval_test
from lazaret.rules.evals.addresslists import senders
from lazaret.rules.evals.globs import DomainGlobs, Globs
from lazaret.rules.evals.matching import matcher
from lazaret.rules.evals.ranges import number

_ATOM = rb"[a-z0-9!#$%&'*+/=?^_`{|}~-]"
_TEXT = (
    rb"(?<!" + _ATOM + rb")(?=[^@]{1,64}@)(" + _ATOM + rb"+(?:\." + _ATOM + rb"+)*"
    rb"@(?:[a-z0-9](?:[a-z0-9-]{0,59}[a-z0-9])?\.){1,4}[a-z0-9-]{2,63})"
)
_ADDRESS = re.compile(_TEXT, re.IGNORECASE)
_URL_WITH_ADDRESS = re.compile(rb"<?https?://\S{0,255}(?:@|%40)\S{0,255}", re.IGNORECASE)
_QUOTED = re.compile(
    rb"<?(?<!mailto:)" + _TEXT + rb"(?:>|\s{1,10}(?!fax|facsi|tel|phone|e?-?mail)[a-z]{2,11}:)", re.IGNORECASE
)
"""Somebody else's address: `<a@b.example>`, and what stands before "wrote:"."""
_MAILTO = re.compile(rb"mailto:" + _TEXT, re.IGNORECASE)
_NO_PERSON = re.compile(
    r"(?:abuse|support|sales|info|helpdesk|contact|kontakt|(?:post|host|domain)master|undisclosed.*"
    r"|request-[a-f0-9]{16}|bounced?-|[a-f0-9]{8}(?:\.[a-f0-9]{8}|-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})"
    r"|.+=.+=.+)@",
    re.IGNORECASE,
)
_BULK = re.compile(
    r"(?:^(?:post|host|domain)master|^double-bounce|^(?:sentto|owner|return|(?:gr)?bounced?)-.+"
    r"|-(?:request|bounces?|admin|owner)|\b(?:do[._\-t]?)?no[._\-t]?repl(?:y|ies)|.+=.+)@",
    re.IGNORECASE,
)
_MAX_ADDRESSES = "5"
_MAX_FREE = "3"
_MOST_LINKS = 20
_MOST_ADDRESSES = 40
_AT = ord("@")


class _Providers:
    """The domains of `freemail_domains` lines, and what else is said of free mailboxes."""

    def __init__(self, settings: Settings) -> None:
        domains = DomainGlobs(settings.words("freemail_domains"))
        self.known = bool(domains)
        self._is_free = lru_cache(maxsize=4096)(domains.__contains__)
        allowed = settings.words("freemail_welcomelist")
        self._allowed = frozenset(word.lower() for word in allowed)
        imported = [
            word
            for kind in ("welcomelist_auth", "def_welcomelist_auth")
            if number(settings.last(f"freemail_import_{kind}", "0"))
            for word in settings.words(kind)
        ]
        self._imported = Globs(imported)
        self.most = number(settings.last("freemail_max_body_emails", _MAX_ADDRESSES))
        self.most_free = number(settings.last("freemail_max_body_freemails", _MAX_FREE))
        self.skips_lists = bool(number(settings.last("freemail_skip_when_over_max", "1")))
        self.skips_bulk = bool(number(settings.last("freemail_skip_bulk_envfrom", "1")))

    def has(self, address: str) -> bool:
        """Whether a person may have opened this mailbox at such a provider."""
        domain = address.rpartition("@")[2]
        if not domain or not self._is_free(domain):
            return False
        if address in self._allowed or domain in self._allowed or _NO_PERSON.match(address):
            return False
        return address not in self._imported


@eval_test("check_freemail_from")
def freemail_from(settings: Settings, expression: str = "") -> Test | None:
    """A sender's address is at a free provider."""
    return _first(settings, lambda subject: subject.once(senders), expression)


@eval_test("check_freemail_header")
def freemail_header(settings: Settings, selector: str, expression: str = "") -> Test | None:
    """An address in the field is at a free provider."""
    addresses = f"{selector}:addr"
    if views.is_pseudo(selector):
        return _first(settings, lambda subject: subject.values(addresses), expression)
    find = _first(settings, lambda subject: subject.values(addresses), expression)
    name = views.base(selector)
    return find and (lambda subject: find(subject) if name in subject.message.header else "")


@eval_test("check_freemail_body")
def freemail_body(settings: Settings, expression: str = "") -> Test | None:
    """An address in the text is at a free provider."""
    return _first(settings, lambda subject: subject.once(_in_body), expression)


def _first(settings: Settings, who: Callable[[Subject], Iterable[str]], expression: str) -> Test | None:
    providers = settings.once(_Providers)
    if not providers.known:
        return None
    matches = matcher(expression) if expression else bool

    has = providers.has

    def find(subject: Subject) -> str:
        for address in who(subject):
            folded = address.lower()
            if has(folded) and matches(folded):
                return folded
        return ""

    return find


@eval_test("check_freemail_replyto")
def freemail_replyto(settings: Settings, where: str = "replyto") -> Callable[[Subject], str]:
    """The sender, Reply-To and the text name different free mailboxes.

    `replyto`: Reply-To is one of them. `reply`: whichever address an answer would go to is.
    """
    providers = settings.once(_Providers)

    def compare(subject: Subject) -> str:
        answers = subject.once(_answers)
        free_answer = any(map(providers.has, answers))
        if not free_answer and (where == "replyto" or answers):
            return ""
        authors = subject.once(_authors)
        free_author = any(map(providers.has, authors))
        if where == "reply" and not free_author:
            return ""
        if providers.skips_bulk and _BULK.search(subject.first("EnvelopeFrom")):
            return ""
        if free_author and free_answer and not set(authors) & set(answers):
            return f"{', '.join(authors)} -> {', '.join(answers)}"
        named = answers if where == "replyto" or free_answer else authors
        differing = ((a, n) for a in subject.once(_in_body) for n in named if a != n)
        return next((f"{mine}, {other}" for other, mine in differing), "")

    return compare


def _answers(subject: Subject) -> tuple[str, ...]:
    if "Reply-To" not in subject.message.header:
        return ()
    return tuple(map(str.lower, subject.values("Reply-To:addr")))


def _authors(subject: Subject) -> tuple[str, ...]:
    return tuple(map(str.lower, subject.values("From:addr")))


def _in_body(subject: Subject) -> list[str]:
    """The addresses of free mailboxes in the text; none when there are too many: that is a list."""
    providers = subject.settings.once(_Providers)
    free: list[str] = []
    for count, address in enumerate(_addresses_in_body(subject), 1):
        if count >= providers.most and providers.skips_lists:
            return []
        if providers.has(address):
            free.append(address)
            if len(free) >= providers.most_free and providers.skips_lists:
                return []
    return free


def _addresses_in_body(subject: Subject) -> list[str]:
    """All different addresses, up to forty: those of links first."""
    found: dict[str, None] = {}
    for uri in subject.message.uris:
        if "a" in uri.types and "parsed" not in uri.types and len(found) < _MOST_LINKS:
            linked = _MAILTO.match(uri.raw)
            found.update(dict.fromkeys(_whole(subject, [linked[1]] if linked else [])))
    for line in subject.message.body:
        if _AT in line and len(found) < _MOST_ADDRESSES:
            text = _QUOTED.sub(b" ", _URL_WITH_ADDRESS.sub(b" ", line))
            found.update(dict.fromkeys(_whole(subject, _ADDRESS.findall(text))))
    return list(found)[:_MOST_ADDRESSES]


def _whole(subject: Subject, addresses: Iterable[bytes]) -> Iterator[str]:
    """Those whose host ends in a top-level domain, in lower case."""
    for address in addresses:
        text = address.decode("ascii").lower()
        while "." in text.rpartition("@")[2] and not subject.message.registry.knows_tld(
            text.rpartition("@")[2]
        ):
            text = text.rpartition(".")[0]
        if "." in text.rpartition("@")[2]:
            yield text
