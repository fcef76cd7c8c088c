"""`lazaret selftest`: is the road open, end to end? For a person, and for monitoring."""

import asyncio
import secrets
import smtplib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import click

from lazaret import app
from lazaret.cli.context import Command, Given, as_owner, pass_given, run_async
from lazaret.config.endpoint import Endpoint
from lazaret.config.options import Config
from lazaret.config.words import Mode
from lazaret.flow.explain import action_word
from lazaret.model.errors import LazaretError, Reply, UserError
from lazaret.model.quarantine import Item
from lazaret.model.verdict import Category
from lazaret.store.opening import Store

OK, WARNING, CRITICAL = 0, 1, 2
"""As the plug-ins of Nagios and its heirs end."""

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
RECIPIENT = "selftest@lazaret.invalid"
"""RFC 6761 promises that nobody is there: the next hop takes or refuses it, and no mailbox gets it."""
TIMEOUT_S = 30.0
ROW_S = 5.0
"""How long a row of history may take to be written."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one message."""

    state: int
    text: str


@click.command(cls=Command)
@click.option(
    "--rcpt", "recipient", default=RECIPIENT, show_default=True, metavar="ADDR", help="Who is written to."
)
@pass_given
def selftest(given: Given, recipient: str) -> None:
    """Send a spam (GTUBE) and a clean message through the filter, see both fates, remove the traces.

    Prints a line per message, and one when digests are late. Exit status, as monitoring expects it: 0 all
    is well, 1 the filter works but the next hop does not take mail, or digests are late, 2 the filter does
    not work.
    """
    config = as_owner(given.load())
    try:
        fates = run_async(_test(config, recipient))
    except (OSError, smtplib.SMTPException) as e:
        fates = [Fate(CRITICAL, f"the filter does not answer: {e}")]
    except LazaretError as e:
        fates = [Fate(CRITICAL, str(e))]
    for fate in fates:
        click.echo(f"{('OK', 'WARNING', 'CRITICAL')[fate.state]}: {fate.text}")
    sys.exit(max(fate.state for fate in fates))


async def _test(config: Config, recipient: str) -> list[Fate]:
    if not config.listen.smtp:
        raise UserError("listen.smtp is empty: there is no listener to test", 78)
    store = app.open_store(config)
    sent = []
    try:
        replies = []
        for text in (GTUBE, "This message tests the way."):
            name = f"selftest-{secrets.token_hex(12)}@lazaret.invalid"
            replies.append(_send(config.listen.smtp[0], recipient, name, text))
            sent.append(name)
        observe = config.mode is Mode.OBSERVE
        return [
            await _spam_fate(store, sent[0], replies[0], observe=observe),
            _clean_fate(replies[1]),
            *_digest_fates(await app.late_digests(config, store)),
        ]
    finally:
        for name in sent:
            await _remove(store, name)
        store.close()


def _send(at: Endpoint, recipient: str, name: str, text: str) -> Reply:
    """The reply to the final dot, or to whatever was refused before."""
    message = (
        f"From: Lazaret selftest <{recipient}>\r\nTo: <{recipient}>\r\nSubject: selftest\r\n"
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n"
        f"Message-ID: <{name}>\r\n\r\n{text}\r\n"
    )
    with _client(at) as client:
        for code, answer in (client.ehlo(), client.mail(""), client.rcpt(recipient)):
            if code >= 400:
                return _reply(code, answer)
        return _reply(*client.data(message))


def _client(at: Endpoint) -> smtplib.SMTP:
    """smtplib reaches a Unix socket in LMTP only, which our listeners speak as well."""
    if at.path:
        return smtplib.LMTP(at.path, timeout=TIMEOUT_S)
    return smtplib.SMTP(at.host, at.port, timeout=TIMEOUT_S)


def _reply(code: int, answer: bytes) -> Reply:
    return Reply.parse(f"{code} {answer.decode('utf-8', 'replace')}")


async def _spam_fate(store: Store, name: str, reply: Reply, *, observe: bool) -> Fate:
    if reply.transient:
        return Fate(CRITICAL, f"the spam was not taken: {reply}")
    row = await _row(store, name)
    if row is None:
        return Fate(CRITICAL, f"the spam was answered {reply}, but the history does not know it")
    action = action_word(row)
    if observe and row.category == Category.SPAM:
        return Fate(OK, f'the spam was recognised, and let go because mode is "observe": {reply}')
    if action not in ("discard", "quarantine", "reject"):
        return Fate(CRITICAL, f"the spam was not stopped: {action}, {reply}")
    return Fate(OK, f"the spam was stopped ({action}): {reply}")


def _clean_fate(reply: Reply) -> Fate:
    if reply.positive:
        return Fate(OK, f"the clean message was delivered: {reply}")
    if "from MTA(" in reply.text or "From MTA(" in reply.text:
        return Fate(WARNING, f"the filter let the clean message pass, but the next hop did not: {reply}")
    return Fate(CRITICAL, f"the clean message was not let through: {reply}")


def _digest_fates(late: Sequence[str]) -> list[Fate]:
    """Nothing is said while nobody waits."""
    if not late:
        return []
    some = ", ".join(late[:3]) + (", …" if len(late) > 3 else "")
    return [Fate(WARNING, f"digest not sent for over an hour to {len(late)} recipients: {some}")]


async def _row(store: Store, name: str) -> Item | None:
    """The row of history; rows of delivered mail are written within a second."""
    deadline = time.monotonic() + ROW_S
    while time.monotonic() < deadline:
        async for item in store.quarantine.find(f'message-id:"<{name}>"', everything=True):
            return item
        await asyncio.sleep(0.1)
    return None


async def _remove(store: Store, name: str) -> None:
    item = await _row(store, name)
    if item is not None:
        await store.retention.remove(item.mail_id, item.partition_tag)
