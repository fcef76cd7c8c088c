"""Dialogues as plain text files, played against the codecs in any split.

# a comment: what this dialogue proves, and why it matters
settings: xforward size=1000          what the server offers, or the client has to send
C: EHLO mta.example                   a line of the client, ended by CRLF
C- Hello\n.\r\n                       octets of the client as they are, in Python escapes
S: 220 ready                          a line of the server
M: a@b > c@d, e@f | Hi\r\n            the server received this message
A: 250 2.0.0 Ok                       what the filter answers to it
T:                                    TLS starts
X:                                    the server closes
O: a@b > c@d | Hi\r\n                 the client is to send this message
F: 250 2.0.0 Ok                       the client is finished; one such line per recipient
"""

from dataclasses import dataclass, field
from pathlib import Path

from lazaret.model.errors import Reply

DIALOGS = Path(__file__).parent / "dialogs"


@dataclass(frozen=True, slots=True)
class Step:
    kind: str
    text: str

    @property
    def octets(self) -> bytes:
        """Of a `C` or `S` line: with `-` in Python escapes, otherwise as it stands, and CRLF."""
        return unescape(self.text) if self.kind.endswith("-") else self.text.encode() + b"\r\n"


@dataclass(frozen=True, slots=True)
class Dialog:
    steps: tuple[Step, ...]
    settings: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Step]:
        return [step for step in self.steps if step.kind[0] == kind]


def read(path: Path) -> Dialog:
    settings: dict[str, str] = {}
    steps = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("settings:"):
            words = (word.partition("=") for word in line.removeprefix("settings:").split())
            settings = {name: value for name, _, value in words}
            continue
        kind, text = line[:2], line[3:]
        assert kind[0] in "CSMATXOF", line
        assert kind[1] in ":-", line
        steps.append(Step(kind.rstrip(":"), text))
    return Dialog(tuple(steps), settings)


def unescape(text: str) -> bytes:
    return text.encode("utf-8").decode("unicode_escape").encode("latin-1")


def message(text: str) -> tuple[str, tuple[str, ...], bytes]:
    """(sender, recipients, octets) of an `M:` or `O:` line."""
    envelope, _, octets = text.partition(" |")
    sender, _, recipients = envelope.partition(" > ")
    return sender.strip(), tuple(r.strip() for r in recipients.split(",")), unescape(octets.removeprefix(" "))


def reply(text: str) -> Reply:
    code, enhanced, words = text.split(" ", 2)
    return Reply(int(code), "" if enhanced == "-" else enhanced, words)


def chunks(octets: bytes, step: int) -> list[bytes]:
    return [octets[i : i + step] for i in range(0, len(octets), step)]
