"""What an eval function may look at: the message, the settings of the rule files, the time."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from lazaret.mime import mailboxes
from lazaret.mime.message import Message
from lazaret.rules.views import HeaderValues

T = TypeVar("T")

_SENDER_ADDRESS = "EnvelopeFrom:addr"
_PLAIN_ADDRESS = re.compile(rb"[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+")
"""Is all that stands in a field with it, so that nothing has to be read."""


class Settings:
    """The directives of rule files that are no rules; what is built from them is built once."""

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values
        self._built: dict[Callable[[Settings], object], object] = {}

    def lines(self, word: str) -> tuple[str, ...]:
        """The values of every line that began with the word, in order, as text."""
        return tuple(map(_text, self._values.get(word, ())))

    def words(self, word: str) -> tuple[str, ...]:
        """The blank-separated words of all its lines."""
        return tuple(w for line in self.lines(word) for w in line.split())

    def last(self, word: str, default: str) -> str:
        """The value of the last line that began with the word: of a setting that has one value."""
        return (self.lines(word) or (default,))[-1]

    def yes(self, word: str, default: bool) -> bool:
        """The last value of a setting that is 0 or 1, no or yes."""
        value = self.last(word, "").strip().lower()
        return default if value not in ("0", "1", "no", "yes") else value in ("1", "yes")

    def number(self, word: str, default: float) -> float:
        """The last value of a setting that is a number."""
        try:
            return float(self.last(word, ""))
        except ValueError:
            return default

    def loads(self, plugin: str) -> bool:
        """Whether a `loadplugin` line names it."""
        return plugin in self.once(_plugins)

    def file(self, path: str) -> Path:
        """A file that a setting names; a path that is not absolute begins where the rules lie."""
        places = [directory / path for directory in map(Path, self._values.get("rule_directories", ()))]
        return next((place for place in places if place.is_file()), Path(path))

    def once(self, build: "Callable[[Settings], T]") -> T:
        """What `build` makes of the settings; called once."""
        if build not in self._built:
            self._built[build] = build(self)
        return self._built[build]  # type: ignore[return-value]


def _plugins(settings: Settings) -> frozenset[str]:
    return frozenset(settings.words("loadplugin"))


def _text(line: str) -> str:
    """A line of a rule file has one octet per character; addresses in it are compared as text."""
    return line if line.isascii() else line.encode("latin-1", "replace").decode("utf-8", "replace")


class _Lines(dict[str, tuple[str, ...]]):
    """Selector -> the lines of `header` of a Subject, as text."""

    __slots__ = ("_headers",)

    def __init__(self, headers: HeaderValues) -> None:
        super().__init__()
        self._headers = headers

    def __missing__(self, selector: str) -> tuple[str, ...]:
        text = _octets(self._headers, selector).decode("utf-8", "replace").strip()
        if "\n" in text:
            found = tuple(filter(None, map(str.strip, text.split("\n"))))
        else:
            found = (text,) if text else ()
        self[selector] = found
        return found


class _Built(dict[Callable[["Subject"], object], object]):
    """What was made of a message so far, each by the function that made it."""

    __slots__ = ("subject",)

    def __init__(self, subject: "Subject") -> None:
        super().__init__()
        self.subject = subject

    def __missing__(self, build: "Callable[[Subject], object]") -> object:
        found = self[build] = build(self.subject)
        return found


class _Once(Protocol):
    def __call__(self, build: "Callable[[Subject], T]", /) -> T: ...


class Subject:
    """One message under examination. `now` in seconds since 1970; `recipients` are the envelope's."""

    __slots__ = ("built", "header", "message", "now", "once", "recipients", "settings", "values")

    def __init__(
        self,
        message: Message,
        settings: Settings,
        headers: HeaderValues,
        now: float,
        recipients: tuple[str, ...] = (),
    ) -> None:
        self.message = message
        self.settings = settings
        self.now = now
        self.recipients = recipients
        self.built = _Built(self)
        self.once: _Once = self.built.__getitem__  # type: ignore[assignment]
        """What a function makes of the message; called once, however many rules ask."""
        self.header: Callable[[str], bytes] = partial(_octets, headers)
        """What a header rule with this selector would search; b"" when the field is absent."""
        self.values: Callable[[str], tuple[str, ...]] = _Lines(headers).__getitem__
        """The lines of `header` as text, trimmed, without empty ones: one address of `To:addr` each."""

    def end(self) -> None:
        """Forgets what was built: some of it is the subject itself."""
        self.built.clear()
        del self.built.subject

    def text(self, selector: str) -> str:
        """`header` as text."""
        return self.header(selector).decode("utf-8", "replace")

    def first(self, selector: str) -> str:
        """The first of `values`, or ""."""
        values = self.values(selector)
        return values[0] if values else ""


def _octets(headers: HeaderValues, selector: str) -> bytes:
    """`header` of a Subject."""
    if selector == _SENDER_ADDRESS:
        return _sender_address(headers)
    return headers[selector] or b""


def _sender_address(headers: HeaderValues) -> bytes:
    """From what rules look at anyhow: by a selector of its own the sender would be guessed a second time."""
    sender = headers["EnvelopeFrom"] or b""
    if _PLAIN_ADDRESS.fullmatch(sender):
        return sender
    found = mailboxes.parse(sender)
    return b"\n".join(mailbox.address for mailbox in found if mailbox.address is not None)
