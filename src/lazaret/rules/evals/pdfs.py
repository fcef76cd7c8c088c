"""Attached PDF files: how many, of which making, with which images (Mail::SpamAssassin::Plugin::PDFInfo)."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lazaret.rules.evals import Subject, eval_function, pdf_reader, tag, uri_source
from lazaret.rules.evals.matching import token_matches
from lazaret.rules.evals.pdf_reader import Pdf
from lazaret.rules.evals.ranges import number

_TYPES = ("application/pdf", "image/pdf", "application/octet-stream", "image/octet-stream")
_NAMED = re.compile(rb"\.[fp]df$", re.IGNORECASE)
_TAG_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Pdfs:
    """The files of a message; of what is no PDF but says so, only the count."""

    count: int
    files: tuple[tuple[bytes, Pdf], ...]
    """Name and content."""

    @property
    def area(self) -> int:
        """Pixels of the images of the last file that has any."""
        return next(filter(None, (pdf.area for _, pdf in reversed(self.files))), 0)


@eval_function("pdf_count")
def count(subject: Subject, low: str, high: str = "undef") -> int:
    return _between(subject.once(_pdfs).count, low, high)


@eval_function("pdf_image_count")
def image_count(subject: Subject, low: str, high: str = "undef") -> int:
    return _between(sum(len(pdf.images) for pdf in _read(subject)), low, high)


@eval_function("pdf_pixel_coverage")
def pixel_coverage(subject: Subject, low: str, high: str = "undef") -> int:
    """Pixels of all images together."""
    area = subject.once(_pdfs).area
    return area > 0 and _between(area, low, high)


@eval_function("pdf_image_to_text_ratio")
def image_to_text_ratio(subject: Subject, low: str, high: str) -> int:
    """Octets of text to pixels of images; `high` is not reached."""
    area, text = subject.once(_pdfs).area, sum(map(len, subject.message.body))
    return area > 0 and text > 0 and number(low) <= text / area < number(high)


@eval_function("pdf_image_size_exact")
def image_size_exact(subject: Subject, height: str, width: str) -> int:
    return (height.encode(), width.encode()) in subject.once(_sizes)


@eval_function("pdf_image_size_range")
def image_size_range(
    subject: Subject,
    least_height: str,
    least_width: str,
    most_height: str = "undef",
    most_width: str = "undef",
) -> int:
    return any(
        _between(pdf_reader.number(height), least_height, most_height)
        and _between(pdf_reader.number(width), least_width, most_width)
        for height, width in subject.once(_sizes)
    )


@eval_function("pdf_named")
def named(subject: Subject, name: str) -> int:
    return name.encode("utf-8", "surrogateescape") in [known for known, _ in subject.once(_pdfs).files]


@eval_function("pdf_name_regex")
def name_regex(subject: Subject, expression: str) -> str:
    names = (name for name, _ in subject.once(_pdfs).files if name)
    return _first_match(expression, names)


@eval_function("pdf_match_md5")
def match_md5(subject: Subject, digest: str) -> int:
    return digest.upper() in [pdf.digest for pdf in _read(subject)]


@eval_function("pdf_match_fuzzy_md5")
def match_fuzzy_md5(subject: Subject, digest: str) -> int:
    """It looks like one that is known, though it is not the same."""
    return any(digest.upper() in (pdf.digest_of_head, pdf.digest_of_names) for pdf in _read(subject))


@eval_function("pdf_match_details")
def match_details(subject: Subject, detail: str, expression: str) -> str:
    """`author`, `creator`, `producer`, `title`, `created` or `modified` is like that."""
    return _first_match(expression, (v for pdf in _read(subject) for v in pdf.details.get(detail, ())))


@eval_function("pdf_is_encrypted")
def is_encrypted(subject: Subject) -> int:
    return any(pdf.encrypted for pdf in _read(subject))


@eval_function("pdf_is_empty_body")
def is_empty_body(subject: Subject, most: str = "0") -> int:
    """There is a PDF, and beside it no more text than so many octets."""
    if not subject.once(_pdfs).count:
        return 0
    return sum(len(line) for line in subject.message.body[1:] if line.strip()) <= number(most)


@uri_source("PDFInfo")
def uris(subject: Subject) -> Iterator[bytes]:
    """Links of a PDF are links of the message."""
    for pdf in _read(subject):
        yield from pdf.links


def _read(subject: Subject) -> list[Pdf]:
    return [pdf for _, pdf in subject.once(_pdfs).files]


def _pdfs(subject: Subject) -> Pdfs:
    parts = [
        part
        for part in subject.message.parts
        if part.leaf
        and part.content_type in _TYPES
        and (_NAMED.search(part.name) or part.content_type.endswith("/pdf"))
    ]
    files, left = [], pdf_reader.MOST_LINES
    for part in parts:
        pdf = pdf_reader.read(part.octets, left)
        if pdf:
            files.append((part.name, pdf))
            left -= pdf.lines
    return Pdfs(len(parts), tuple(files))


def _sizes(subject: Subject) -> set[tuple[bytes, bytes]]:
    """Of the images, and of those of each file together."""
    sizes = set()
    for pdf in _read(subject):
        sizes.update(pdf.images)
        if pdf.images:
            heights, widths = ([*map(pdf_reader.number, side)] for side in zip(*pdf.images, strict=True))
            sizes.add((b"%d" % sum(heights), b"%d" % sum(widths)))
    return sizes


def _between(value: float, low: str, high: str) -> bool:
    return value >= number(low) and (high == "undef" or value <= number(high))


def _first_match(expression: str, values: Iterable[bytes]) -> str:
    found = next((value for value in values if token_matches(expression, value)), b"")
    return found.decode("utf-8", "replace")


def _tag(name: str, values: Callable[[Pdfs], Iterable[str]]) -> None:
    """What `_NAME_` stands for: the values one after the other, as far as there is room."""

    @tag(name)
    def fill(subject: Subject, _argument: str) -> str | None:
        if not subject.settings.loads("PDFInfo"):
            return None
        text = ""
        for value in filter(None, values(subject.once(_pdfs))):
            if len(text) >= _TAG_LENGTH:
                break
            text = f"{text} {value}" if text else value
        return text or None


def _detail(detail: str) -> Callable[[Pdfs], Iterable[str]]:
    return lambda found: (v.decode("latin-1") for _, pdf in found.files for v in pdf.details.get(detail, ()))


_tag("PDFCOUNT", lambda found: [str(found.count)])
_tag("PDFIMGCOUNT", lambda found: [str(sum(len(pdf.images) for _, pdf in found.files))])
_tag("PDFVERSION", lambda found: [pdf.version for _, pdf in found.files])
_tag("PDFNAME", lambda found: [name.decode("latin-1") for name, _ in found.files])
_tag("PDFIMGAREA", lambda found: [str(pdf.area) for _, pdf in found.files if pdf.area])
_tag(
    "PDFIMGDIM",
    lambda found: [f"{h.decode()}x{w.decode()}" for _, pdf in found.files for h, w in pdf.images],
)
_tag("PDFMD5", lambda found: [pdf.digest for _, pdf in found.files])
_tag("PDFMD5FUZZY1", lambda found: [pdf.digest_of_head for _, pdf in found.files])
_tag("PDFMD5FUZZY2", lambda found: [pdf.digest_of_names for _, pdf in found.files])
for _name in ("author", "creator", "producer", "title"):
    _tag(f"PDF{_name.upper()}", _detail(_name))
