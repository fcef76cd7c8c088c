"""What of the server no dialogue can tell: the facts it finds, its limits, and any split whatever."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.delivery import Extensions
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.errors import Reply
from lazaret.wire.dot import BareLf
from lazaret.wire.smtp_server import (
    ENDLESS_LINE,
    FREE_OF_CHARGE,
    RECIPIENT_OVERSHOOT,
    SOFT_ERRORS,
    Closed,
    Event,
    MessageReceived,
    ServerSettings,
    SmtpServer,
)

PEER = Session(client_ip="127.0.0.1", peer_ip="127.0.0.1")
OK = Reply(250, "2.0.0", "Ok")
TRANSACTION = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"


def greeted(settings: ServerSettings | None = None, hello: bytes = b"EHLO mta.example\r\n") -> SmtpServer:
    server = SmtpServer(PEER, settings or ServerSettings())
    server.receive(hello)
    server.take_output()
    return server


def received(server: SmtpServer, octets: bytes) -> MessageReceived:
    [event] = server.receive(octets)
    assert isinstance(event, MessageReceived)
    return event


def play(settings: ServerSettings, pieces: list[bytes]) -> tuple[list[Event], bytes]:
    """All events and all output, every message being answered at once."""
    server = SmtpServer(PEER, settings)
    server.greet()
    found: list[Event] = []
    for piece in pieces:
        events = server.receive(piece)
        while events:
            found.append(events.pop(0))
            if isinstance(found[-1], MessageReceived):
                events += server.answer([OK])
    return found, server.take_output()


def test_the_session_tells_the_client_that_xforward_named_and_the_peer_besides():
    server = greeted(ServerSettings(xforward=True))
    commands = b"XFORWARD NAME=spike.example ADDR=IPV6:2001:DB8::1 PORT=4711 PROTO=SMTP HELO=sp+20ike\r\n"
    server.receive(commands + b"XFORWARD IDENT=4Rk2x1 SOURCE=local\r\n")

    assert (
        Session(
            client_ip="2001:db8::1",
            client_port=4711,
            client_name="spike.example",
            helo="sp ike",
            peer_helo="mta.example",
            protocol="ESMTP",
            client_protocol="SMTP",
            peer_ip="127.0.0.1",
            forwarded=True,
            source="LOCAL",
            queue_id="4Rk2x1",
        )
        == received(server, TRANSACTION + b".\r\n").session
    )


def test_an_unavailable_client_is_unknown_and_not_our_peer():
    """Taken for 127.0.0.1 it would pass for one of our own users."""
    server = greeted(ServerSettings(xforward=True))
    server.receive(b"XFORWARD NAME=[UNAVAILABLE] ADDR=[unavailable] PORT=[UNAVAILABLE]\r\n")

    session = received(server, TRANSACTION + b".\r\n").session

    assert ("", "", 0, False) == (
        session.client_ip,
        session.client_name,
        session.client_port,
        session.forwarded,
    )


@pytest.mark.parametrize("between", [b"", b"RSET\r\n", b"EHLO mta.example\r\n"])
def test_xforward_holds_for_one_transaction(between: bytes):
    server = greeted(ServerSettings(xforward=True))
    server.receive(b"XFORWARD ADDR=192.0.2.1\r\n")
    if not between:
        assert "192.0.2.1" == received(server, TRANSACTION + b".\r\n").session.client_ip
        server.answer([OK])
    server.receive(between)

    assert "127.0.0.1" == received(server, TRANSACTION + b".\r\n").session.client_ip


def test_control_characters_in_xforward_become_harmless():
    """The value goes into log lines and header fields."""
    server = greeted(ServerSettings(xforward=True))
    server.receive(b"XFORWARD HELO=a+0D+0AX-Evil:+20yes\r\n")

    assert "a??X-Evil: yes" == server.session.helo


def test_the_envelope_keeps_all_parameters():
    server = greeted()
    commands = (
        b"MAIL FROM:<a@example.org> SIZE=42 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B314 AUTH=<>\r\n"
        b"RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@example.net\r\n"
        b"DATA\r\n.\r\n"
    )
    recipient = Recipient("b@example.net", "SUCCESS,DELAY", "rfc822;b+2Bx@example.net")

    assert (
        Envelope("a@example.org", (recipient,), 42, "8BITMIME", True, "HDRS", "QQ+2B314")
        == received(server, commands).envelope
    )


@pytest.mark.parametrize(
    ("hello", "secure", "protocol"),
    [
        (b"HELO x\r\n", False, "SMTP"),
        (b"EHLO x\r\n", False, "ESMTP"),
        (b"LHLO x\r\n", False, "LMTP"),
        (b"EHLO x\r\n", True, "ESMTPS"),
        (b"LHLO x\r\n", True, "LMTPS"),
    ],
)
def test_the_session_names_the_protocol(hello: bytes, secure: bool, protocol: str):
    server = SmtpServer(PEER, ServerSettings(starttls=True))
    if secure:
        server.receive(b"EHLO x\r\nSTARTTLS\r\n")
        server.tls_started()
    server.receive(hello)

    assert protocol == server.session.protocol
    assert secure == server.session.secure


def test_mail_is_refused_while_the_disk_is_full():
    server = greeted()
    server.refuse_mail = Reply(452, "4.3.1", "Insufficient system storage")
    server.receive(b"MAIL FROM:<a@example.org>\r\n")
    assert b"452 4.3.1 Insufficient system storage\r\n" == server.take_output()

    server.refuse_mail = None
    assert b"" == received(server, TRANSACTION + b".\r\n").octets


def test_a_stranger_is_turned_away_and_not_heard():
    server = SmtpServer(PEER, ServerSettings())
    server.close(Reply(554, "5.7.1", "not for you"))

    assert [] == server.receive(b"EHLO x\r\n" + TRANSACTION)
    assert b"554 5.7.1 not for you\r\n" == server.take_output()


def test_input_behind_a_message_waits_and_soon_congests():
    server = greeted()
    received(server, TRANSACTION + b".\r\n")
    server.take_output()
    assert not server.congested

    begun = b"NOOP %s\r\n" % (b"x" * 700) * 100
    server.receive(begun)
    assert server.congested
    assert server.held >= len(begun)
    assert b"" == server.take_output()

    server.answer([OK])
    assert not server.congested
    assert b"250 2.0.0 Ok\r\n" + b"250 2.0.0 Ok NOOP\r\n" * 100 == server.take_output()


@pytest.mark.parametrize("command", [b"NOOP", b"RSET", b"EHLO x", b"VRFY a", b"HELP", b"XFORWARD NAME=a"])
def test_a_peer_that_only_plays_is_let_go(command: bytes):
    """A hundred such commands are free, then they count as errors; a message makes up for all of them."""
    server = greeted(ServerSettings(xforward=True, max_errors=5))
    received(server, (command + b"\r\n") * 99 + TRANSACTION + b".\r\n")
    server.answer([OK])
    assert [] == server.receive((command + b"\r\n") * FREE_OF_CHARGE)
    server.take_output()
    assert [Closed()] == server.receive((command + b"\r\n") * 100_000)
    assert server.take_output().endswith(b"\r\n421 4.7.0 Error: too many errors\r\n")
    assert 6 == server.errors


def test_before_starttls_no_mail_is_taken_where_tls_is_required():
    server = greeted(ServerSettings(starttls=True, tls_required=True))
    server.receive(TRANSACTION)
    assert server.take_output().startswith(b"530 5.7.0 Must issue a STARTTLS command first\r\n")

    server.receive(b"STARTTLS\r\n")
    server.tls_started()
    server.take_output()
    received(server, b"EHLO x\r\n" + TRANSACTION + b".\r\n")


def test_what_a_connection_holds_is_known_and_can_be_dropped():
    server = greeted()
    server.receive(TRANSACTION)
    empty = server.held
    server.receive(b"x" * 100_000)
    assert 100_000 <= server.held - empty <= 100_010
    assert server.in_data

    server.drop_message(Reply(452, "4.3.1", "no room"))
    server.receive(b"y\r\n" * 100_000)
    assert server.held - empty < 100
    server.take_output()
    assert [] == server.receive(b".\r\n")
    assert b"452 4.3.1 no room\r\n" == server.take_output()
    assert 0 == server.held
    assert b"next\r\n" == received(server, TRANSACTION + b"next\r\n.\r\n").octets


def test_who_only_makes_work_is_known_and_a_message_makes_up_for_it():
    server = greeted()
    server.receive(b"rubbish\r\n" * SOFT_ERRORS)
    assert not server.tiresome
    server.receive(b"rubbish\r\n")
    assert server.tiresome
    received(server, TRANSACTION + b".\r\n")
    assert not server.tiresome
    server.answer([OK])
    server.receive(TRANSACTION)
    server.drop_message(Reply(452, "4.3.1", "no room"))
    assert server.tiresome
    server.receive(b".\r\n")
    assert not server.tiresome


def test_a_message_is_held_until_it_is_answered():
    server = greeted()
    received(server, TRANSACTION + b"x" * 1000 + b"\r\n.\r\n")
    assert server.held > 1000
    server.answer([OK])
    assert 0 == server.held


def test_steps_count_what_came_in_whole():
    """Who sends an octet now and then makes none."""
    server = greeted()
    before = server.steps
    for _ in range(50):
        server.receive(b"N")
    assert before == server.steps
    server.receive(b"\r\n")
    assert before + 1 == server.steps


def test_one_answer_serves_all_recipients_of_lmtp():
    server = greeted(hello=b"LHLO x\r\n")
    received(server, TRANSACTION.replace(b"DATA", b"RCPT TO:<c@example.net>\r\nDATA") + b".\r\n")
    server.take_output()
    server.answer([Reply(451, "4.5.0", "Error")])

    assert b"451 4.5.0 Error\r\n" * 2 == server.take_output()


def test_a_wrong_number_of_answers_is_a_mistake_of_ours():
    server = greeted()
    received(server, TRANSACTION + b".\r\n")
    with pytest.raises(ValueError, match="2 replies for 1"):
        server.answer([OK, OK])


def test_after_the_peer_has_gone_an_answer_goes_nowhere():
    server = greeted()
    received(server, TRANSACTION + b".\r\n")
    server.close(Reply(421, "4.3.2", "Service shutting down"))
    server.take_output()

    assert [] == server.answer([OK])
    assert b"" == server.take_output()


CONVERSATION = st.lists(
    st.sampled_from(
        [
            b"HELO a\r\n",
            b"EHLO b\r\n",
            b"XFORWARD ADDR=192.0.2.1\r\n",
            b"MAIL FROM:<a@example.org>\r\n",
            b"RCPT TO:<b@example.net>\r\n",
            b"DATA\r\n",
            b"RSET\r\n",
            b"text\r\n",
            b"..\r\n",
            b".\r\n",
            b"\r\n.\r\n",
            b"\r",
            b"\n",
            b".",
            b"QUIT\r\n",
            b"x" * 5000,
            b"x" * 70_000,
            TRANSACTION,
        ]
    ),
    max_size=25,
).map(b"".join)


@given(CONVERSATION, st.lists(st.integers(1, 40), min_size=1, max_size=20), st.sampled_from(BareLf))
def test_any_split_gives_the_same(conversation: bytes, sizes: list[int], bare_lf: BareLf):
    settings = ServerSettings(extensions=Extensions(size=60), xforward=True, bare_lf=bare_lf, max_errors=5)
    conversation = b"EHLO x\r\n" + TRANSACTION + conversation
    pieces, at = [], 0
    while at < len(conversation):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(conversation[at : at + size])
        at += size

    assert play(settings, [conversation]) == play(settings, pieces)


def under(seconds: float, start: float) -> bool:
    return time.process_time() - start < seconds


def test_a_line_without_end_is_neither_stored_nor_slow():
    server = greeted()
    start = time.process_time()
    server.receive(b"x" * ENDLESS_LINE)
    assert len(server._lines) <= ENDLESS_LINE
    assert b"" == server.take_output()

    assert [Closed()] == server.receive(b"x")
    assert b"421 4.7.0 Error: line without end\r\n" == server.take_output()
    for _ in range(200):
        server.receive(b"x" * 65_536)
    assert 0 == len(server._lines)
    assert under(1, start)


def test_a_line_that_is_too_long_is_refused_and_the_next_one_heard():
    server = greeted()
    server.receive(b"x" * 5000)
    server.receive(b"x" * 50_000 + b"\r\nNOOP\r\n")
    assert b"500 5.5.2 Error: line too long\r\n250 2.0.0 Ok NOOP\r\n" == server.take_output()


def test_a_hundred_thousand_recipients_end_the_connection():
    """As many beyond the limit as Postfix may send in peace get 452; then they are errors."""
    settings = ServerSettings(max_recipients=10, max_errors=5)
    server = greeted(settings)
    start = time.process_time()
    [event] = server.receive(b"MAIL FROM:<a@example.org>\r\n" + b"RCPT TO:<b@example.net>\r\n" * 100_000)
    replies = server.take_output()

    assert isinstance(event, Closed)
    assert RECIPIENT_OVERSHOOT + 6 == replies.count(b"452 4.5.3")
    assert replies.endswith(b"421 4.7.0 Error: too many errors\r\n")
    assert under(1, start)


@pytest.mark.parametrize("line", [b".", b"..\r\n", b"\r\n", b"\r", b"\r\n..", b".\r"])
def test_ten_megabytes_of_dots_are_linear(line: bytes):
    server = greeted()
    server.receive(TRANSACTION)
    octets = line * (10_000_000 // len(line))
    start = time.process_time()
    for at in range(0, len(octets), 16_384):
        server.receive(octets[at : at + 16_384])
    [event] = server.receive(b"\r\n.\r\n")

    assert isinstance(event, MessageReceived)
    assert under(1, start)


@pytest.mark.parametrize("line", [b"x" * 78 + b"\r\n", b"..\r\n", b"\r"])
def test_a_message_beyond_the_limit_is_not_stored(line: bytes):
    server = greeted(ServerSettings(extensions=Extensions(size=100_000)))
    server.receive(TRANSACTION)
    server.take_output()
    chunk = line * (65_536 // len(line))
    for _ in range(200):
        server.receive(chunk)
        assert server._data is not None
        assert len(server._data._buffer) < 300_000

    assert [] == server.receive(b"\r\n.\r\n")
    assert server.take_output().startswith(b"552 5.3.4 Message size (")
