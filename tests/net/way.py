"""The relay under test, and what it is given to send."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from tests.support.ports import free_port

from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Outgoing
from lazaret.model.envelope import Recipient
from lazaret.net.hop_connection import Timeouts
from lazaret.net.relay import Relay

OUTGOING = Outgoing("a@example.org", (Recipient("b@example.net"),), b"Subject: x\r\n\r\n.Hello\r\n")
TWO = replace(OUTGOING, recipients=(Recipient("b@example.net"), Recipient("c@example.net")))
SHORT = Timeouts(connect=0.3, greeting=0.2, command=0.2, data=0.2, end=0.2, rset=0.2, probe=0.3)

Run = Callable[[Coroutine[Any, Any, None]], None]


def relay(*hops: NextHop, timeouts: Timeouts = SHORT, **options: Any) -> Relay:
    return Relay(hops, name="filter.example", timeouts=timeouts, **options)


def dead() -> NextHop:
    """A port at which nobody listens."""
    return NextHop.parse(f"smtp:[127.0.0.1]:{free_port()}")


async def send(relay: Relay, outgoing: Outgoing = OUTGOING) -> list[str]:
    try:
        return [str(answer.reply) for answer in await relay.send(outgoing)]
    finally:
        await relay.close()
