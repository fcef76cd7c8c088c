"""Mailboxes that anyone can open (Mail::SpamAssassin::Plugin::FreeMail)."""

import re

from lazaret.rules.evals import Settings, Subject, eval_function
from lazaret.rules.evals.matching import matches
from lazaret.rules.evals.ranges import number

_TEXT = rb"(?<![\w.=-])([a-z0-9._=+-]{1,64}@(?:[a-z0-9][a-z0-9-]{0,62}\.)+[a-z]{2,24})(?![\w-])"
_ADDRESS = re.compile(_TEXT, re.IGNORECASE)
_URL_WITH_ADDRESS = re.compile(rb"<?https?://\S{0,255}?(?:@|%40)\S{0,255}", re.IGNORECASE)
_QUOTED = re.compile(
    rb"<?(?<!mailto:)" + _TEXT + rb"(?:>|\s{1,10}(?!fax|facsi|tel|phone|e?-?mail)[a-z]{2,11}:)", re.IGNORECASE
)
"""Somebody else's address: `<a@b.example>`, and what stands before "wrote:"."""
_MAILTO = re.compile(rb"mailto:" + _TEXT, re.IGNORECASE)
_NO_PERSON = re.compile(
    r"(?:abuse|support|sales|info|helpdesk|contact|kontakt|(?:post|host|domain)master|undisclosed.*"
    r"|request-[a-f0-9]{16}|bounced?-|[a-f0-9]{8}(?:\.[a-f0-9]{8}|-[a-f0-9]{4}){3,4}|.+=.+=.+)@",
    re.IGNORECASE,
)
_BULK = re.compile(
    r"(?:post|house)master@|double\.bounce|(?:sentto|owner|return|(?:gr)?bounced?)-|.*-(?:request|bounces?|"
    r"admin|owner)(?:[+-]\S*)?@|.*(?:bounce|notification|no-?reply)",
    re.IGNORECASE,
)
_SENDERS = ("From:addr", "EnvelopeFrom:addr", "Resent-From:addr", "Resent-Sender:addr")
_MAX_ADDRESSES = "5"
_MAX_FREE = "3"


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
        self.most = number((settings.lines("freemail_max_body_emails") or (_MAX_ADDRESSES,))[-1])
        self.most_free = number((settings.lines("freemail_max_body_freemails") or (_MAX_FREE,))[-1])

    def has(self, address: str) -> bool:
        """Whether a person may have opened this mailbox at such a provider."""
        domain = address.rpartition("@")[2]
        if not domain or address in self._allowed or domain in self._allowed or _NO_PERSON.match(address):
            return False
        return domain in self._plain or bool(self._globs and self._globs.fullmatch(domain))


@eval_function("check_freemail_from")
def freemail_from(subject: Subject, expression: str = "") -> str:
    """A sender's address is at a free provider."""
    senders = [address.lower() for selector in _SENDERS for address in subject.values(selector)]
    return _first(subject, senders, expression)


@eval_function("check_freemail_header")
def freemail_header(subject: Subject, selector: str, expression: str = "") -> str:
    """An address in the field is at a free provider."""
    addresses = subject.values(selector if ":" in selector else f"{selector}:addr")
    return _first(subject, [address.lower() for address in addresses], expression)


@eval_function("check_freemail_body")
def freemail_body(subject: Subject, expression: str = "") -> str:
    """An address in the text is at a free provider."""
    return _first(subject, subject.once(_in_body), expression)


@eval_function("check_freemail_replyto")
def freemail_replyto(subject: Subject, where: str = "replyto") -> str:
    """The sender, Reply-To and the text name different free mailboxes.

    `replyto`: Reply-To is one of them. `reply`: whichever address an answer would go to is.
    """
    has = subject.settings.once(_Providers).has
    if _BULK.match(subject.first("EnvelopeFrom:addr")):
        return ""
    senders = [address.lower() for address in subject.values("From:addr")]
    answers = [address.lower() for address in subject.values("Reply-To:addr")]
    free_senders, free_answers = list(filter(has, senders)), list(filter(has, answers))
    other = next((a for a in free_answers if free_senders and a not in free_senders), "")
    if other:
        return other
    if (where == "replyto" or answers) and not free_answers:
        return ""
    if where == "reply" and not free_senders:
        return ""
    named = free_answers or free_senders
    return next((a for a in subject.once(_in_body) if a not in named), "")


def _in_body(subject: Subject) -> list[str]:
    """The addresses of free mailboxes in the text; none when there are too many: that is a list."""
    providers = subject.settings.once(_Providers)
    found: dict[str, None] = {}
    for uri in subject.message.uris:
        if "a" in uri.types and "parsed" not in uri.types:
            found.update(dict.fromkeys(a.decode().lower() for a in _MAILTO.findall(uri.raw)))
    for line in subject.message.body:
        if b"@" in line:
            text = _QUOTED.sub(b" ", _URL_WITH_ADDRESS.sub(b" ", line))
            found.update(dict.fromkeys(a.decode().lower() for a in _ADDRESS.findall(text)))
        if len(found) >= providers.most:
            return []
    free = [address for address in found if providers.has(address)]
    return free if len(free) < providers.most_free else []


def _first(subject: Subject, addresses: list[str], expression: str) -> str:
    has = subject.settings.once(_Providers).has
    return next((a for a in addresses if has(a) and (not expression or matches(expression, a))), "")
