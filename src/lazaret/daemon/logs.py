"""Where log lines go: stderr, syslog or a file that may be rotated under us."""

import logging
import logging.handlers
import socket
import sys
import time

import msgspec

from lazaret.config.options import Config
from lazaret.config.words import LogFormat
from lazaret.flow.logline import UNSAFE
from lazaret.model.errors import UserError

_IDENT = "lazaret"
MAIL = "lazaret.mail"
"""Whose lines `flow.logline` has made safe, each one's own way."""


def set_up(config: Config) -> None:
    """Sends the lines of all rooms where `log.to` says, replacing what was set up before."""
    handler = _handler(config.log.to)
    _note_only_what_is_printed()
    if config.log.format is LogFormat.JSON:
        handler.setFormatter(_JsonFormatter())
    elif isinstance(handler, logging.handlers.SysLogHandler):
        handler.ident = f"{_IDENT}: "
        handler.setFormatter(_LineFormatter("%(message)s"))
    else:
        handler.setFormatter(_TextFormatter())
    logger = logging.getLogger("lazaret")
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _note_only_what_is_printed() -> None:
    """Nobody sees from which line of which thread a line came, and finding out costs as much as the rest."""
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False


def file_of(config: Config) -> str:
    """The path that lines go to; "" when they go elsewhere."""
    target = config.log.to
    return "" if target == "stderr" or target.startswith("syslog") else target


def _handler(target: str) -> logging.Handler:
    if target == "stderr":
        return logging.StreamHandler(sys.stderr)
    if target.startswith("syslog"):
        facility = target.partition(":")[2] or "mail"
        return _syslog(facility)
    try:
        # It looks on every line whether the path still names its file, so that logrotate needs no signal.
        return logging.handlers.WatchedFileHandler(target, encoding="utf-8")
    except OSError as e:
        raise UserError(f'log.to = "{target}": {e.strerror}', 73) from e


def _syslog(facility: str) -> logging.Handler:
    try:
        return logging.handlers.SysLogHandler("/dev/log", facility, socket.SOCK_DGRAM)
    except OSError as e:
        raise UserError(f'log.to = "syslog:{facility}": no /dev/log to write to ({e.strerror})', 78) from e


def _safe(text: str) -> str:
    """Of what is printable nothing is unsafe."""
    return text if text.isprintable() else UNSAFE.sub("?", text)


class _LineFormatter(logging.Formatter):
    """One line for one message, whatever it quotes; a traceback follows on lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _safe(record.message)
        return super().formatMessage(record)


class _TextFormatter(_LineFormatter):
    """`Nov 22 21:53:24 host lazaret[123]: text`: as syslog writes files, because log parsers know it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(host)s lazaret[%(process)d]: %(message)s")
        self._host = socket.gethostname()
        self._second = (-1, "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        second = int(record.created)
        if second != self._second[0]:
            self._second = second, time.strftime("%b %e %H:%M:%S", time.localtime(second))
        return self._second[1]

    def format(self, record: logging.LogRecord) -> str:
        if not (record.exc_info or record.exc_text or record.stack_info):
            # The same in one step: nearly all lines are those of messages.
            text = record.getMessage()
            text = text if record.name == MAIL else _safe(text)
            return f"{self.formatTime(record)} {self._host} lazaret[{record.process}]: {text}"
        record.host = self._host
        return super().format(record)


class _JsonFormatter(logging.Formatter):
    """One object per line; a message's own line is one already."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.name == MAIL:
            return text
        facts: dict[str, object] = {
            "event": "log",
            "time": record.created,
            "level": record.levelname.lower(),
            "room": record.name,
            "text": UNSAFE.sub("?", text),
        }
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            facts["traceback"] = trace.encode("utf-8", "backslashreplace").decode("utf-8")
        return msgspec.json.encode(facts).decode("utf-8")
