"""Mail that claims to come from a big provider (Mail::SpamAssassin::Plugin::HeaderEval).

Their own Received fields have forms that a forger seldom gets right.
"""

import re

from lazaret.mime import ip
from lazaret.rules.evals import Subject, eval_function

_IP = rf"(?<![\w.:])(?:{ip.LITERAL})(?![\w.:])"
_HAS_IP = re.compile(_IP, re.ASCII)
_UNSUBSCRIBE = re.compile(r"<mailto:(?:leave-\S+|\S+-unsubscribe)@\S+>$", re.IGNORECASE)
_EZMLM = re.compile(r"^contact \S+@\S+; run by ezmlm$", re.MULTILINE)
_EZMLM_LIST = re.compile(r"^mailing list \S+@\S+", re.MULTILINE)
_EZMLM_RECEIVED = re.compile(r"qmail \d+ invoked (?:from network|by .{3,20})\); \d+ ... \d+")
_MSN_GROUPS = re.compile(r"from groups\.msn\.com \(\S+\.msn\.com ")
_MSN_GROUP_ADDRESS = re.compile(r"<(\S+)@groups\.msn\.com>", re.IGNORECASE)
_MSN_GROUP_PICKUP = re.compile(r"from mail pickup service by ((?:p\d\d\.)groups\.msn\.com)\b")

_AOL_RELAY = re.compile(r" rly-[a-z][a-z]\d\d\.", re.IGNORECASE)
_AOL_OWN = re.compile(r"/AOL-\d+\.\d+\.\d+\)|ESMTP id (?:RELAY|MAILRELAY|MAILIN)")

_HOTMAIL_PICKUP = "from mail pickup service by hotmail.com with Microsoft SMTPSVC;"
_HOTMAIL_WITH_IP = re.compile(
    r"from (?:\S*\.)?hotmail.com \(\S+\.hotmail(?:\.msn)?\.com[ )]"
    rf"|from \S*\.hotmail.com \(\[{_IP}\][ ):]"
    r"|from \S+ by \S+\.hotmail(?:\.msn)?\.com with HTTP;"
    r"|from \[66\.218.\S+\] by \S+\.yahoo\.com"
)
_HOTMAIL_WITH_ORIGIN = re.compile(
    r"from \S*\.outbound\.protection\.outlook\.com \(\S+\.outbound\.protection\.outlook\.com[ )]"
    rf"|from \S*\.(?:eur|nam)prd\d+\.prod\.outlook\.com \({_IP}\)"
)
_HOTMAIL_ORIGIN = re.compile(r"hotmail\.com|msonline-outlook")
_HOTMAIL_NAMED = re.compile(r"(?:from |HELO |helo=)\S*hotmail\.com\b")

_YAHOO_TRUSTED = re.compile(r" rdns=\S+\.yahoo\.com ")
_YAHOO_UNTRUSTED = re.compile(r"[^\]]+ rdns=\S+\.yahoo\.com ")
_YAHOO_RECEIVED = re.compile(
    r"by web\S+\.mail\S*\.yahoo\.com via HTTP|by sonic\S+\.consmr\.mail\S*\.yahoo\.com with HTTP"
    rf"|by smtp\S+\.yahoo\.com with SMTP|from \[{_IP}\] by \S+\.(?:groups|scd|dcn)\.yahoo\.com with NNFMP"
    r"|by \w+\.\w+\.yahoo\.com \(\d+\.\d+\.\d+/\d+\.\d+\.\d+\)(?: with ESMTP)? id \w+"
)
_YAHOO_BULK = re.compile(r"\bmailer\d+\.bulk\.scd\.yahoo\.com\b")

_JUNO_RELAY = re.compile(rf"from.*\b(?:juno|untd)\.com.*[\[(]{_IP}[\])].*by| cookie\.(?:juno|untd)\.com ")

_GMAIL_X_RECEIVED = re.compile(r"by (?:10\.\S+|2002:a\d\d:\w+:\S+) with SMTP id \S+")
_GMAIL_RECEIVED = re.compile(r"by smtp\.googlemail\.com with ESMTPSA id \S+")
_GMAIL_STATE_LENGTH = 60

_PROVIDER = re.compile(
    r"\b(?:(?P<hotmail>hotmail)|(?P<yahoo>yahoo)|(?P<gmail>gmail)|(?P<juno>juno)|(?P<eudoramail>eudoramail))"
    r"\.com$",
    re.IGNORECASE,
)


def _provider(subject: Subject) -> str:
    """Of the sender; "" when it is none of those that are known here."""
    if subject.header("From:addr")[-5:].lower().find(b".com") < 0:
        return ""
    found = _PROVIDER.search(subject.text("From:addr"))
    return (found.lastgroup or "") if found else ""


@eval_function("gated_through_received_hdr_remover")
def without_received(subject: Subject) -> int:
    """It came over a list that takes Received out, or has none at all."""
    received = subject.text("Received")
    if _EZMLM.search(subject.text("Mailing-List")):
        lists = _EZMLM_LIST.search(subject.text("Delivered-To"))
        if lists and _EZMLM_RECEIVED.search(received):
            return 1
    return not received or _MSN_GROUPS.search(received) is not None


@eval_function("check_messageid_not_usable")
def message_id_not_usable(subject: Subject) -> int:
    """The Message-ID may be somebody else's: of list software or of a gateway."""
    unsubscribe = subject.text("List-Unsubscribe").rstrip("\n")
    if "<mailto:" in unsubscribe.lower() and _UNSUBSCRIBE.search(unsubscribe):
        return 1
    received = subject.text("Received")
    return (
        bool(without_received(subject)) or "/CWT/DCE)" in received or "iPlanet Messaging Server" in received
    )


@eval_function("check_for_fake_aol_relay_in_rcvd")
def fake_aol_relay(subject: Subject) -> int:
    received = _received(subject)
    return _AOL_RELAY.search(received) is not None and not _AOL_OWN.search(received)


@eval_function("check_for_forged_hotmail_received_headers")
def forged_hotmail(subject: Subject) -> int:
    """A hand-over names Hotmail and is none of its own."""
    return _HOTMAIL_NAMED.search(_received(subject)) is not None and subject.once(_not_hotmails)


@eval_function("check_for_no_hotmail_received_headers", when=_provider)
def no_hotmail(subject: Subject) -> int:
    """The sender is at Hotmail, and no hand-over names it."""
    if not _sender_at(subject, "hotmail") or _HOTMAIL_NAMED.search(_received(subject)):
        return 0
    return subject.once(_not_hotmails)


@eval_function("check_for_msn_groups_headers")
def msn_groups(subject: Subject) -> int:
    """It came from the groups of MSN."""
    to = _MSN_GROUP_ADDRESS.search(subject.text("To"))
    pickup = _MSN_GROUP_PICKUP.search(subject.text("Received"))
    if not to or not pickup:
        return 0
    group, identifier = re.escape(to[1]), subject.text("Message-Id")
    if to[1] == "notifications":
        return re.match(rf"<\S+@{re.escape(pickup[1])}", identifier) is not None
    bounces = re.search(rf"{group}-bounce@groups\.msn\.com", subject.text("EnvelopeFrom:addr"))
    return re.match(rf"<{group}-\S+@groups\.msn\.com>", identifier) is not None and bounces is not None


@eval_function("check_for_forged_eudoramail_received_headers", when=_provider)
def forged_eudoramail(subject: Subject) -> int:
    if not _sender_at(subject, "eudoramail") or without_received(subject):
        return 0
    by_its_host = re.search(r"by \S*whowhere.com;", _received(subject))
    return not (by_its_host and _HAS_IP.search(subject.text("X-Sender-Ip")))


@eval_function("check_for_forged_yahoo_received_headers", when=_provider)
def forged_yahoo(subject: Subject) -> int:
    if not _sender_at(subject, "yahoo") or without_received(subject):
        return 0
    received = _received(subject)
    if subject.header("Resent-From") and subject.header("Resent-To"):
        received = " ".join(subject.text("X-Received").split()) or received
    trusted, untrusted = (subject.text(f"X-Spam-Relays-{side}") for side in ("Trusted", "Untrusted"))
    if _YAHOO_TRUSTED.search(trusted) or _YAHOO_UNTRUSTED.match(untrusted):
        return 0
    bulk = _YAHOO_BULK.search(received) and subject.text("From:addr").endswith("@reply.yahoo.com")
    return not bulk and _YAHOO_RECEIVED.search(received) is None


@eval_function("check_for_forged_juno_received_headers", when=_provider)
def forged_juno(subject: Subject) -> int:
    if not _sender_at(subject, "juno") or without_received(subject):
        return 0
    origin, mailer = subject.text("X-Originating-IP"), subject.text("X-Mailer")
    received = subject.text("Received")
    return not origin or not _JUNO_RELAY.search(received) or "Juno " not in mailer


@eval_function("check_for_forged_gmail_received_headers", when=_provider)
def forged_gmail(subject: Subject) -> int:
    if not _sender_at(subject, "gmail"):
        return 0
    if _GMAIL_X_RECEIVED.search(subject.text("X-Received")):
        return 0
    if _GMAIL_RECEIVED.search(subject.text("Received")):
        return 0
    marks = ("X-Gm-Message-State", "X-Google-Smtp-Source")
    return any(len(subject.header(mark)) < _GMAIL_STATE_LENGTH for mark in marks)


@eval_function("check_for_forged_gw05_received_headers")
def forged_gateway(subject: Subject) -> int:
    """The oldest hand-over is one of a mailer that writes its own, with a bare word after `by`."""
    found = re.search(
        r"\nfrom\s(\S+)\sby\s(\S+)\swith\sESMTP;\s+\S\S\S,\s+\d+\s+\S\S\S\s+\d{4}\s+\d\d:\d\d:\d\d\s+[-+]*\d{4}\n$",
        subject.text("Received"),
    )
    return found is not None and "." not in found[2]


def _not_hotmails(subject: Subject) -> bool:
    """Nothing speaks for it that Hotmail had the message in hand."""
    received = _received(subject)
    if _HOTMAIL_PICKUP in received or msn_groups(subject) or without_received(subject):
        return False
    if _HAS_IP.search(subject.text("X-Originating-Ip")) and _HOTMAIL_WITH_IP.search(received):
        return False
    origin = _HOTMAIL_ORIGIN.search(subject.text("X-OriginatorOrg"))
    return not (origin and _HOTMAIL_WITH_ORIGIN.search(received))


def _sender_at(subject: Subject, provider: str) -> bool:
    return subject.once(_provider) == provider


def _received(subject: Subject) -> str:
    """All Received fields, each run of blanks as one."""
    return subject.once(_received_on_one_line)


def _received_on_one_line(subject: Subject) -> str:
    return re.sub(r"\s+", " ", subject.text("Received"))
