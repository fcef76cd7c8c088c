"""The one line of the log per message: amavis' own, for the parsers that exist, or fixed JSON keys."""

import re
from collections.abc import Sequence

import msgspec

from lazaret.flow.fields import number, tests
from lazaret.flow.filter import Handled
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.verdict import Category

_MAX_TESTS = 50
_MAX_TEXT = 300
"""Characters of one value: a line has to fit into a datagram to syslog."""
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What could break a line or drive a terminal: an address or a reply of a peer may hold it."""
_CATEGORIES = {category: category.word.upper() for category in Category} | {Category.MTA: "MTA-BLOCKED"}
_ACTIONS = {
    "deliver": "Relayed",
    "mark": "RelayedTagged",
    "quarantine": "Discarded",
    "discard": "Discarded",
    "reject": "Rejected",
    "defer": "TempFailed",
}
_DIRECTIONS = {
    (False, True): "Inbound",
    (True, True): "Internal",
    (True, False): "Outbound",
    (False, False): "OpenRelay",
}
"""Is it mail of our own users, is the recipient local?"""


def text(handled: Handled) -> list[str]:
    """amavis' `log_short_templ`: one line, or two where some recipients passed and others were blocked."""
    recipients = handled.entry.recipients
    passed = [r for r in recipients if r.action in ("deliver", "mark")]
    blocked = [r for r in recipients if r.action not in ("deliver", "mark")]
    lines = []
    if passed:
        lines.append(_line(handled, "Passed", passed, stored=False))
    if blocked:
        lines.append(_line(handled, "Blocked", blocked, stored=handled.stored))
    return lines


def _line(handled: Handled, fate: str, group: Sequence[EntryRecipient], *, stored: bool) -> str:
    entry, session = handled.entry, handled.entry.session
    category = _CATEGORIES[group[0].category]
    ip = _safe(session.client_ip)
    client = f"[{ip}]:{session.client_port} [{ip}] " if ip else ""
    recipients = ",".join(f"<{_safe(r.address)}>" for r in group)
    facts = [
        f"({entry.log_id}) {fate} {category} {{{_actions(entry, group, stored=stored)}}}",
        f"{'LOCAL ' if entry.originating else ''}{client}<{_safe(entry.sender)}> -> {recipients}",
        f"quarantine: {entry.mail_id}" if stored else "",
        f"Queue-ID: {_safe(session.queue_id)}" if session.queue_id else "",
        f"Message-ID: {_safe(entry.message_id)}" if entry.message_id else "",
        f"mail_id: {entry.mail_id}",
        f"Hits: {number(entry.score)}",
        f"size: {entry.size}",
        f"queued_as: {'/'.join(map(_safe, handled.queued_as))}" if not stored and handled.queued_as else "",
        f"Tests: [{','.join(tests(entry.hits)[:_MAX_TESTS])}]" if entry.hits else "",
        f"{entry.took_ms:.0f} ms",
    ]
    return ", ".join(filter(None, facts))


def _actions(entry: Entry, group: Sequence[EntryRecipient], *, stored: bool) -> str:
    words: dict[str, None] = {}
    for r in group:
        words[_ACTIONS[r.action] + _DIRECTIONS[entry.originating, r.local]] = None
        if stored and r.stored:
            words["Quarantined"] = None
    return ",".join(words)


def json(handled: Handled) -> str:
    """The same facts under fixed keys, one object per message."""
    entry = handled.entry
    return msgspec.json.encode(
        {
            "event": "message",
            "log_id": entry.log_id,
            "mail_id": entry.mail_id,
            "time": entry.time,
            "client_ip": _safe(entry.session.client_ip),
            "helo": _safe(entry.session.helo),
            "queue_id": _safe(entry.session.queue_id),
            "sender": _safe(entry.sender),
            "recipients": [
                {
                    "address": _safe(r.address),
                    "action": r.action,
                    "category": r.category.word,
                    "reason": _safe(r.reason),
                    "response": _safe(r.response),
                }
                for r in entry.recipients
            ],
            "message_id": _safe(entry.message_id),
            "subject": _safe(entry.subject),
            "size": entry.size,
            "score": entry.score,
            "category": entry.category.word,
            "stored": handled.stored,
            "queued_as": [_safe(q) for q in handled.queued_as],
            "tests": {h.symbol: h.score for h in entry.hits},
            "unavailable": [u.check for u in entry.unavailable],
            "took_ms": round(entry.took_ms, 2),
        }
    ).decode("utf-8")


def _safe(text: str) -> str:
    """A peer's text that can neither break a line nor drive a terminal."""
    text = text[:_MAX_TEXT]
    return text if text.isprintable() else UNSAFE.sub("?", text)
