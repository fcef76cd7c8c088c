"""Senders that pretend to be somebody else, and recipients that are addressed by guesswork."""

import re
from collections.abc import Callable

from lazaret.rules.evals import Settings, Subject, domains, eval_function, eval_test

_ADDRESS = re.compile(r"[^\s<>()\"',;:@]+@((?:[\w-]+\.)+[^\W\d_]{2,})")
_BARE_HOST = re.compile(
    r"(?<![@\w.-])((?:[\w-]+\.)+(?:com|net|org|de|io|co|uk|eu|fr|us|ru|info|biz))(?![\w@-]|\.\w)",
    re.IGNORECASE,
)
_SIGNED_BY = re.compile(rb"(?:^|[;\s])d\s*=\s*([^;\s]+)")
_ROLES = frozenset(["info", "admin", "sales", "contact", "office", "mail", "support", "user", "test"])
_SHORTEST_LOCAL = 4


@eval_function("lz_name_address")
def name_address(subject: Subject) -> str:
    """A name in From holds an address of another domain than the sender's and than where answers go.

    A service that writes in somebody's name shows that address and has the answers sent there.
    """
    names = [name for name in subject.values("From:name") if "@" in name]
    if not names:
        return ""
    own = domains.of_address(subject.first("From:addr"))
    honest = (own, domains.of_address(subject.first("Reply-To:addr")))
    for name in names:
        for found in _ADDRESS.finditer(name):
            shown = domains.registered(found[1])
            if own and shown and shown not in honest:
                return f"{found[0]} from {own}"
    return ""


@eval_function("lz_name_domain")
def name_domain(subject: Subject) -> str:
    """A name in From holds a host of another domain than the sender's."""
    names = [name for name in subject.values("From:name") if "." in name]
    own = domains.of_address(subject.first("From:addr")) if names else ""
    for name in names:
        for found in _BARE_HOST.finditer(name):
            shown = domains.registered(found[1])
            if own and shown and shown != own:
                return f"{found[1]} from {own}"
    return ""


@eval_function("lz_from_is_to")
def from_is_to(subject: Subject) -> int:
    """The only sender is one of the recipients."""
    senders = {address.lower() for address in subject.values("From:addr")}
    return len(senders) == 1 and any(address.lower() in senders for address in _named(subject))


@eval_function("lz_replyto_differs")
def replyto_differs(subject: Subject) -> str:
    """Answers go to another domain than the sender's."""
    if "Reply-To" not in subject.message.header:
        return ""
    own, answers = domains.of_address(subject.first("From:addr")), subject.first("Reply-To:addr")
    other = domains.of_address(answers)
    return answers if own and other and own != other else ""


@eval_function("lz_same_domain")
def same_domain(subject: Subject, one: str, other: str) -> int:
    """Both addresses have a domain, and it is the same."""
    first, second = (domains.of_address(subject.first(s)) for s in (one, other))
    return bool(first) and first == second


@eval_function("lz_dkim_aligned")
def dkim_aligned(subject: Subject) -> int:
    """A signature that claims the sender's domain is present; nothing is verified here."""
    own = domains.of_address(subject.first("From:addr"))
    signers = _SIGNED_BY.findall(subject.header("DKIM-Signature"))
    return bool(own) and own in {domains.registered(signer.decode("utf-8", "replace")) for signer in signers}


@eval_test("lz_recipient_in")
def recipient_in(_settings: Settings, selector: str, part: str) -> Callable[[Subject], str]:
    """A header field names a recipient: by the `addr`, its `local` part or its `domain`."""
    parts = _PARTS.get(part, _recipients)

    def named(subject: Subject) -> str:
        values = subject.values(selector)
        text = " ".join(values).lower() if values else ""
        if not text or (part == "addr" and "@" not in text):
            return ""
        for wanted in subject.once(parts):
            if wanted in text and _stands_in(wanted, text):
                if part == "domain" and _is_own(subject, wanted):
                    continue
                return wanted
        return ""

    return named


@eval_test("lz_recipient_in_body")
def recipient_in_body(_settings: Settings, part: str) -> Callable[[Subject], str]:
    """The text names a recipient."""
    parts = _PARTS.get(part, _recipients)

    def named(subject: Subject) -> str:
        lines = [line.lower() for line in subject.message.body[1:]]
        for wanted in subject.once(parts):
            octets = wanted.encode("utf-8", "replace")
            for line in lines:
                if octets in line and _stands_in(wanted, line.decode("utf-8", "replace")):
                    return wanted
        return ""

    return named


def _named(subject: Subject) -> tuple[str, ...]:
    """The recipients whom the header names."""
    to = subject.values("To:addr")
    return to + subject.values("Cc:addr") if "Cc" in subject.message.header else to


def _recipients(subject: Subject) -> list[str]:
    everyone = _named(subject) + subject.recipients
    return list(dict.fromkeys([address.lower() for address in everyone if "@" in address]))


def _locals(subject: Subject) -> list[str]:
    """The local parts of recipients, but for those that are no names."""
    found = dict.fromkeys([address.rpartition("@")[0] for address in subject.once(_recipients)])
    return [local for local in found if len(local) >= _SHORTEST_LOCAL and local not in _ROLES]


def _hosts(subject: Subject) -> list[str]:
    found = dict.fromkeys([address.rpartition("@")[2] for address in subject.once(_recipients)])
    return [host for host in found if host]


_PARTS = {"local": _locals, "domain": _hosts}


def _is_own(subject: Subject, host: str) -> bool:
    """Whether it belongs to the domain of the sender."""
    return domains.of_address(f"@{host}") == domains.of_address(subject.first("From:addr"))


def _stands_in(wanted: str, text: str) -> bool:
    """As a word of its own."""
    start = text.find(wanted)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(wanted) : start + len(wanted) + 1]
        if not _continues(before, "_.@-") and not _continues(after, "_@-"):
            return True
        start = text.find(wanted, start + 1)
    return False


def _continues(neighbour: str, signs: str) -> bool:
    return neighbour != "" and (neighbour.isalnum() or neighbour in signs)
