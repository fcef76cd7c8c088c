"""Attached PDF files."""

import base64
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import load
from lazaret.rules.evals import pdf_reader
from lazaret.rules.tags import Marks, Place, Tags

Call = Callable[..., float | str]
Values = Callable[..., dict[str, float]]

PDF = b"""%PDF-1.4
1 0 obj
<</Title(Bill \\(new\\))/Author<FEFF0041006E006E>/Creator (\\376\\377\\000W\\000r)/Producer(P)
/CreationDate(D:20240102030405)
/ModDate(D:20250102)
/Subtype /Image
/Name /I/Width 20/Height 10
/Subtype /Image
30 0 0 5 0 0 cm
/S /URI
/URI (http://far.example/\\(x\\))
<</A<</S/URI/URI(http://other.example/y)>>>>
"""


def mail(octets: bytes, name: str = "bill.pdf", kind: str = "application/pdf", text: bytes = b"") -> bytes:
    return b"".join(
        [
            b"Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + text + b"\n--b\n",
            f'Content-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n\n'.encode(),
            base64.encodebytes(octets) + b"\n--b--\n",
        ]
    )


def test_files_are_counted_by_type_or_name(call: Call) -> None:
    assert call(mail(PDF), "pdf_count", "1", "1")
    assert not call(mail(PDF), "pdf_count", "2")
    assert call(mail(PDF, "a.PDF", "application/octet-stream"), "pdf_count", "1")
    assert call(mail(PDF, "a.fdf", "application/octet-stream"), "pdf_count", "1")
    assert not call(mail(PDF, "a.dat", "application/octet-stream"), "pdf_count", "1")
    assert call(mail(b"none"), "pdf_count", "1")


def test_images_are_counted_and_measured(call: Call) -> None:
    raw = mail(PDF, text=b"0123456789")
    assert call(raw, "pdf_image_count", "2", "2")
    assert call(raw, "pdf_pixel_coverage", "350", "350")
    assert call(raw, "pdf_image_size_exact", "10", "20")
    assert call(raw, "pdf_image_size_exact", "5", "30")
    assert call(raw, "pdf_image_size_exact", "15", "50")
    assert not call(raw, "pdf_image_size_exact", "20", "10")
    assert call(raw, "pdf_image_size_range", "9", "19", "11", "21")
    assert not call(raw, "pdf_image_size_range", "16", "19")
    assert call(raw, "pdf_image_to_text_ratio", "0.01", "0.1")
    assert not call(raw, "pdf_image_to_text_ratio", "0.1", "0.2")
    assert not call(mail(b"%PDF-1.4\n"), "pdf_pixel_coverage", "0")


@pytest.mark.parametrize(
    ("expected", "detail", "expression"),
    [
        ("Bill (new)", "title", "/^Bill/"),
        ("Ann", "author", "/^ann$/i"),
        ("Wr", "creator", "/^Wr$/"),
        ("P", "producer", "/./"),
        ("20240102030405", "created", "/^2024/"),
        ("20250102", "modified", "/^2025/"),
        ("", "title", "/^bill/"),
        ("", "nothing", "/./"),
        ("", "title", "/(/"),
    ],
)
def test_details_are_compared(call: Call, expected: str, detail: str, expression: str) -> None:
    assert expected == call(mail(PDF), "pdf_match_details", detail, expression)


def test_names_are_compared(call: Call) -> None:
    assert call(mail(PDF), "pdf_named", "bill.pdf")
    assert not call(mail(PDF), "pdf_named", "bill")
    assert "bill.pdf" == call(mail(PDF), "pdf_name_regex", "/^BILL/i")


def test_a_file_is_known_again(call: Call) -> None:
    digest = hashlib.md5(PDF).hexdigest()
    assert call(mail(PDF), "pdf_match_md5", digest)
    changed = PDF.replace(b"PDF-1.4", b"PDF-1.5")
    assert not call(mail(changed), "pdf_match_md5", digest)
    pdf = pdf_reader.read(PDF)
    assert pdf is not None
    for loose in (pdf.digest_of_head, pdf.digest_of_names):
        assert call(mail(changed), "pdf_match_fuzzy_md5", loose.lower())
        assert not call(mail(b"%PDF-1.4\n/Other\nx\n"), "pdf_match_fuzzy_md5", loose)


def test_encryption_is_seen_at_the_beginning_of_a_line(call: Call) -> None:
    assert call(mail(PDF + b"/Encrypt 1 0 R\n"), "pdf_is_encrypted")
    assert not call(mail(PDF + b"<</Encrypt 1 0 R>>\n"), "pdf_is_encrypted")


def test_a_message_of_nothing_but_a_pdf_is_found(call: Call) -> None:
    assert call(mail(PDF), "pdf_is_empty_body")
    assert not call(mail(PDF, text=b"hello"), "pdf_is_empty_body")
    assert call(mail(PDF, text=b"hello"), "pdf_is_empty_body", "10")
    assert not call(b"Subject: s\n\n", "pdf_is_empty_body")


def test_links_of_a_pdf_are_links_of_the_message(values: Values) -> None:
    body = mail(PDF).partition(b"\n\n")[2].decode()
    fields = {"Content_Type": "multipart/mixed; boundary=b"}
    rules = "uri FAR m{^http://far\\.example/\\(x\\)}\nuri OTHER m{^http://other\\.example/y$}\n"
    assert {"FAR", "OTHER"} == set(
        values("loadplugin Mail::SpamAssassin::Plugin::PDFInfo\n" + rules, body, **fields)
    )
    assert {} == values(rules, body, **fields)


def test_tags_tell_of_it(tmp_path: Path) -> None:
    def filled(text: str) -> str:
        (tmp_path / "a.cf").write_text(text)
        book = load([tmp_path / "a.cf"], shipped=False, cache_dir=None).book
        marks = Marks(message.parse(mail(PDF)), 0, 5, ())
        return Tags(book, marks, Place("h", 0)).fill("_PDFCOUNT_ _PDFIMGDIM_ _PDFAUTHOR_ _PDFVERSION_")

    assert "1 10x20 5x30 Ann 1.4" == filled("loadplugin Mail::SpamAssassin::Plugin::PDFInfo\n")
    assert "_PDFCOUNT_ _PDFIMGDIM_ _PDFAUTHOR_ _PDFVERSION_" == filled("")


HOSTILE = {
    "noise": lambda: bytes(i * i % 251 for i in range(5_000_000)),
    "lines of a sign": lambda: b"a\n" * 2_500_000,
    "lines of a slash": lambda: b"/\n" * 500_000,
    "one line of slashes": lambda: b"/" * 5_000_000,
    "objects": lambda: b"".join(b"%d 0 obj\n<</Type/Page>>\nendobj\n" % n for n in range(100_000)),
    "entries that are not closed": lambda: b"/Author(" * 600_000,
    "entries that are not closed, in hexadecimal": lambda: b"/Author<" * 600_000,
    "entries that close too late": lambda: b"/Author(" * 300_000 + b"\\)" * 1_000_000,
    "links that are not closed": lambda: b"(http://a" * 500_000,
    "links, links": lambda: b"/S/URI/URI(" * 400_000,
    "images": lambda: b"/Image/Width 1/Height 1\n" * 200_000,
    "half images": lambda: b"/Image\n" + b"/Width 1" * 600_000,
    "authors": lambda: b"/Author(a)\n" * 400_000,
    "a long number": lambda: b"/Image\n/X/Width 1/Height " + b"9" * 4_000_000,
    "blanks": lambda: b" " * 4_000_000 + b"/URI",
    "hexadecimal": lambda: b"/Title<" + b"00" * 2_000_000 + b">",
    "escapes": lambda: b"/Title(" + b"\\101" * 1_000_000 + b")",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_the_worst_case_of_five_megabytes_is_read_in_two_seconds(case: str) -> None:
    octets = b"%PDF-1.4\n" + HOSTILE[case]()
    started = time.process_time()
    assert pdf_reader.read(octets) is not None
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("octets", [b"", b"%PDF-", b"%PDF-1.x", b" " * 2000 + b"%PDF-1.4"])
def test_what_is_no_pdf_is_none(octets: bytes) -> None:
    assert pdf_reader.read(octets) is None
