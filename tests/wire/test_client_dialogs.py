"""Every dialogue of the client, its server's octets whole, one by one, and in other splits."""

from pathlib import Path

import pytest

from lazaret.model.delivery import Outgoing
from lazaret.model.envelope import Recipient, Session
from lazaret.wire.smtp_client import Broken, Event, Finished, Ready, Refused, SmtpClient, StartTls

from .dialog import DIALOGS, Dialog, Step, chunks, message, read

CLIENT = Session(
    client_ip="2001:db8::1",
    client_port=4711,
    client_name="spike.example",
    helo="sp ike",
    protocol="ESMTP",
    client_protocol="SMTP",
    queue_id="4Rk2x1",
)


class Play:
    """Feeds the server's octets, begins the transactions, and compares at every turn."""

    def __init__(self, dialog: Dialog) -> None:
        self._settings = dialog.settings
        self._client = SmtpClient(
            name="filter.example",
            lmtp="lmtp" in dialog.settings,
            starttls="starttls" in dialog.settings,
            tls_required="tls_required" in dialog.settings,
        )
        self._events: list[Event] = []
        self.found: list[str] = []

    def run(self, steps: tuple[Step, ...], size: int) -> None:
        said = b""
        for step in (*steps, Step("end", "")):
            match step.kind[0]:
                case "S":
                    assert b"" == said, "the client was to speak before the server does"
                    for chunk in chunks(step.octets, size):
                        self._events += self._client.receive(chunk)
                    said = self._client.take_output()
                case "C":
                    assert said.startswith(step.octets), (step.octets, said)
                    said = said[len(step.octets) :]
                case "O":
                    self._events += self._client.send(outgoing(step.text, self._settings))
                    said += self._client.take_output()
                case "T":
                    self._client.tls_started()
                    said += self._client.take_output()
            self._note()
        assert b"" == said

    def _note(self) -> None:
        for event in self._events:
            match event:
                case Finished(replies, postponed, _):
                    self.found += map(str, replies)
                    self.found += [f"postponed {index}" for index in postponed]
                case Refused(reply):
                    self.found.append(f"refused {reply}")
                case Broken(text):
                    self.found.append(f"broken {text}")
                case Ready() | StartTls():
                    pass
        self._events = []


def outgoing(text: str, settings: dict[str, str]) -> Outgoing:
    sender, recipients, octets = message(text)
    return Outgoing(
        sender,
        tuple(Recipient(r, settings.get("notify", ""), settings.get("orcpt", "")) for r in recipients),
        octets,
        body=settings.get("body", ""),
        smtputf8="smtputf8" in settings,
        ret=settings.get("ret", ""),
        envid=settings.get("envid", ""),
        client=CLIENT if "client" in settings else None,
    )


@pytest.mark.parametrize("size", [1_000_000, 1, 2, 3, 7])
@pytest.mark.parametrize("path", sorted((DIALOGS / "client").iterdir()), ids=lambda p: p.stem)
def test_the_client_says_and_finds_the_same_in_any_split(path: Path, size: int):
    dialog = read(path)
    play = Play(dialog)

    play.run(dialog.steps, size)

    assert [s.text for s in dialog.of("F")] == play.found
