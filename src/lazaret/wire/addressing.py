"""Which form the addresses of a message take at a next hop, and who cannot be reached there (RFC 6531)."""

from lazaret.model import address
from lazaret.model.delivery import Outgoing
from lazaret.model.errors import Reply
from lazaret.model.frozen import frozen
from lazaret.wire.paths import is_sendable

_BAD_SENDER = Reply(553, "5.1.7", "the sender's address cannot be sent")
_BAD_RECIPIENT = Reply(553, "5.1.3", "the address cannot be sent")
_NEEDS_UTF8 = Reply(553, "5.6.7", "the next hop does not offer SMTPUTF8, which this address needs")


@frozen
class Addressing:
    """The addresses as they are to be sent."""

    sender: str
    recipients: tuple[str, ...]
    refusals: tuple[Reply | None, ...]
    """Per recipient: why it cannot be reached, or None."""
    smtputf8: bool
    """MAIL says SMTPUTF8."""

    @classmethod
    def plan(cls, outgoing: Outgoing, *, smtputf8: bool) -> "Addressing":
        """For a next hop that offers SMTPUTF8 or does not.

        Where it does not, a domain becomes ASCII. A local part beyond ASCII cannot; it is refused
        when the MTA declared it by SMTPUTF8, and goes out as it came when the MTA sent it raw.
        """
        recipients = tuple(r.address for r in outgoing.recipients)
        if outgoing.sender.isascii() and all(map(str.isascii, recipients)):
            return cls._of(outgoing.sender, recipients, smtputf8 and outgoing.smtputf8, strict=False)
        if smtputf8:
            return cls._of(outgoing.sender, recipients, True, strict=False)
        sender, *rest = map(_with_ascii_domain, (outgoing.sender, *recipients))
        return cls._of(sender, tuple(rest), False, strict=outgoing.smtputf8)

    @classmethod
    def _of(cls, sender: str, recipients: tuple[str, ...], smtputf8: bool, *, strict: bool) -> "Addressing":
        refusal = _BAD_SENDER if not is_sendable(sender) else None
        if strict and not sender.isascii():
            refusal = _NEEDS_UTF8
        refusals = tuple(refusal or _refusal(r, strict) for r in recipients)
        return cls(sender, recipients, refusals, smtputf8)


def _refusal(recipient: str, strict: bool) -> Reply | None:
    if not recipient or not is_sendable(recipient):
        return _BAD_RECIPIENT
    return _NEEDS_UTF8 if strict and not recipient.isascii() else None


def _with_ascii_domain(text: str) -> str:
    local, domain = address.split(text)
    return f"{local}@{address.to_ascii(domain)}" if domain and not domain.isascii() else text
