"""Links that are known for phishing, from lists in files (Mail::SpamAssassin::Plugin::Phishing).

Somebody else fetches the lists of OpenPhish, PhishTank and PhishStats; a renewed file counts at once.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from lazaret.mime.uri_variants import host_and_domain
from lazaret.mime.urls import Uri
from lazaret.rules.evals import Settings, Subject, eval_function
from lazaret.rules.evals.data_files import DataFile

_SHOWN_TO_READERS = frozenset(("a", "parsed"))
_SLASHES_OF_A_HOST = 3
"""With no more of them a link without its parameters says nothing but the host."""


@eval_function("check_phishing")
def phishing(subject: Subject) -> str:
    """A link of the text is on one of the lists."""
    lists = {name: file.value() for name, file in subject.settings.once(_lists).items()}
    if not any(lists.values()):
        return ""
    bare = subject.settings.once(_without_parameters)
    for uri in filter(_counts, subject.message.uris):
        for reading in uri.cleaned:
            link = reading.partition(b"?")[0] if bare else reading
            if bare and link.count(b"/") <= _SLASHES_OF_A_HOST:
                continue
            feed = next((name for name, links in lists.items() if link in links), "")
            site = host_and_domain(reading, subject.message.registry) if feed else None
            if site:
                return f"{feed} ({site[1]})"
    return ""


def _counts(uri: Uri) -> bool:
    is_shown = not _SHOWN_TO_READERS.isdisjoint(uri.types)
    return is_shown and bool(uri.hosts) and uri.raw[:7].lower() != b"mailto:"


def _without_parameters(settings: Settings) -> bool:
    return settings.yes("phishing_uri_noparam", False)


def _lists(settings: Settings) -> Mapping[str, DataFile[frozenset[bytes]]]:
    least = settings.number("phishing_phishstats_minscore", 6)
    readers: dict[str, Callable[[bytes], Iterator[bytes]]] = {
        "OpenPhish": _lines,
        "PhishTank": lambda octets: (row[1] for row in _rows(octets) if len(row) > 1),
        "PhishStats": lambda octets: (
            row[2] for row in _rows(octets) if len(row) > 2 and _score(row[1]) > least
        ),
    }
    bare = settings.once(_without_parameters)
    files = {}
    for name, read in readers.items():
        path = settings.last(f"phishing_{name.lower()}_feed", "")
        if path:
            files[name] = DataFile(partial(settings.file, path), _set_of(read, bare=bare), frozenset[bytes]())
    return files


def _set_of(read: Callable[[bytes], Iterator[bytes]], *, bare: bool) -> Callable[[Path], frozenset[bytes]]:
    """The links of a list, without their parameters where those do not count."""
    return lambda path: frozenset(
        link.partition(b"?")[0] if bare else link for link in read(path.read_bytes())
    )


def _lines(octets: bytes) -> Iterator[bytes]:
    return (line.rstrip(b"\r") for line in octets.split(b"\n") if line and not _is_comment(line))


def _rows(octets: bytes) -> Iterator[list[bytes]]:
    """Of a table; its first line names the columns. A line that is none is passed over."""
    lines = octets.decode("latin-1").split("\n")[1:]
    reader = csv.reader(line for line in lines if line and not _is_comment(line.encode("latin-1")))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        yield [cell.strip().encode("latin-1") for cell in row]


def _score(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _is_comment(line: bytes) -> bool:
    return line.lstrip().startswith(b"#")
