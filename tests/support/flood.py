"""Many clients at once, half of them hostile: how long do the others wait for the reply to their mail?"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ENVELOPE = b"MAIL FROM:<a@out.example>\r\nRCPT TO:<ann@home.example>\r\nDATA\r\n"


@dataclass
class Outcome:
    """What the good half saw."""

    seconds: list[float] = field(default_factory=list)
    """From the first octet of a transaction to the reply after the final dot."""
    refused: Counter[str] = field(default_factory=Counter)
    """Replies to good mail that were not 250."""

    def percentile(self, share: float) -> float:
        """Seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def flush(writer: asyncio.StreamWriter) -> None:
    """As `drain`, and gives way to the others in any case."""
    await writer.drain()
    await asyncio.sleep(0)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing at all."""
    await reader.read()


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An octet now and then, within a command."""
    while True:
        writer.write(b"E")
        await flush(writer)
        await asyncio.sleep(0.3)


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A line of a message now and then, for ever."""
    writer.write(b"EHLO x\r\n" + ENVELOPE)
    while True:
        writer.write(b"x\r\n")
        await flush(writer)
        await asyncio.sleep(0.3)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What is no SMTP, as much as is taken."""
    while True:
        writer.write(bytes(range(256)) * 64 + b"\r\n")
        await flush(writer)


async def endless_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A command without an end."""
    while True:
        writer.write(b"x" * 65_536)
        await flush(writer)


async def endless_message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A message without an end."""
    writer.write(b"EHLO x\r\n" + ENVELOPE)
    while True:
        writer.write((b"x" * 998 + b"\r\n") * 64)
        await flush(writer)


async def playing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Commands that lead nowhere, without reading a reply."""
    while True:
        writer.write(b"EHLO x\r\nNOOP\r\nRSET\r\n" * 1000)
        await flush(writer)


HOSTILE: tuple[Act, ...] = (
    silent,
    slow,
    dripping,
    garbage,
    endless_line,
    endless_message,
    playing,
)


async def good_mail(port: int, *, connections: int, seconds: float, pause_s: float, body: bytes) -> Outcome:
    """So many clients for so long; each sends a message, waits `pause_s`, and sends the next."""
    outcome = Outcome()
    starts = [number * pause_s / connections for number in range(connections)]
    tasks = [asyncio.create_task(_good(port, outcome, start, pause_s, body)) for start in starts]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    failed = [r for r in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(r, Exception)]
    if failed:
        raise failed[0]
    return outcome


@contextmanager
def hostile_clients(port: int, connections: int, kind: str = "all") -> Iterator[None]:
    """So many of that kind, or of all in turn, in a process that works when nobody else does."""
    command = ["nice", "-n", "19", sys.executable, __file__, str(port), str(connections), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hostile\n"
        try:
            yield
        finally:
            process.kill()


async def _good(port: int, outcome: Outcome, start: float, pause_s: float, body: bytes) -> None:
    await asyncio.sleep(start)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await _reply(reader)
        writer.write(b"EHLO client.example\r\n")
        await _reply(reader)
        while True:
            began = time.perf_counter()
            writer.write(ENVELOPE)
            for _ in range(3):
                await _reply(reader)
            writer.write(body + b"\r\n.\r\n")
            reply = await _reply(reader)
            outcome.seconds.append(time.perf_counter() - began)
            if not reply.startswith("250"):
                outcome.refused[reply] += 1
            await asyncio.sleep(pause_s)
    finally:
        writer.close()


async def _be_hostile(port: int, act: Act) -> None:
    """Comes back half a second after it was cut off."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await act(reader, writer)
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.5)


async def _all_hostile(port: int, connections: int, kind: str) -> None:
    kinds = [act for act in HOSTILE if kind in ("all", act.__name__)]
    acts = [kinds[number % len(kinds)] for number in range(connections)]
    tasks = [asyncio.create_task(_be_hostile(port, act)) for act in acts]
    await asyncio.sleep(1)
    print("hostile", flush=True)
    await asyncio.gather(*tasks)


async def _reply(reader: asyncio.StreamReader) -> str:
    while True:
        line = await reader.readline()
        if line[3:4] != b"-":
            return line.decode().rstrip()


if __name__ == "__main__":
    asyncio.run(_all_hostile(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
