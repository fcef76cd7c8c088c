"""Every dialogue of the server, whole, octet by octet, and in other splits: the same comes out."""

from pathlib import Path

import pytest

from lazaret.model.delivery import Extensions
from lazaret.model.envelope import Session
from lazaret.wire.dot import BareLf
from lazaret.wire.smtp_server import Closed, MessageReceived, ServerSettings, SmtpServer

from .dialog import DIALOGS, Dialog, Step, chunks, message, read, reply

SESSION = Session(client_ip="127.0.0.1", peer_ip="127.0.0.1")
WHOLE = 1_000_000


class Play:
    """Feeds the client's octets and gathers what the server says and finds."""

    def __init__(self, dialog: Dialog) -> None:
        self.said = b""
        self.found: list[object] = []
        self._answers = dialog.of("A")
        self._server = SmtpServer(SESSION, settings(dialog.settings))
        self._server.greet()

    def run(self, steps: tuple[Step, ...], size: int) -> None:
        """All octets of the client up to TLS, or to the end, as if they came at once."""
        pending = b""
        for step in steps:
            if step.kind[0] == "C":
                pending += step.octets
            if step.kind == "T":
                self._feed_all(pending, size)
                self._server.tls_started()
                pending = b""
        self._feed_all(pending, size)
        self.said += self._server.take_output()

    def _feed_all(self, octets: bytes, size: int) -> None:
        for chunk in chunks(octets, size):
            self._feed(chunk)

    def _feed(self, octets: bytes) -> None:
        events = self._server.receive(octets)
        while events:
            event = events.pop(0)
            if isinstance(event, MessageReceived):
                self.found.append((event.envelope.sender, event.envelope.addresses, event.octets))
                events += self._server.answer([reply(a.text) for a in self._next_answers(event)])
            if isinstance(event, Closed):
                self.found.append("closed")

    def _next_answers(self, event: MessageReceived) -> list[Step]:
        count = len(event.envelope.recipients) if event.session.protocol == "LMTP" else 1
        taken, self._answers = self._answers[:count], self._answers[count:]
        return taken


def settings(words: dict[str, str]) -> ServerSettings:
    return ServerSettings(
        extensions=Extensions(
            eightbit="eightbit" in words,
            smtputf8="smtputf8" in words,
            dsn="dsn" in words,
            size=int(words.get("size", "0")),
        ),
        starttls="starttls" in words,
        xforward="xforward" in words,
        max_recipients=int(words.get("max_recipients", "1100")),
        max_errors=int(words.get("max_errors", "20")),
        bare_lf=BareLf(words.get("bare_lf", "reject")),
    )


def expected(dialog: Dialog) -> list[object]:
    steps = [s for s in dialog.steps if s.kind in ("M", "X")]
    return [message(s.text) if s.kind == "M" else "closed" for s in steps]


@pytest.mark.parametrize("size", [WHOLE, 1, 2, 3, 7])
@pytest.mark.parametrize("path", sorted((DIALOGS / "server").iterdir()), ids=lambda p: p.stem)
def test_the_server_says_and_finds_the_same_in_any_split(path: Path, size: int):
    dialog = read(path)
    play = Play(dialog)

    play.run(dialog.steps, size)

    assert b"".join(s.octets for s in dialog.of("S")) == play.said
    assert expected(dialog) == play.found
