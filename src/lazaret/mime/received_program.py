"""How do formats of Received read as small programs for received_kernel.c?

A piece of a template for which there is no operation becomes `unknown`: a field that gets so far is left to
the regular expression.
"""

from collections.abc import Iterator, Mapping

from lazaret.mime.received_template import SHAPES, TOKEN, Format, Outcome, Row, Shape

_Operation = tuple[str, str | None, int, int, bytes]
"""What is done, the group that it fills, how many octets at least and at most (0: any), and a text."""


def _operation(
    code: str, text: str = "", *, group: str | None = None, least: int = 0, most: int = 0
) -> _Operation:
    return code, group, least, most, text.encode("ascii")


_ANY = _operation("lazy")
_EHLO = _operation("greeting")
"""HELO or EHLO."""

_PIECES: Mapping[str, tuple[_Operation, ...]] = {
    # Any text, the longest or the shortest first.
    ".*": (_operation("greedy"),),
    ".*?": (_ANY,),
    ".*?with POP3": (_ANY, _operation("literal", "with POP3")),
    ".*?with IMAP": (_ANY, _operation("literal", "with IMAP")),
    # What may be there.
    " ?": (_operation("optional", " "),),
    r"\[?": (_operation("optional", "["),),
    r"\]?": (_operation("optional", "]"),),
    "E?SMTP": (_operation("optional", "E"), _operation("literal", "SMTP")),
    r"(?::\d+)?": (_operation("port", ":"),),
    r"(?:[.:]\d+)?": (_operation("port", ".:"),),
    # Octets but some.
    r"\S*": (_operation("word"),),
    r"\S+@": (_operation("word", least=1), _operation("literal", "@")),
    "[^)]{0,40}": (_operation("neither", ")", most=40),),
    "[^)]+": (_operation("neither", ")", least=1),),
    "(?P<details>[^)]+)": (_operation("neither", ")", group="details", least=1),),
    r"(?=[^\s.\[]+\.)(?P<rdns>[^\s\[]+)": (
        _operation("dotted"),
        _operation("neither", " [", group="rdns", least=1),
    ),
    # Greetings.
    "[EH]{2}LO": (_EHLO,),
    "[EH]{2}LO (?P<helo>[^ ()]*)": (
        _EHLO,
        _operation("literal", " "),
        _operation("neither", " ()", group="helo"),
    ),
    "[EH]{2}LO (?P<helo>[^)]*)": (
        _EHLO,
        _operation("literal", " "),
        _operation("neither", ")", group="helo"),
    ),
    "(?P<helo>unknown)": (_operation("literal", "unknown", group="helo"),),
    # A user before the address, and what follows it.
    r"(?:(?:IDENT:)?(?P<ident>[^\s@]*)@)?": (_operation("ident", group="ident"),),
    r"(?>(?>(?P<ident>\S*)@)?)\[?": (
        _operation("atomic ident", group="ident"),
        _operation("optional", "["),
    ),
    r"(?>(?>(?P<ident>\S+)@)?)": (_operation("atomic ident", group="ident", least=1),),
    r"\]?\)(?: \(envelope-sender <\S+>\))?": (
        _operation("optional", "]"),
        _operation("literal", ")"),
        _operation("sender comment"),
    ),
    r"(?:(?> \(.+?\) with )| with )(?:.* )?(?:SMTP|QMQP)(?! id )": (_operation("qmail with"),),
    # Exchange.
    r"(?:%[\w.~-]*)?\]?": (_operation("zone"), _operation("optional", "]")),
    r"(?P<id>)(?=.*with mapi id \d+\.[\d.]+(?: |$))": (_operation("version", "with mapi id ", group="id"),),
    r"(?P<id>)(?=.*with Microsoft SMTP Server (?:\([^)]+\) )?\d+\.[\d.]+(?: |$))": (
        _operation("version", "with Microsoft SMTP Server ", group="id", most=1),
    ),
    # Ends.
    r"\)": (_operation("literal", ")"),),
    r"\b": (_operation("boundary"),),
    "$": (_operation("end"),),
}
_UNKNOWN = (_operation("unknown"),)

_WORDS: Mapping[str, _Operation] = {
    "ip": _operation("address", group="ip"),
    "address": _operation("address"),
    "details": _operation("lazy", group="details"),
    "word": _operation("word", least=1),
}


def of(form: Format) -> tuple[_Operation, ...]:
    """The program of a format."""
    return tuple(_operations(form.template))


def shapes(
    rows: Mapping[Shape, tuple[Row, ...]], outcomes: Mapping[Outcome, object]
) -> tuple[tuple[bytes, tuple[object, ...]], ...]:
    """For the reader: what the second word of a text begins with, and the rows that are worth trying then."""
    return tuple(
        (prefix.encode("ascii"), tuple(_row(row, outcomes) for row in rows[shape]))
        for prefix, shape in SHAPES
    )


def _row(row: Row, outcomes: Mapping[Outcome, object]) -> tuple[object, ...]:
    form = row.form
    outcome = None if form.outcome is Outcome.RELAY else outcomes[form.outcome]
    return of(form), row.hint.encode("ascii"), row.absent.encode("ascii"), outcome, form.looked_up


def _operations(template: str) -> Iterator[_Operation]:
    for token in TOKEN.finditer(template):
        word = token["word"]
        if word in _WORDS:
            yield _WORDS[word]
        elif word:
            yield _operation("word", group=word, least=0 if token["optional"] else 1)
        elif token["regex"] is not None:
            yield from _PIECES.get(token["regex"], _UNKNOWN)
        else:
            yield _operation("literal", token["literal"])
