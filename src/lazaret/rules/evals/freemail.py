"""Mailboxes that anyone can open (Mail::SpamAssassin::Plugin::FreeMail)."""

import re

from lazaret.rules.evals import Settings, Subject, eval_function
from lazaret.rules.evals.matching import matches
from lazaret.rules.evals.ranges import number

_ADDRESS = re.compile(
    r"(?<![\w.=-])(?=.{0,64}@)[a-z0-9._=+-]+@(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,}", re.IGNORECASE
)
_SENDERS = ("From:addr", "EnvelopeFrom:addr", "Resent-From:addr", "Resent-Sender:addr")
_MOST_TEXT = 50_000
_MOST_ADDRESSES = 3
"""A text with more addresses of free mailboxes is a list; which one is meant cannot be said."""


class _Providers:
    """The domains of `freemail_domains` lines: plain names in a set, those with `*` or `?` as expressions."""

    def __init__(self, settings: Settings) -> None:
        words = [word.lower() for word in settings.words("freemail_domains")]
        self._plain = frozenset(word for word in words if "*" not in word and "?" not in word)
        globs = [word for word in words if word not in self._plain]
        spelled = "|".join(re.escape(g).replace(r"\*", r"[^.]*").replace(r"\?", r"[^.]") for g in globs)
        self._globs = re.compile(spelled) if globs else None
        allowed = settings.words("freemail_whitelist") + settings.words("freemail_welcomelist")
        self._allowed = frozenset(word.lower() for word in allowed)

    def has(self, address: str) -> bool:
        address = address.lower()
        domain = address.rpartition("@")[2]
        if not domain or address in self._allowed or domain in self._allowed:
            return False
        return domain in self._plain or bool(self._globs and self._globs.fullmatch(domain))


@eval_function("check_freemail_from")
def freemail_from(subject: Subject, expression: str = "") -> str:
    """A sender's address is at a free provider."""
    providers = subject.settings.once(_Providers)
    for selector in _SENDERS:
        for address in subject.values(selector):
            if providers.has(address) and _like(address, expression):
                return address
    return ""


@eval_function("check_freemail_header")
def freemail_header(subject: Subject, selector: str, expression: str = "") -> str:
    """An address in the field is at a free provider."""
    providers = subject.settings.once(_Providers)
    for value in subject.values(selector):
        for address in _ADDRESS.findall(value):
            if providers.has(address) and _like(address, expression):
                return str(address)
    return ""


@eval_function("check_freemail_body")
def freemail_body(subject: Subject, expression: str = "") -> str:
    """An address in the text is at a free provider."""
    return next((a for a in subject.once(_in_body) if _like(a, expression)), "")


@eval_function("check_freemail_replyto")
def freemail_replyto(subject: Subject, where: str) -> str:
    """The sender and Reply-To (`replyto`), or the text (`reply`), name different free mailboxes."""
    providers = subject.settings.once(_Providers)
    sender = subject.first("From:addr").lower()
    answers = subject.first("Reply-To:addr").lower()
    if where == "replyto":
        two = providers.has(sender) and providers.has(answers) and sender != answers
        return answers if two else ""
    named = answers or sender
    if not providers.has(named):
        return ""
    return next((address for address in subject.once(_in_body) if address != named), "")


def _in_body(subject: Subject) -> tuple[str, ...]:
    """The addresses of free mailboxes in the text; none when they are many."""
    providers = subject.settings.once(_Providers)
    text = b"".join(subject.message.body[1:])[:_MOST_TEXT].decode("utf-8", "replace")
    limit = next((number(v) for v in subject.settings.lines("freemail_max_body_emails")), _MOST_ADDRESSES)
    found = dict.fromkeys(a.lower() for a in _ADDRESS.findall(text) if providers.has(a))
    return tuple(found) if len(found) <= limit else ()


def _like(address: str, expression: str) -> bool:
    return not expression or matches(f"(?i){expression}", address)
