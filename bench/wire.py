"""CPU microseconds for a 10 KB message: server and client, codecs alone and over loopback with uvloop.

Each side runs in a process of its own, so that user and system time are its own; connections are
reused and pipelined. The other side is one of ours too, which does not count.
"""

import asyncio
import os
import resource
import socket
import time
from collections.abc import Callable

import uvloop

from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Extensions, Outgoing
from lazaret.model.envelope import Recipient, Session
from lazaret.model.errors import Reply
from lazaret.net.relay import Relay
from lazaret.wire.smtp_client import SmtpClient
from lazaret.wire.smtp_server import MessageReceived, ServerSettings, SmtpServer

MESSAGES = 5000
CONNECTIONS = (1, 4)
"""With one, each message pays for two turns of the event loop, mostly in the kernel; with more they share."""
WARM_UP = 200
BODY = (b"x" * 70 + b"\r\n") * 140
OUTGOING = Outgoing("sender@example.org", (Recipient("recipient@example.net"),), BODY, body="8BITMIME")
OK = Reply(250, "2.0.0", "Ok: queued as BBD26146A8")
SETTINGS = ServerSettings(extensions=Extensions(eightbit=True), xforward=True)
CLIENT = Session(client_ip="192.0.2.1", client_name="spike.example", helo="spike.example", queue_id="4Rk2x1")


class Listener(asyncio.Protocol):
    """The least that a daemon does."""

    def connection_made(self, transport):
        self.transport = transport
        self.server = SmtpServer(Session(peer_ip="127.0.0.1"), SETTINGS)
        self.server.greet()
        transport.write(self.server.take_output())

    def data_received(self, octets):
        for event in self.server.receive(octets):
            if isinstance(event, MessageReceived):
                self.server.answer((OK,))
        self.transport.write(self.server.take_output())


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def per_message(seconds: float) -> str:
    return f"{seconds / MESSAGES * 1e6:6.1f} us"


async def serve(listening: socket.socket, report: int) -> None:
    server = await asyncio.get_running_loop().create_server(Listener, sock=listening)
    async with server:
        os.write(report, b"ready")
        await asyncio.sleep(3600)


def fork_server() -> tuple[int, int]:
    """(port, process id)."""
    listening = socket.create_server(("127.0.0.1", 0))
    ready, report = os.pipe()
    child = os.fork()
    if not child:
        uvloop.run(serve(listening, report))
        os._exit(0)
    os.read(ready, 5)
    return listening.getsockname()[1], child


def cpu_of(process: int) -> float:
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def send_some(relay: Relay, outgoing: Outgoing, count: int) -> None:
    for _ in range(count):
        [answer] = await relay.send(outgoing)
        assert answer.reply.positive, answer


async def send(port: int, process: int, outgoing: Outgoing, connections: int) -> tuple[float, float, float]:
    """CPU seconds of client and server, and seconds on the clock."""
    relay = Relay([NextHop.parse(f"smtp:[127.0.0.1]:{port}")], name="bench.example")
    await send_some(relay, outgoing, WARM_UP)
    own, other, start = cpu(), cpu_of(process), time.perf_counter()
    await asyncio.gather(*(send_some(relay, outgoing, MESSAGES // connections) for _ in range(connections)))
    result = cpu() - own, cpu_of(process) - other, time.perf_counter() - start
    await relay.close()
    return result


def over_loopback(outgoing: Outgoing, connections: int, what: str) -> None:
    port, process = fork_server()
    try:
        client, server, clock = uvloop.run(send(port, process, outgoing, connections))
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
    what = f"loopback, {connections} connections{what}"
    print(f"{what:36} client {per_message(client)}  server {per_message(server)}  {MESSAGES / clock:5.0f}/s")


def timed(work: Callable[[], None]) -> str:
    best = min(run(work) for _ in range(5))
    return f"{best * 1e6:6.1f} us"


def run(work: Callable[[], None], times: int = 1000) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def codecs_alone() -> None:
    mail = b"MAIL FROM:<sender@example.org> SIZE=10080 BODY=8BITMIME\r\n"
    envelope = mail + b"RCPT TO:<recipient@example.net>\r\nDATA\r\n"
    server = SmtpServer(Session(), SETTINGS)
    server.receive(b"EHLO bench.example\r\n")

    def receive() -> None:
        server.receive(envelope)
        server.take_output()
        server.receive(BODY + b".\r\n")
        server.answer((OK,))
        server.take_output()

    client = SmtpClient(name="bench.example", lmtp=False)
    client.receive(b"220 x\r\n250-x\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n")
    client.take_output()

    def transmit() -> None:
        client.send(OUTGOING)
        client.take_output()
        client.receive(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n")
        client.take_output()
        client.receive(b"250 2.0.0 Ok: queued as BBD26146A8\r\n")

    print(f"{'codecs alone':36} client {timed(transmit)}  server {timed(receive)}")


def main() -> None:
    print(
        f"{MESSAGES} messages of {len(BODY)} octets, reused connections, pipelined, uvloop; CPU per message"
    )
    codecs_alone()
    for connections in CONNECTIONS:
        over_loopback(OUTGOING, connections, "")
    told = Outgoing(OUTGOING.sender, OUTGOING.recipients, BODY, body="8BITMIME", client=CLIENT)
    over_loopback(told, CONNECTIONS[-1], ", XFORWARD")


if __name__ == "__main__":
    main()
