"""A stored message in words: the same for the command line, the API and the page."""

from datetime import UTC, datetime

from lazaret.model.quarantine import Copy, Detail, Item
from lazaret.model.verdict import Action, Category

_STRONGEST = [
    Action.DISCARD,
    Action.REJECT,
    Action.QUARANTINE,
    Action.DEFER,
    Action.MARK,
    Action.DELIVER,
]


def rfc3339(at: float) -> str:
    """A time in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def category_word(letter: str) -> str:
    """The word for the letter in `msgs.content`; a letter that we never write is shown as it is."""
    return Category(letter).word if letter in set(Category) else letter


def action_word(item: Item) -> str:
    """One word for the message: the strongest of what happened to its copies."""
    actions = {c.action for c in item.copies}
    return next((str(a) for a in _STRONGEST if a in actions), "")


def item_facts(item: Item) -> dict[str, object]:
    """A message as one flat JSON object (`find --json`)."""
    return {
        "id": item.mail_id,
        "time": rfc3339(item.time),
        "from": item.sender,
        "to": [c.address for c in item.copies],
        "subject": item.subject,
        "score": item.score,
        "category": category_word(item.category),
        "action": action_word(item),
        "state": str(item.state),
        "size": item.size,
        "client_ip": item.client_ip,
        "symbols": list(item.symbols),
    }


def detail_facts(detail: Detail) -> dict[str, object]:
    """A message with all that is known of it (`show --json`)."""
    item = detail.item
    return item_facts(item) | {
        "header_from": item.from_header,
        "message_id": item.message_id,
        "queue_id": item.queue_id,
        "stored": item.stored,
        "recipients": [_copy_facts(c, detail.reasons.get(c.address, "")) for c in item.copies],
        "hits": [
            {"symbol": h.symbol, "score": h.score, "description": h.description, "detail": h.detail}
            for h in detail.hits
        ],
        "unavailable": list(detail.unavailable),
        "attachments": list(detail.attachments),
        "releases": [
            {
                "to": r.recipient,
                "time": rfc3339(r.time),
                "who": r.who,
                "state": r.state,
                "response": r.response,
            }
            for r in detail.releases
        ],
    }


def _copy_facts(copy: Copy, reason: str) -> dict[str, object]:
    return {
        "address": copy.address,
        "state": str(copy.state),
        "action": copy.action,
        "score": copy.score,
        "reason": reason,
        "response": copy.response,
    }


def why(detail: Detail) -> list[str]:
    """Why the message is where it is, a sentence per distinct reason, then what could not be asked."""
    reasons: dict[str, list[str]] = {}
    for address, reason in detail.reasons.items():
        reasons.setdefault(reason, []).append(address)
    many = len(detail.item.copies) > 1
    lines = []
    for reason, addresses in reasons.items():
        sentence = f"{', '.join(addresses)}: {reason}" if many else reason[:1].upper() + reason[1:]
        lines.append(f"{sentence}.")
    return lines + [f"Could not be asked: {check}." for check in detail.unavailable]
