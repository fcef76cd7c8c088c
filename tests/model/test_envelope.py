"""The envelope of a message."""

from dataclasses import replace

from lazaret.model.envelope import Envelope, Recipient


def test_it_can_be_turned_to_other_recipients_and_keeps_the_rest() -> None:
    envelope = Envelope("a@b.example", (Recipient("x@y.example"),), 7, "8BITMIME", True, "FULL", "id")
    others = (Recipient("c@d.example"), Recipient("e@f.example", "NEVER"))
    assert replace(envelope, recipients=others) == envelope.to(others)
