"""What is wrong with an office file: macros, embedded objects, encryption, links to elsewhere.

The signs are those of Mail::SpamAssassin::Plugin::OLEVBMacro. Macros in the container files of old Office are
found in their packed source too, where the signs miss them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lazaret.rules.evals import vba
from lazaret.rules.evals.zip_members import Allowance, Archive, Member

_CONTAINER = vba.CONTAINER[:4]
_VISUAL_BASIC = b"\x00Attribut\x00"
_EMBEDDED = "\x01Ole10Na".encode("utf-16-le")
_IN_RTF = (b"\\objemb", b"\\objdat", b"\\ objdat")
_IN_XML = (b'w:macrosPresent="yes"', b"vbaProject.bin.rels")
_RUNS_ITSELF = re.compile(rb"(?:document|auto|workbook)_?open", re.IGNORECASE)

_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")[:-1]
_WORKBOOK = "Workbook".encode("utf-16-le")
_ENCRYPTION = re.compile(rb"<encryption xmlns", re.IGNORECASE)
_HEAD = 2000
_MARKS_OF_ENCRYPTION = ((0x208, b"\xfe"), (0x214, b"\x2f"), (0x20B, b"\x13"))

_CSV_COMMAND = re.compile(rb"MSEXCEL\|.{1,20}Windows\\System32\\cmd\.exe")
_LINK = re.compile(rb"\x00(https?://)([-a-z0-9+&@#/%?=~_|!:,.;]+)([\x06|\x00]?)", re.IGNORECASE)
_PROGRAM = re.compile(rb"\.(?:exe|cmd|bat)(?=[\x06|\x00])", re.IGNORECASE)
_END_OF_LINK = re.compile(rb"[-a-z0-9+&@#/%=~_|]*\Z", re.IGNORECASE)
_PIECE, _LONGEST_PIECE = 5, 1000

_VBA_FILES = (
    *("word/vbaproject.bin", "macros/vba/_vba_project", "xl/vbaproject.bin"),
    *("_vba_project_cur/vba/_vba_project", "ppt/vbaproject.bin"),
)
_RTF_FILE = re.compile(r"word/.{1,50}\.rtf\b")
_MACRO_TYPE = re.compile(
    rb"""ContentType=["']application/vnd\.ms-office\.vbaProject["']|macroEnabled"""
    rb"|application/vnd\.ms-excel\.(?:intl)?macrosheet",
    re.IGNORECASE,
)
_RELATION = re.compile(rb"Relationship\s")
_TARGET = re.compile(rb'Target="([^"]*)"', re.IGNORECASE)
_EXTERNAL = b'targetmode="external"'
_MHTML = re.compile(
    rb"MHTML:&#x48;&#x54;&#x50;&#x3a;&#x5c;&#x5c;&#x31;&|mhtml:https?://",
    re.IGNORECASE,
)
_WEB = re.compile(rb"(?:mhtml:)?(https?://.*)", re.IGNORECASE | re.DOTALL)
_MOST_URIS, _MOST_MHTML = 10, 5
_MOST_CONTAINERS = 50
_MOST_SOURCE = 500_000


@dataclass(slots=True)
class Findings:
    """What was found in the files of a message."""

    macro: bool = False
    ole_object: bool = False
    rtf_object: bool = False
    csv: bool = False
    malice: bool = False
    """A macro that runs when the file is opened."""
    renamed: bool = False
    encrypted: bool = False
    zip_password: bool = False
    download: bool = False
    redirects: dict[bytes, None] = field(default_factory=dict)
    """URIs that the file loads from."""
    mhtml: dict[bytes, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """Which names of files count as what."""

    skipped: Callable[[str], bool]
    zips: Callable[[str], bool]
    macros: Callable[[str], bool]
    office: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a look goes."""

    file: int = 1_024_000
    """Octets of one file."""
    in_zip: int = 8
    """Files of one archive."""
    depth: int = 2
    """Archives within archives."""


class Inspection:
    """A look at the attachments of one message."""

    def __init__(
        self,
        names: Names,
        limits: Limits,
        *,
        every_file: bool,
        downloads: Callable[[bytes], bool],
    ) -> None:
        self.found = Findings()
        self._names = names
        self._limits = limits
        self._every_file = every_file
        self._downloads = downloads
        self._allowance = Allowance()
        self._containers = _MOST_CONTAINERS
        self._source = _MOST_SOURCE

    def look(self, name: str, read: Callable[[], bytes], depth: int = 0) -> bool:
        """Looks into a file as its name suggests; False when nobody looks into files of that name."""
        if name.lower().endswith(".csv") and _CSV_COMMAND.search(read()):
            self.found.csv = True
        if self._names.zips(name):
            self._zip(name, read(), depth)
        elif self._names.macros(name):
            self.found.macro = True
            self._office(name, read(), old=False)
        elif self._names.office(name):
            self._office(name, read(), old=True)
        elif self._every_file:
            octets = read()
            if octets.startswith(_CONTAINER) | self._is_office(name, octets):
                self.found.renamed = True
                self._note_downloads(octets)
            self._zip(name, octets, depth)
        else:
            return False
        return True

    def _office(self, name: str, octets: bytes, *, old: bool) -> None:
        self._note_encryption(octets)
        if old:
            self._old(octets)
        self._new(name, octets)
        self._note_downloads(octets)

    def _is_office(self, name: str, octets: bytes) -> bool:
        """Whether it is an office file under another name, all of whose faults are noted."""
        return any([self._note_encryption(octets), self._old(octets), self._new(name, octets)])

    def _note_encryption(self, octets: bytes) -> bool:
        encrypted = _is_encrypted(octets)
        self.found.encrypted |= encrypted
        return encrypted

    def _note_downloads(self, octets: bytes) -> None:
        self.found.download = self.found.download or _names_program(octets) or self._downloads(octets)

    def _old(self, octets: bytes) -> bool:
        """A file of Office 2003, RTF or the like."""
        sources = self._sources(octets)
        if sources is None and not _has_marks(octets):
            return False
        self.found.macro = True
        self.found.malice |= any(map(_RUNS_ITSELF.search, (octets, *(sources or ()))))
        return True

    def _new(self, name: str, octets: bytes) -> bool:
        """A file of Office 2007 or later: an archive of XML. Whether it is one."""
        files = self._members(name, octets)
        is_office = has_macro = False
        for file in files:
            lowered = file.name.lower()
            has_macro |= lowered in _VBA_FILES
            self.found.ole_object |= (embedded := lowered.startswith("xl/embeddings/"))
            self.found.rtf_object |= (rtf := _RTF_FILE.match(lowered) is not None)
            is_office |= has_macro or embedded or rtf
        self.found.macro |= has_macro
        for file in files:
            if file.name == "[Content_Types].xml":
                is_office = True
                self.found.macro = self.found.macro or _MACRO_TYPE.search(file.read()) is not None
            elif ".rels" in file.name:
                is_office |= bool(file.read())
                self._note_targets(file.read())
        if has_macro and any(self._runs_itself(f.read()) for f in files if ".bin" in f.name):
            self.found.malice = True
        return is_office

    def _runs_itself(self, octets: bytes) -> bool:
        return any(map(_RUNS_ITSELF.search, (octets, *(self._sources(octets) or ()))))

    def _sources(self, octets: bytes) -> list[bytes] | None:
        """The modules in a container; None when it has none, or so many containers came before it."""
        if not octets.startswith(_CONTAINER) or not self._containers:
            return None
        self._containers -= 1
        sources = vba.sources(octets, self._source)
        self._source -= sum(map(len, sources or ()))
        return sources

    def _note_targets(self, relations: bytes) -> None:
        for target in _external_targets(relations):
            if _MHTML.match(target) and len(self.found.mhtml) < _MOST_MHTML:
                self.found.mhtml[target] = None
            web = _WEB.fullmatch(target)
            if web and len(self.found.redirects) < _MOST_URIS:
                self.found.redirects[web[1]] = None

    def _zip(self, name: str, octets: bytes, depth: int) -> None:
        if not self._limits.in_zip or depth >= self._limits.depth:
            return
        looked_at = 0
        for file in self._members(name, octets):
            if self._names.skipped(file.name):
                continue
            if file.encrypted:
                self.found.macro |= self._names.macros(file.name)
                self.found.zip_password = True
                continue
            looked_at += self.look(file.name, file.read, depth + 1)
            if looked_at >= self._limits.in_zip:
                break

    def _members(self, name: str, octets: bytes) -> list[Member]:
        if not octets.startswith(b"PK") and not name.lower().endswith(".zip"):
            return []
        try:
            return list(Archive(octets, self._limits.file, self._allowance).members())
        except ValueError:
            return []


def _is_encrypted(octets: bytes) -> bool:
    if not octets.startswith(_CONTAINER):
        return False
    head = octets[:_HEAD]
    if _ENCRYPTION.search(octets) or _ENCRYPTED_PACKAGE in head:
        return True
    if _WORKBOOK in head:
        return False
    return any(octets[place : place + 1] == mark for place, mark in _MARKS_OF_ENCRYPTION)


def _has_marks(octets: bytes) -> bool:
    if octets.startswith(_CONTAINER):
        return _VISUAL_BASIC in octets or _EMBEDDED in octets
    return any(mark in octets for mark in (*_IN_RTF, *_IN_XML))


def _external_targets(relations: bytes) -> Iterator[bytes]:
    """What the file loads from elsewhere: in each relation the first target before the word external."""
    for relation in _RELATION.split(relations):
        last = relation.lower().rfind(_EXTERNAL)
        target = _TARGET.search(relation, 0, last) if last > 0 else None
        if target:
            yield target[1]


def _names_program(octets: bytes) -> bool:
    """Some link in it leads to a program: two pieces of 5 to 1000 signs before the ending, no sentence end in
    the second."""
    return any(map(_leads_to_program, _LINK.finditer(octets)))


def _leads_to_program(link: re.Match[bytes]) -> bool:
    rest = link[2] + link[3]
    for ending in _PROGRAM.finditer(rest):
        begin = max(0, ending.start() - _LONGEST_PIECE)
        found = _END_OF_LINK.search(rest[begin : ending.start()])
        second = len(found[0]) if found else 0
        least, most = ending.start() - second, ending.start() - _PIECE
        if max(_PIECE, least) <= min(_LONGEST_PIECE, most):
            return True
    return False
