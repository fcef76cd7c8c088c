"""Marks that programs for bulk mail leave in header fields (Mail::SpamAssassin::Plugin::HeaderEval)."""

import re

from lazaret.mime import hostnames
from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.dates import parse_date

_OUTLOOK_ID = re.compile(rb"<[0-9a-f]{4}([0-9a-f]{8})\$[0-9a-f]{8}\$[0-9a-f]{8}@")
_OUTLOOK_RATE = 0.0023283064365387
_OUTLOOK_START = 27111902.8329849
"""The token in the id counts steps of about seven minutes since 1601: seconds since 1970, times, plus."""
_OUTLOOK_FUDGE = 250
_DATE_IN_RECEIVED = re.compile(r"(\s.?\d+ \S\S\S \d+ \d+:\d+:\d+ \S+).*?$")
"""In the last line: nothing but its first octet can be a line end."""
_TEMPLATE = re.compile(r"%[A-Z][A-Z_-]")
_MAY_HAVE_PERCENT = re.compile(
    r"(?:X-VMS-To|X-UIDL|X-Face|To|Cc|From|Subject|References|In-Reply-To"
    r"|(?:X-|Resent-|X-Original-)?Message-Id):",
    re.IGNORECASE,
)
_ID_WITH_ADDRESS = re.compile(r"<[A-Z]{28}\.([^>]+?)>")
_PER_CENT = ord("%")
_SENDER_REWRITTEN = re.compile(r"SRS\d[=+-]", re.IGNORECASE)


@eval_function("check_outlook_message_id")
def outlook_message_id(subject: Subject) -> int:
    """The Message-ID is like Outlook's, and the time in it is neither that of Date nor of Received."""
    found = _OUTLOOK_ID.match(subject.header("MESSAGEID"))
    if not found:
        return 0
    token = int(found[1], 16)
    hand_overs = subject.text("Received")
    received = _DATE_IN_RECEIVED.search(hand_overs, max(hand_overs.rfind("\n", 0, -1), 0))
    times = (subject.text("Date"), received[1] if received else "")
    return all(abs(token - _expected(time)) >= _OUTLOOK_FUDGE for time in times)


def _expected(date: str) -> int:
    return int((parse_date(date) or 0) * _OUTLOOK_RATE + _OUTLOOK_START)


@eval_function("check_unresolved_template")
def unresolved_template(subject: Subject) -> str:
    """A field in which the program should have put something in the place of `%NAME`."""
    if _PER_CENT not in subject.header("ALL"):
        return ""
    for line in subject.text("ALL").split("\n"):
        if _TEMPLATE.search(line) and not _MAY_HAVE_PERCENT.match(line):
            return line
    return ""


@eval_function("check_ratware_name_id")
def ratware_name_id(subject: Subject) -> int:
    """The Message-ID is 28 capitals, and the address of the sender."""
    found = _ID_WITH_ADDRESS.search(subject.text("MESSAGEID"))
    if not found:
        return 0
    return re.search(rf'"[^"]+"\s*<{re.escape(found[1])}>', subject.text("From")) is not None


@eval_function("check_ratware_envelope_from")
def ratware_envelope_from(subject: Subject) -> int:
    """The envelope sender is the recipient's address turned round: domain, a sign, user."""
    user, _, host = subject.first("To:addr").rpartition("@")
    sender = subject.first("EnvelopeFrom:addr")
    if not user or user.lower() not in sender.lower() or _SENDER_REWRITTEN.match(sender):
        return 0
    domain = subject.message.registry.registered(host.lower())
    # To read an expression made for one message takes a hundred times as long as to look first.
    if (user + sender).isascii() and domain not in sender.lower().rpartition(f"{user}@".lower())[0]:
        return 0
    if not hostnames.is_name(domain) or not subject.message.registry.knows_tld(domain):
        return 0
    return re.search(rf"\b{re.escape(domain)}.{re.escape(user)}@", sender, re.IGNORECASE) is not None


@eval_function("check_equal_from_domains")
def different_sender_domains(subject: Subject) -> int:
    """The domains of From and of the envelope sender differ, by their last two labels."""
    author, sender = _two_labels(subject.first("From:addr")), _two_labels(subject.first("EnvelopeFrom:addr"))
    return author != "" and sender != "" and author != sender


def _two_labels(address: str) -> str:
    _, at, host = address.lower().rpartition("@")
    labels = host.rsplit(".", 2)
    return (".".join(labels[1:]) if len(labels) == 3 and all(labels) else host) if at else ""


@eval_function("check_for_to_in_subject")
def to_in_subject(subject: Subject, what: str) -> int:
    """The recipient's `address`, or his local part (`user`) as if he were addressed by it."""
    to, text = subject.text("To:addr"), subject.text("Subject")
    if not to:
        return 0
    if what == "address":
        if (to + text).isascii() and to.lower() not in text.lower():
            return 0
        return re.search(rf"\b{re.escape(to)}\b", text, re.IGNORECASE) is not None
    if not _may_be_addressed(to.partition("@")[0].lower(), text.lower()):
        return 0
    user = re.escape(to.partition("@")[0])
    form = rf"(?:(?:re|fw):\s*(?:\w+\s+)?{user}$|(?-i:{user})\s*[,:;!?-](?:$|\s)|{user}$|,\s*{user}[,:;!?-]$)"
    return what == "user" and re.match(form, text, re.IGNORECASE) is not None


def _may_be_addressed(user: str, subject: str) -> bool:
    """Whether it is worth to look closer; both in lower case."""
    if user not in subject:
        return False
    if not (user + subject).isascii():
        return True  # Letters have more forms than two.
    if subject.startswith(("re:", "fw:")):
        return subject.startswith(user) or subject.removesuffix("\n").endswith(user)
    return subject.startswith((user, ","))
