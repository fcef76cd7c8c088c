"""How a next hop is written, and how it is printed."""

import pytest

from lazaret.net.next_hop import NextHop, parse_next_hop


@pytest.mark.parametrize(
    ("text", "hop", "printed"),
    [
        ("smtp:[127.0.0.1]:10025", NextHop(False, "127.0.0.1", 10025), "smtp:[127.0.0.1]:10025"),
        ("smtp:[::1]:10025", NextHop(False, "::1", 10025), "smtp:[::1]:10025"),
        ("SMTP:Mail.Example:25", NextHop(False, "mail.example", 25), "smtp:[mail.example]:25"),
        ("lmtp:[dovecot.example]:24", NextHop(True, "dovecot.example", 24), "lmtp:[dovecot.example]:24"),
        ("unix:/run/lmtp", NextHop(True, path="/run/lmtp"), "lmtp:unix:/run/lmtp"),
        ("lmtp:unix:/run/lmtp", NextHop(True, path="/run/lmtp"), "lmtp:unix:/run/lmtp"),
        ("lmtp:/run/lmtp", NextHop(True, path="/run/lmtp"), "lmtp:unix:/run/lmtp"),
        ("smtp:unix:/run/smtp", NextHop(False, path="/run/smtp"), "smtp:unix:/run/smtp"),
    ],
)
def test_a_next_hop_is_parsed_and_printed(text: str, hop: NextHop, printed: str):
    assert hop == parse_next_hop(text)
    assert printed == str(hop)
    assert hop == parse_next_hop(printed)


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1:25", "http:[x]:80", "smtp:[x]", "smtp:x:0", "smtp:x:99999", "smtp:::1:25", "unix:x"],
)
def test_anything_else_is_an_error_that_says_what_to_write(text: str):
    with pytest.raises(ValueError, match="write"):
        parse_next_hop(text)
