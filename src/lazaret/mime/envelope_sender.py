"""Who was the envelope sender, when nobody but the header section can tell?"""

from lazaret.mime import mailboxes
from lazaret.mime.message import Message

_GUESSES = ("X-Envelope-From", "Envelope-Sender", "Return-Path")
"""Fields in which MTAs and delivery agents note it, the best first."""


def of(message: Message) -> bytes | None:
    """What the caller knows, else what the header section says; b"" for the null sender, None: unknown.

    Where the configuration names a field, that field alone counts. Else Received of the hand-over from
    outside counts first. The other fields are believed only above all Received: further down they may be of
    an earlier delivery, such as the one to a mailing list.
    """
    if message.envelope_from is not None:
        return message.envelope_from.encode("utf-8", "surrogateescape")
    if message.envelope_sender_header:
        return _named(message, message.envelope_sender_header)
    relays = message.relays
    handover = relays.untrusted[0] if relays.untrusted else next(reversed(relays.trusted), None)
    if handover and handover.envfrom is not None and (not handover.envfrom or "@" in handover.envfrom[1:]):
        return handover.envfrom.encode("utf-8", "surrogateescape")
    places = message.header.places
    guesses = [(guess, where) for guess in _GUESSES if (where := places(guess.lower()))]
    if not guesses or _is_fetched(message):
        return None
    received = places("received")
    for guess, where in guesses:
        sender = _first_address(message, guess)
        if sender is None:
            continue
        if not received or where[-1] < received[0]:
            return sender
        if guess == _GUESSES[0]:
            return None
    return None


def _named(message: Message, name: str) -> bytes | None:
    """What the newest field of this name says."""
    field = next(iter(message.header.values(name)), None)
    if field is not None and field.strip() == b"<>":
        return b""
    sender = _first_address(message, name)
    return sender if sender and b"@" in sender[1:] else None


def _first_address(message: Message, name: str) -> bytes | None:
    field = next(iter(message.header.values(name)), b"")
    return next((m.address for m in mailboxes.parse(field) if m.address is not None), None)


def _is_fetched(message: Message) -> bool:
    """Fetchmail takes X-Sender for the envelope sender, where list software put another address."""
    sender = _first_address(message, "X-Sender") if message.header.places("x-sender") else None
    return bool(sender) and any(b"(fetchmail" in value for value in message.header.values("Received"))
