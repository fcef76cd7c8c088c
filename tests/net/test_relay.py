"""The relay against real servers on the loopback, well and ill behaved, under both event loops."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Extensions
from lazaret.model.envelope import Recipient, Session
from lazaret.model.errors import Reply
from lazaret.net.hop_connection import Timeouts
from lazaret.net.relay import UNKNOWN
from lazaret.wire.smtp_server import ServerSettings

from .servers import OK, Sink, SinkConnection, accept_until_data, greet, listening, scripted
from .way import OUTGOING, SHORT, TWO, Run, dead, relay, send


def test_the_answer_is_that_of_the_next_hop_word_by_word(run: Run):
    async def main() -> None:
        sink = Sink()
        async with listening(sink) as hop:
            way = relay(hop)
            [answer] = await way.send(OUTGOING)
            await way.close()

            assert f"250 2.0.0 from MTA({hop}): 250 2.0.0 Ok: queued as BBD26146A8" == str(answer.reply)
            assert ("b@example.net", "BBD26146A8") == (answer.recipient, answer.queued_as)
            assert OUTGOING.octets == sink.received[0].octets

    run(main())


def test_one_connection_serves_many_messages(run: Run):
    async def main() -> None:
        sink = Sink()
        async with listening(sink) as hop:
            way = relay(hop)
            for _ in range(20):
                await way.send(OUTGOING)
            await way.close()

        assert (20, 1) == (len(sink.received), sink.connections)

    run(main())


def test_messages_at_once_are_bounded_by_the_connections(run: Run):
    async def main() -> None:
        sink = Sink()
        async with listening(sink) as hop:
            way = relay(hop, max_connections=3)
            await asyncio.gather(*(way.send(OUTGOING) for _ in range(20)))
            await way.close()

        assert (20, 3) == (len(sink.received), sink.connections)

    run(main())


def test_an_idle_connection_that_has_died_costs_no_mail(run: Run):
    async def main() -> None:
        sink = Sink()
        async with listening(sink) as hop:
            way = relay(hop)
            await way.send(OUTGOING)
            for connection in list(sink.open):
                connection.transport.abort()
            [answer] = await send(way)

        assert answer.startswith("250 2.0.0")
        assert (2, 2) == (len(sink.received), sink.connections)

    run(main())


def test_an_idle_connection_that_closes_at_the_next_mail_is_replaced_once(run: Run):
    """The peer closes when the second transaction begins: 421 the first time, silence the second."""
    seen = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_until_data(reader, writer)
        seen.append(await reader.readuntil(b"\r\n.\r\n"))
        writer.write(b"250 2.0.0 Ok\r\n")
        await reader.readuntil(b"MAIL")
        if len(seen) == 1:
            writer.write(b"421 4.3.2 that was enough\r\n")
            await writer.drain()

    async def main() -> None:
        async with scripted(once) as hop:
            way = relay(hop)
            codes = [(await way.send(OUTGOING))[0].reply.code for _ in range(3)]
            await way.close()

        assert [250, 250, 250] == codes
        assert 3 == len(seen)

    run(main())


def test_refused_connections_are_told_in_the_words_of_amavis(run: Run):
    async def main() -> None:
        hop, other = dead(), dead()

        assert [
            f"451 4.5.0 From MTA() during fwd-connect (All attempts (1) failed connecting to {hop})"
        ] == await send(relay(hop))
        assert [
            f"451 4.5.0 From MTA() during fwd-connect (All attempts (2) failed connecting to {hop}, {other})"
        ] == await send(relay(hop, other))

    run(main())


@pytest.mark.parametrize("greeting", [b"421 4.3.2 busy\r\n", b"554 5.7.1 go away\r\n", b"SSH-2.0-x\r\n"])
def test_a_next_hop_that_serves_nobody_defers_and_the_other_one_is_taken(run: Run, greeting: bytes):
    """Even a 554 in the greeting speaks of us and not of the message: no bounce for that."""

    async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()

    async def main() -> None:
        sink = Sink()
        async with scripted(turn_away) as hop, listening(sink) as other:
            [alone] = await send(relay(hop))
            [answer] = await send(relay(hop, other))

        assert alone.startswith(f"451 4.5.0 From MTA({hop}) during fwd-connect (")
        assert greeting.decode().strip() in alone
        assert answer.startswith(f"250 2.0.0 from MTA({other}): ")

    run(main())


def test_a_hop_that_failed_is_tried_last_for_a_while(run: Run):
    async def main() -> None:
        knocks = []

        async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            knocks.append(1)
            writer.write(b"421 4.3.2 busy\r\n")
            await writer.drain()

        async with scripted(turn_away) as hop, listening(Sink()) as other:
            way = relay(hop, other)
            for _ in range(3):
                await way.send(OUTGOING)
            await way.close()

        assert 1 == len(knocks)

    run(main())


def test_a_421_before_the_message_goes_to_the_other_hop(run: Run):
    async def close_at_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await reader.readuntil(b"DATA\r\n")
        writer.write(b"250 ok\r\n421 4.3.2 shutting down\r\n")
        await writer.drain()

    async def main() -> None:
        async with scripted(close_at_mail) as hop, listening(Sink()) as other:
            [alone] = await send(relay(hop))
            [answer] = await send(relay(hop, other))

        assert f"451 4.3.2 from MTA({hop}): 421 4.3.2 shutting down" == alone
        assert answer.startswith("250")

    run(main())


def test_silence_before_the_message_goes_to_the_other_hop(run: Run):
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await reader.read()

    async def main() -> None:
        async with scripted(never) as hop, listening(Sink()) as other:
            [alone] = await send(relay(hop))
            [answer] = await send(relay(hop, other))

        assert f"450 4.4.2 Timed out during fwd-mail-from, MTA({hop})" == alone
        assert answer.startswith("250")

    run(main())


@pytest.mark.parametrize("silent", [False, True])
def test_after_the_end_of_the_message_nobody_else_gets_it(run: Run, silent: bool):
    """The hop took it all and said nothing: it may have been delivered, so the MTA tries again."""
    taken = []

    async def take_and_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_until_data(reader, writer)
        taken.append(await reader.readuntil(b"\r\n.\r\n"))
        if silent:
            await reader.read()

    async def main() -> None:
        sink = Sink()
        async with scripted(take_and_go) as hop, listening(sink) as other:
            [answer] = await send(relay(hop, other))

        assert answer.startswith(f"451 4.5.0 From MTA({hop}) during fwd-data-end (")
        assert answer.endswith("; the message may have been delivered)")
        assert ("timed out" in answer) == silent
        assert 1 == len(taken)
        assert [] == sink.received

    run(main())


def test_a_message_cut_off_half_way_is_never_ended(run: Run):
    """A cancelled delivery must not look like a whole, shorter message to the next hop."""

    async def main() -> None:
        heard = bytearray()
        started = asyncio.Event()

        async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await accept_until_data(reader, writer)
            heard.extend(await reader.read(1000))
            started.set()
            await asyncio.sleep(0.2)
            heard.extend(await reader.read())

        async with scripted(read_slowly) as hop:
            way = relay(hop, timeouts=Timeouts())
            task = asyncio.ensure_future(way.send(replace(OUTGOING, octets=b"y\r\n" * 10_000_000)))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.3)
            await way.close()

        assert heard.startswith(b"y\r\n")
        assert b"\r\n.\r\n" not in heard

    run(main())


def test_each_recipient_has_its_own_answer_over_lmtp(run: Run):
    async def main() -> None:
        sink = Sink()
        sink.answers = lambda message: [
            Reply(250, "2.0.0", "<b@example.net> f4RkHw Saved"),
            Reply(452, "4.2.2", "mailbox is full"),
        ]
        async with listening(sink, lmtp=True) as hop:
            way = relay(hop)
            answers = await way.send(TWO)
            await way.close()

        assert [
            f"250 2.0.0 from MTA({hop}): 250 2.0.0 <b@example.net> f4RkHw Saved",
            f"452 4.2.2 from MTA({hop}): 452 4.2.2 mailbox is full",
        ] == [str(a.reply) for a in answers]
        assert ["f4RkHw", ""] == [a.queued_as for a in answers]
        assert sink.received[0].session.protocol == "LMTP"

    run(main())


def test_over_lmtp_a_reply_stands_when_the_connection_ends_before_the_next(run: Run):
    async def one_of_two(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await reader.readuntil(b"DATA\r\n")
        writer.write(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 2.0.0 first\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)

    async def main() -> None:
        async with scripted(one_of_two, lmtp=True) as hop:
            first, second = await send(relay(hop), TWO)

        assert f"250 2.0.0 from MTA({hop}): 250 2.0.0 first" == first
        assert second.startswith(f"451 4.5.0 From MTA({hop}) during fwd-data-end (")

    run(main())


def test_one_recipient_refused_leaves_the_other_one_his_message(run: Run):
    """And a reply without an enhanced code gets one."""

    async def refuse_the_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        await reader.readuntil(b"DATA\r\n")
        writer.write(b"250 ok\r\n450-wait\r\n450 a little\r\n250 ok\r\n354 go\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 OK id=1rXyZ-0001ab-Cd\r\n")
        await writer.drain()
        await reader.read()

    async def main() -> None:
        async with scripted(refuse_the_first) as hop:
            way = relay(hop)
            first, second = await way.send(TWO)
            await way.close()

        assert f"450 4.0.0 from MTA({hop}): 450 wait a little" == str(first.reply)
        assert f"250 2.0.0 from MTA({hop}): 250 OK id=1rXyZ-0001ab-Cd" == str(second.reply)
        assert "1rXyZ-0001ab-Cd" == second.queued_as

    run(main())


def test_recipients_beyond_the_limit_of_the_hop_follow_in_another_transaction(run: Run):
    async def main() -> None:
        sink = Sink(ServerSettings(max_recipients=2))
        many = replace(OUTGOING, recipients=tuple(Recipient(f"{i}@example.net") for i in range(5)))
        async with listening(sink) as hop:
            way = relay(hop)
            answers = await way.send(many)
            await way.close()

        assert [250] * 5 == [a.reply.code for a in answers]
        assert [f"{i}@example.net" for i in range(5)] == [a.recipient for a in answers]
        assert [2, 2, 1] == [len(m.envelope.recipients) for m in sink.received]
        assert 1 == sink.connections

    run(main())


def test_a_slow_hop_is_waited_for(run: Run):
    """The deadline moves on with every reply."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_until_data(reader, writer)
        await reader.readuntil(b"\r\n.\r\n")
        await asyncio.sleep(0.15)
        writer.write(b"250 2.0.0 Ok\r\n")
        await writer.drain()
        await reader.readuntil(b"DATA\r\n")
        for reply in (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            await asyncio.sleep(0.15)
            writer.write(reply)
        await reader.readuntil(b"\r\n.\r\n")
        await asyncio.sleep(0.15)
        writer.write(b"250 2.0.0 Ok\r\n")
        await writer.drain()

    async def main() -> None:
        async with scripted(slow) as hop:
            way = relay(hop, timeouts=SHORT)
            codes = [(await way.send(OUTGOING))[0].reply.code for _ in range(2)]
            await way.close()

        assert [250, 250] == codes

    run(main())


def test_a_unix_socket_is_a_next_hop(run: Run, tmp_path: Path):
    async def main() -> None:
        sink = Sink()
        path = str(tmp_path / "lmtp")
        server = await asyncio.get_running_loop().create_unix_server(lambda: SinkConnection(sink), path)
        async with server:
            [answer] = await send(relay(NextHop.parse(f"unix:{path}")))

        assert f"250 2.0.0 from MTA(unix:{path}): {OK}" == answer

    run(main())


def test_the_client_is_told_on_by_xforward(run: Run):
    async def main() -> None:
        sink = Sink(ServerSettings(xforward=True))
        told = Session(client_ip="192.0.2.1", client_name="spike.example", forwarded=True)
        async with listening(sink) as hop:
            await send(relay(hop), replace(OUTGOING, client=told))

        assert ("192.0.2.1", "spike.example") == (
            sink.received[0].session.client_ip,
            sink.received[0].session.client_name,
        )

    run(main())


def test_extensions_are_what_all_hops_offer(run: Run):
    async def main() -> None:
        one = Sink(ServerSettings(extensions=Extensions(eightbit=True, dsn=True, size=1000)))
        two = Sink(ServerSettings(extensions=Extensions(eightbit=True, smtputf8=True, size=500)))
        async with listening(one) as first, listening(two) as second:
            way = relay(first, second)
            assert Extensions(eightbit=True, size=500) == await way.extensions()

            # Cached, and the connection of the probe carries the first message.
            await way.extensions()
            await way.send(OUTGOING)
            await way.close()

        assert (1, 1) == (one.connections, two.connections)

    run(main())


def test_while_no_hop_has_ever_answered_mail_is_neither_rewritten_nor_bounced(run: Run):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        async with scripted(silent) as hop:
            way = relay(hop, dead())
            assert UNKNOWN == await way.extensions()
            await way.close()

    run(main())


def test_a_hop_that_is_down_does_not_change_what_is_offered(run: Run):
    async def main() -> None:
        offered = Extensions(eightbit=True, dsn=True, size=1000)
        async with listening(Sink(ServerSettings(extensions=offered))) as hop:
            way = relay(hop, dead())
            assert offered == await way.extensions()
        way._extensions_until = 0.0

        assert offered == await way.extensions()
        await way.close()

    run(main())
