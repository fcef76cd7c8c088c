"""Macros and other dangers in attached office files (Mail::SpamAssassin::Plugin::OLEVBMacro)."""

import re
from collections.abc import Callable, Iterator

from lazaret.mime.part import Part
from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex
from lazaret.rules.evals import Settings, Subject, eval_function, uri_source
from lazaret.rules.evals.office_files import Findings, Inspection, Limits, Names

_EXPRESSIONS = {
    "olemacro_exts": r"(?:doc|docx|dot|pot|ppa|pps|ppt|rtf|sldm|xl|xla|xls|xlsx|xlt|xltx|xslb)$",
    "olemacro_macro_exts": r"(?:docm|dotm|ppam|potm|ppst|ppsm|pptm|sldm|xlm|xlam|xlsb|xlsm|xltm|xps)$",
    "olemacro_skip_exts": r"(?:dotx|potx|ppsx|pptx|sldx)$",
    "olemacro_skip_ctypes": r"^(?:text\/)",
    "olemacro_zips": r"(?:zip)$",
    "olemacro_download_marker": r"(?:cmd(?:\.exe)? \/c ms\^h\^ta ht\^tps?:\/\^\/)",
}
_ENCODINGS = (b"base64", b"quoted-printable")
_TYPE_NAME = re.compile(rb"name\s*=\s*[\"']?([^\"';]*)", re.IGNORECASE)
_DISPOSITION_NAME = re.compile(rb"filename\s*=\s*[\"']?([^\"';]*)", re.IGNORECASE)


@eval_function("check_olemacro")
def macro(subject: Subject) -> int:
    """An attachment, or a file in an attached archive, has macros."""
    return subject.once(_found).macro


@eval_function("check_oleobject")
def ole_object(subject: Subject) -> int:
    """A spreadsheet has a file of another program in it."""
    return subject.once(_found).ole_object


@eval_function("check_olertfobject")
def rtf_object(subject: Subject) -> int:
    """A document has an RTF file in it."""
    return subject.once(_found).rtf_object


@eval_function("check_olemacro_csv")
def csv_command(subject: Subject) -> int:
    """A CSV file makes Excel run a command."""
    return subject.once(_found).csv


@eval_function("check_olemacro_malice")
def malice(subject: Subject) -> int:
    """A macro runs as soon as the file is opened."""
    return subject.once(_found).malice


@eval_function("check_olemacro_renamed")
def renamed(subject: Subject) -> int:
    """An office file has the name of another kind of file (only with `olemacro_extended_scan`)."""
    return subject.once(_found).renamed


@eval_function("check_olemacro_encrypted")
def encrypted(subject: Subject) -> int:
    return subject.once(_found).encrypted


@eval_function("check_olemacro_zip_password")
def zip_password(subject: Subject) -> int:
    """An attached archive has files that need a password."""
    return subject.once(_found).zip_password


@eval_function("check_olemacro_download_exe")
def download(subject: Subject) -> int:
    """An office file names a program on a web server."""
    return subject.once(_found).download


@eval_function("check_olemacro_redirect_uri")
def redirects(subject: Subject) -> str:
    """An office file loads from the web."""
    return " ".join(uri.decode("utf-8", "replace") for uri in subject.once(_found).redirects)


@eval_function("check_olemacro_mhtml_uri")
def mhtml(subject: Subject) -> str:
    """An office file loads a page in a form that has run programs (CVE-2021-40444)."""
    return " ".join(uri.decode("utf-8", "replace") for uri in subject.once(_found).mhtml)


@uri_source("OLEVBMacro")
def uris(subject: Subject) -> Iterator[bytes]:
    """What office files load from the web is a URI of the message."""
    yield from subject.once(_found).redirects


def _found(subject: Subject) -> Findings:
    settings = subject.settings
    expressions = settings.once(_expressions)
    inspection = Inspection(
        Names(
            skipped=_by_name(expressions["olemacro_skip_exts"]),
            zips=_by_name(expressions["olemacro_zips"]),
            macros=_by_name(expressions["olemacro_macro_exts"]),
            office=_by_name(expressions["olemacro_exts"]),
        ),
        settings.once(_limits),
        every_file=settings.yes("olemacro_extended_scan", False),
        downloads=lambda octets: _matches(expressions["olemacro_download_marker"], octets),
    )
    skipped_types, skipped = expressions["olemacro_skip_ctypes"], expressions["olemacro_skip_exts"]
    most, limit = settings.number("olemacro_num_mime", 5), settings.once(_limits).file
    looked_at = 0
    for part in subject.message.parts:
        if not part.leaf or _matches(skipped_types, part.content_type.encode()):
            continue
        name = _name(part, settings)
        if not name or _matches(skipped, name.encode("utf-8", "replace")) or not part.octets:
            continue
        looked_at += inspection.look(name, _reader(part, limit))
        if looked_at >= most:
            break
    return inspection.found


def _reader(part: Part, limit: int) -> Callable[[], bytes]:
    return lambda: part.octets[:limit]


def _name(part: Part, settings: Settings) -> str:
    """The file name; "" for parts in an encoding that nobody sends files in."""
    if part.last("Content-Transfer-Encoding").strip().lower() not in _ENCODINGS:
        return ""
    by_type = _TYPE_NAME.search(part.last("Content-Type"))
    by_disposition = _DISPOSITION_NAME.search(part.last("Content-Disposition"))
    names = [found[1].rstrip() for found in (by_disposition, by_type) if found]
    if not settings.yes("olemacro_prefer_contentdisposition", True):
        names.reverse()
    return next(filter(None, names), b"").decode("utf-8", "replace")


def _limits(settings: Settings) -> Limits:
    usual = Limits()
    return Limits(
        file=max(0, int(settings.number("olemacro_max_file", usual.file))),
        in_zip=int(settings.number("olemacro_num_zip", usual.in_zip)),
        depth=int(settings.number("olemacro_zip_depth", usual.depth)),
    )


def _expressions(settings: Settings) -> dict[str, Confirm]:
    """By setting; the usual one where the files give none that can be used."""
    made = {}
    for word, usual in _EXPRESSIONS.items():
        confirm = Confirm(Regex(settings.last(word, usual).encode("latin-1", "replace"), "i"))
        try:
            confirm.compile()
        except UnusableRegex:
            confirm = Confirm(Regex(usual.encode(), "i"))
        made[word] = confirm
    return made


def _by_name(expression: Confirm) -> Callable[[str], bool]:
    return lambda name: _matches(expression, name.encode("utf-8", "replace"))


def _matches(expression: Confirm, text: bytes) -> bool:
    try:
        return expression.search(text) is not None
    except MatchLimit:
        return False
