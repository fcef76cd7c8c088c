"""What one message brings along never becomes two: not here, and not at a next hop that is laxer than we are.

SMTP smuggling needs two servers that disagree about where a message ends. The sender writes the content,
the MTA before us doubles its dots as RFC 5321 says; whatever the content, one message must come out.
"""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lazaret.model.envelope import Session
from lazaret.model.errors import Reply
from lazaret.wire import dot
from lazaret.wire.dot import BareLf
from lazaret.wire.smtp_server import Closed, MessageReceived, ServerSettings, SmtpServer

START = b"EHLO mta.example\r\nMAIL FROM:<a@out.example>\r\nRCPT TO:<b@home.example>\r\nDATA\r\n"
SECOND = b"MAIL FROM:<boss@home.example>\r\nRCPT TO:<b@home.example>\r\nDATA\r\nSubject: forged\r\n\r\nx"
LAX_END = re.compile(rb"\r?\n\.\r?\n")
"""Where a server ends a message that takes LF for CRLF."""

CONTENT = st.lists(
    st.sampled_from([b"\r", b"\n", b".", b"\0", b"\r\n", b"\r\n.", b"x", b"\t", SECOND]), max_size=30
).map(b"".join)
ENDS = [
    *(b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n", b"\n\n.\n\n"),
    *(b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\0\r\n.\n", b"\r\r\n.\r\r\n", b"\r\n.\r\r\n", b"\r\n. \r\n"),
    *(b"\x85.\x85", b"\r\n\xef\xbc\x8e\r\n", b"\r\n..\r\n", b"\x0b.\x0b", b"\xe2\x80\xa8.\xe2\x80\xa8"),
]


def from_mta(content: bytes) -> bytes:
    """DATA as a strict MTA sends it: only CRLF is a line end."""
    stuffed = b"\r\n" + content
    return stuffed.replace(b"\r\n.", b"\r\n..")[2:] + b"\r\n.\r\n"


def messages(content: bytes, bare_lf: BareLf) -> tuple[list[bytes], bool]:
    """What our server takes, and whether it ended the connection."""
    server = SmtpServer(Session(), ServerSettings(bare_lf=bare_lf))
    events = server.receive(START + from_mta(content) + b"QUIT\r\n")
    taken = []
    while events:
        event = events.pop(0)
        if isinstance(event, MessageReceived):
            taken.append(event.octets)
            events += server.answer([Reply(250, "2.0.0", "Ok")])
    return taken, b"521 5.5.2" in server.take_output()


@given(CONTENT, st.sampled_from(BareLf))
@example(b"text\n.\r\n" + SECOND, BareLf.NORMALIZE)
def test_one_message_in_is_one_message_or_none(content: bytes, bare_lf: BareLf):
    taken, refused = messages(content, bare_lf)
    bare = re.search(rb"(?<!\r)\n", content) is not None

    if bare and bare_lf is BareLf.REJECT:
        assert ([], True) == (taken, refused)
    else:
        assert [dot.normalize(content) + b"\r\n"] == taken


@given(CONTENT)
def test_a_lax_next_hop_sees_one_message_as_well(content: bytes):
    wire = dot.stuff(content)
    [end] = LAX_END.finditer(b"\r\n" + wire)

    assert len(wire) + 2 == end.end()


@pytest.mark.parametrize("end", ENDS)
def test_no_known_likeness_of_the_end_ends_a_message(end: bytes):
    for bare_lf in BareLf:
        taken, refused = messages(b"Subject: harmless\r\n\r\ntext" + end + SECOND, bare_lf)
        assert refused or 1 == len(taken)
        for octets in taken:
            assert 1 == len(LAX_END.findall(dot.stuff(octets)))


def test_after_the_refusal_nothing_of_the_second_message_is_heard():
    server = SmtpServer(Session(), ServerSettings())
    events = server.receive(START + b"text\n.\n" + SECOND + b"\r\n.\r\n")

    assert [Closed()] == events
    assert [] == server.receive(b"\r\n.\r\n" + START + b"x\r\n.\r\n")


@pytest.mark.parametrize(
    "command",
    [
        b"MAIL FROM:<a@out.example\rRCPT TO:<c@home.example>>\r\n",
        b"MAIL FROM:<a@out.example>\nRCPT TO:<c@home.example>\r\n",
        b"MAIL FROM:<a@out.example\0>\r\n",
        b'MAIL FROM:<"a\rDATA\r"@out.example>\r\n',
        b"MAIL FROM:<a@out.example> BODY=8BITMIME\rX\r\n",
    ],
)
def test_no_address_brings_a_command_along(command: bytes):
    server = SmtpServer(Session(), ServerSettings())
    server.receive(b"EHLO mta.example\r\n")
    server.take_output()
    server.receive(command)
    first = server.take_output().split(b"\r\n")[0]

    assert first[:1] == b"5"
