"""Client and server glued together without a network: what one sends the other receives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.model.delivery import Extensions, Outgoing
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.errors import Reply
from lazaret.wire.smtp_client import Broken, Event, Finished, Ready, SmtpClient, Stage
from lazaret.wire.smtp_server import MessageReceived, ServerSettings, SmtpServer

ALL = Extensions(eightbit=True, smtputf8=True, dsn=True, size=0)
OK = Reply(250, "2.0.0", "Ok: queued as 1")


class Glue:
    """Carries the octets to and fro until nobody has anything to say."""

    def __init__(self, *, lmtp: bool, settings: ServerSettings, answers: tuple[Reply, ...] = (OK,)) -> None:
        self.client = SmtpClient(name="filter.example", lmtp=lmtp)
        self.server = SmtpServer(Session(), settings)
        self.received: list[MessageReceived] = []
        self._answers = answers
        self.server.greet()
        [ready] = self.carry()
        assert Ready(settings.extensions) == ready

    def carry(self) -> list[Event]:
        events: list[Event] = []
        while True:
            to_client = self.server.take_output()
            events += self.client.receive(to_client)
            to_server = self.client.take_output()
            if not to_client and not to_server:
                return events
            for event in self.server.receive(to_server):
                assert isinstance(event, MessageReceived)
                self.received.append(event)
                self.server.answer(self._answers)

    def send(self, outgoing: Outgoing) -> Finished:
        [finished] = self.client.send(outgoing) or self.carry()
        assert isinstance(finished, Finished)
        return finished


OUTGOING = Outgoing(
    sender="a@example.org",
    recipients=(Recipient("b@example.net", "NEVER", "rfc822;b@example.net"), Recipient("c@example.net")),
    octets=b".Hello\r\n\r\n..\r\n",
    body="8BITMIME",
    smtputf8=True,
    ret="FULL",
    envid="QQ314",
    client=Session(client_ip="192.0.2.1", forwarded=True),
)


@pytest.mark.parametrize("lmtp", [False, True])
def test_everything_arrives(lmtp: bool):
    glue = Glue(lmtp=lmtp, settings=ServerSettings(extensions=ALL, xforward=True))

    assert Finished((OK, OK), (), True) == glue.send(OUTGOING)
    [message] = glue.received
    size = len(OUTGOING.octets)
    assert Envelope("a@example.org", OUTGOING.recipients, size, "8BITMIME", True, "FULL", "QQ314") == (
        message.envelope
    )
    assert OUTGOING.octets == message.octets
    assert "192.0.2.1" == message.session.client_ip


def test_only_what_is_offered_is_said():
    glue = Glue(lmtp=False, settings=ServerSettings())
    glue.send(OUTGOING)

    assert (
        Envelope("a@example.org", (Recipient("b@example.net"), Recipient("c@example.net")), 14)
        == glue.received[0].envelope
    )


def test_one_connection_carries_many_messages():
    glue = Glue(lmtp=False, settings=ServerSettings(extensions=ALL))
    for _ in range(3):
        assert glue.send(OUTGOING).sent

    assert 3 == len(glue.received)
    assert Stage.IDLE is glue.client.stage


def test_recipients_beyond_the_limit_are_postponed():
    glue = Glue(lmtp=False, settings=ServerSettings(max_recipients=1))
    finished = glue.send(OUTGOING)

    assert (1,) == finished.postponed
    assert [250, 452] == [reply.code for reply in finished.replies]


def test_the_end_of_the_message_is_marked_when_it_goes_out():
    client = SmtpClient(name="x", lmtp=False)
    client.receive(b"220 x\r\n250-x\r\n250 PIPELINING\r\n")
    client.send(OUTGOING)
    client.receive(b"250 ok\r\n250 ok\r\n250 ok\r\n")
    assert not client.dot_sent

    client.receive(b"354 go\r\n")
    assert client.dot_sent
    assert Stage.END is client.stage


def test_giving_up_says_nothing_more_and_leaves_nobody_without_a_reply():
    client = SmtpClient(name="x", lmtp=True)
    client.receive(b"220 x\r\n250-x\r\n250 PIPELINING\r\n")
    client.send(OUTGOING)
    client.take_output()
    client.receive(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 first\r\n")
    unknown = Reply(451, "4.5.0", "nobody knows")

    assert Finished((Reply(250, "2.0.0", "first"), unknown), (), True) == client.give_up(unknown)
    assert b"" == client.take_output()
    assert client.closing


def test_an_unasked_reply_ends_an_idle_connection():
    client = SmtpClient(name="x", lmtp=False)
    client.receive(b"220 x\r\n250 x\r\n")

    assert [Broken("unasked reply: 421 4.4.2 timeout")] == client.receive(b"421 4.4.2 timeout\r\n")
    assert client.closing


@given(st.binary(max_size=300))
def test_any_octets_of_a_server_end_in_events(octets: bytes):
    client = SmtpClient(name="x", lmtp=False)
    client.receive(b"220 x\r\n250-x\r\n250 PIPELINING\r\n")
    client.send(OUTGOING)

    assert len(client.receive(octets)) <= 2
