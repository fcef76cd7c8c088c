"""The next hop's words, in the form that tools look for."""

import pytest

from lazaret.config.endpoint import NextHop
from lazaret.model.errors import Reply
from lazaret.net.answers import MAX_TEXT, from_hop, queued_as

HOP = NextHop.parse("smtp:[127.0.0.1]:10025")


@pytest.mark.parametrize(
    ("text", "queue_id"),
    [
        ("Ok: queued as BBD26146A8", "BBD26146A8"),
        ("Ok: queued as 4Rk2x13Zz1z9rf", "4Rk2x13Zz1z9rf"),
        ("from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBD26146A8", "BBD26146A8"),
        ("OK id=1rXyZ-0001ab-Cd", "1rXyZ-0001ab-Cd"),
        ("41NA1Rxx012345 Message accepted for delivery", "41NA1Rxx012345"),
        ("ok 1700000000 qp 12345", "12345"),
        ("<bob@example.net> f4RkHwAB1mVxYw Saved", "f4RkHwAB1mVxYw"),
        ("Ok", ""),
        ("", ""),
    ],
)
def test_the_queue_id_is_found_in_the_words_of_each_mta(text: str, queue_id: str):
    assert queue_id == queued_as(text)


def test_a_421_is_no_421_of_ours():
    """Passed on as it is, it would tell the MTA that we close the connection."""
    answer = from_hop(HOP, "b@example.net", Reply(421, "", "busy"))

    assert "451 4.0.0 from MTA(smtp:[127.0.0.1]:10025): 421 busy" == str(answer.reply)


def test_a_foreign_text_is_bounded():
    answer = from_hop(HOP, "b@example.net", Reply(550, "5.1.1", "no " * 10_000))

    assert len(answer.reply.text) < MAX_TEXT + 100
