"""Messages made to take time or memory, about as large as an MTA lets through: name -> how it is made."""

import base64
import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable

LARGE = 10_000_000
"""Octets, as many as Postfix takes by default."""
MEDIUM = 1_000_000

_HEAD = b"From: a@out.example\r\nTo: b@home.example\r\nSubject: hello\r\nMIME-Version: 1.0\r\n"


def text(body: bytes, *, kind: bytes = b"text/plain", more: bytes = b"") -> bytes:
    """A message of one part."""
    return _HEAD + b"Content-Type: " + kind + b"\r\n" + more + b"\r\n" + body + b"\r\n"


def page(body: bytes) -> bytes:
    """A message that is an HTML page."""
    return text(b"<html><body>" + body, kind=b"text/html; charset=utf-8")


def attached(name: str, octets: bytes, kind: str = "application/octet-stream") -> bytes:
    """A message with one attachment."""
    head = f'--b\r\nContent-Type: {kind}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
    head += f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    inner = b"--b\r\nContent-Type: text/plain\r\n\r\nSee attachment.\r\n" + head.encode()
    inner += base64.encodebytes(octets).replace(b"\n", b"\r\n") + b"--b--"
    return text(inner, kind=b"multipart/mixed; boundary=b")


def filled(piece: bytes, size: int = MEDIUM) -> bytes:
    """The piece again and again."""
    return piece * (size // len(piece))


def zeros(name: str, size: int) -> bytes:
    """A ZIP archive of one file of so many zeros, made without having them in memory."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
        for _ in range(size // MEDIUM):
            member.write(bytes(MEDIUM))
    return target.getvalue()


def gzipped_zeros(size: int) -> bytes:
    """The same, gzipped."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb") as stream:
        for _ in range(size // MEDIUM):
            stream.write(bytes(MEDIUM))
    return target.getvalue()


def zipped(name: str, octets: bytes, times: int = 1) -> bytes:
    """A ZIP archive that holds a ZIP archive that holds … the octets."""
    for _ in range(times):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, octets)
        name, octets = "inner.zip", target.getvalue()
    return octets


def office_file() -> bytes:
    """A text document with macros, 100 MB each, nearly all of it blanks."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        for name in ("word/document.xml", "word/vbaProject.bin"):
            with archive.open(name, "w") as member:
                for _ in range(100):
                    member.write(b" " * MEDIUM)
    return target.getvalue()


def packed_pdf() -> bytes:
    """A PDF document of one stream, 100 MB of zeros when unpacked."""
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(bytes(MEDIUM)) for _ in range(100)) + packer.flush()
    head = b"%%PDF-1.7\n1 0 obj\n<</Filter/FlateDecode/Length %d>>stream\n" % len(stream)
    return head + stream + b"\nendstream\nendobj\n%%EOF"


def many_members() -> bytes:
    """A ZIP archive of 30,000 empty files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number}.txt", b"")
    return target.getvalue()


def nested(kind: bytes, depth: int) -> bytes:
    """Multiparts in multiparts, each opened and never closed."""
    opened = (b"--b%d\r\nContent-Type: %b; boundary=b%d\r\n\r\n" % (n, kind, n + 1) for n in range(depth))
    return text(b"".join(opened), kind=kind + b"; boundary=b0")


def forwarded(depth: int) -> bytes:
    """A message in a message in a message."""
    return b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: end\r\n\r\nend\r\n"


def parts(count: int, body: bytes = b"x") -> bytes:
    """So many parts beside each other."""
    part = b"--b\r\nContent-Type: text/html\r\n\r\n" + body + b"\r\n"
    return text(part * count, kind=b"multipart/mixed; boundary=b")


def header(lines: bytes) -> bytes:
    """A message with these fields above the usual ones."""
    return lines + _HEAD + b"\r\nbody\r\n"


def links(count: int) -> bytes:
    """So many links, each to a host of its own."""
    return b"".join(b'<a href="http://h%d.example/p%d?q=%d">text</a>\r\n' % (n, n, n) for n in range(count))


def addresses(count: int) -> bytes:
    """So many addresses in a field."""
    return b"".join(b' "Name, the %dth" <u%d@h%d.example>,\r\n' % (n, n, n) for n in range(count))


def quoted_printable(octets: bytes) -> bytes:
    """A text in quoted-printable, every octet quoted."""
    lines = (octets[at : at + 24] for at in range(0, len(octets), 24))
    return b"=\r\n".join(b"".join(b"=%02X" % octet for octet in line) for line in lines)


BOMBS: dict[str, Callable[[], bytes]] = {
    # MIME
    "10,000 multiparts in each other": lambda: nested(b"multipart/mixed", 10_000),
    "10,000 alternatives in each other": lambda: nested(b"multipart/alternative", 10_000),
    "30,000 messages in each other": lambda: forwarded(30_000),
    "100,000 parts": lambda: parts(100_000),
    "5,000 HTML parts with a link each": lambda: parts(5000, b"<a href=http://x.example/>y</a>" * 10),
    "a boundary of 100,000 octets": lambda: text(
        b"--" + b"b" * 100_000 + b"\r\n", kind=b'multipart/mixed; boundary="' + b"b" * 100_000 + b'"'
    ),
    "a million lines like a boundary": lambda: text(
        filled(b"--bb\r\n", LARGE), kind=b"multipart/mixed; boundary=b"
    ),
    # The header section
    "100,000 fields": lambda: header(b"".join(b"X-F%d: value %d\r\n" % (n, n) for n in range(100_000))),
    "100,000 fields of one name": lambda: header(b"Subject: again\r\n" * 100_000),
    "a field of 10 MB": lambda: header(b"X-Long: " + filled(b"word ", LARGE) + b"\r\n"),
    "a subject of 10 MB in folds": lambda: header(b"Subject: x\r\n" + filled(b" y\r\n", LARGE)),
    "encoded words without end": lambda: header(b"Subject:" + filled(b" =?utf-8?B?w6Q=?=\r\n") + b" z\r\n"),
    "half encoded words": lambda: header(b"Subject: " + filled(b"=?utf-8?q?=") + b"\r\n"),
    "50,000 Received fields": lambda: header(
        b"Received: from a (b [192.0.2.1]) by c.example with ESMTP id x; Mon, 2 Jun 2025 10:00:00 +0200\r\n"
        * 50_000
    ),
    "a Received field of parentheses": lambda: header(b"Received: " + filled(b"(") + b"\r\n"),
    "50,000 addresses": lambda: header(b"Cc: x@y.example,\r\n" + addresses(50_000) + b" z@y.example\r\n"),
    "addresses of brackets": lambda: header(b"From: " + filled(b"<a@b.example") + b"\r\n"),
    "comments in comments": lambda: header(b"From: " + filled(b"(a ", 300_000) + b"<a@b.example>\r\n"),
    "a Message-ID of blanks": lambda: header(b"Message-ID: <" + filled(b" ") + b">\r\n"),
    "a Date of digits": lambda: header(b"Date: " + filled(b"9") + b"\r\n"),
    "parameters without end": lambda: text(b"x", kind=b"text/plain" + filled(b"; name*1=x")),
    # Encodings
    "base64 of zeros, 10 MB": lambda: text(
        filled(b"A" * 76 + b"\r\n", LARGE), more=b"Content-Transfer-Encoding: base64\r\n"
    ),
    "base64 of one line": lambda: text(b"QUJD" * (LARGE // 4), more=b"Content-Transfer-Encoding: base64\r\n"),
    "base64 and rubbish": lambda: text(
        filled(b"Q!U@J#D", LARGE), more=b"Content-Transfer-Encoding: base64\r\n"
    ),
    "quoted-printable, every octet": lambda: text(
        quoted_printable(filled(b"word ", 3 * MEDIUM)),
        more=b"Content-Transfer-Encoding: quoted-printable\r\n",
    ),
    "soft line ends alone": lambda: text(
        filled(b"=\r\n", LARGE), more=b"Content-Transfer-Encoding: quoted-printable\r\n"
    ),
    "blanks before line ends": lambda: text(
        filled(b"x" + b" " * 900 + b"\r\n", LARGE), more=b"Content-Transfer-Encoding: quoted-printable\r\n"
    ),
    "a uuencoded attachment": lambda: text(b"begin 644 x.exe\r\n" + filled(b"M" + b"`" * 60 + b"\r\n")),
    "UTF-7": lambda: text(filled(b"+AGE-", 3 * MEDIUM), kind=b"text/plain; charset=utf-7"),
    "UTF-16 without a mark": lambda: text(filled(b"a\0\n\0", 3 * MEDIUM), kind=b"text/plain; charset=utf-16"),
    "ISO-2022-JP of escapes": lambda: text(
        filled(b"\x1b$B\x1b(B", 3 * MEDIUM), kind=b"text/plain; charset=iso-2022-jp"
    ),
    "a charset that does not exist": lambda: text(
        filled(b"\xe4\xf6\xfc ", 3 * MEDIUM), kind=b"text/plain; charset=" + b"x" * 50_000
    ),
    "octets of no charset": lambda: text(filled(bytes(range(128, 256)), 3 * MEDIUM)),
    "combining marks": lambda: text(filled(b"a" + "\u0301\u0316".encode() * 500, 3 * MEDIUM)),
    "wide and folded letters": lambda: text(filled("ﷺＡ㎇ẞİ".encode(), 3 * MEDIUM)),
    "text from right to left": lambda: page(filled("\u202e\u2066שלום".encode(), 3 * MEDIUM)),
    # HTML
    "50,000 links": lambda: page(links(50_000)),
    "50,000 links in plain text": lambda: text(
        b"".join(b"http://h%d.example/x%d\r\n" % (n, n) for n in range(50_000))
    ),
    "one link with 30,000 texts": lambda: page(
        b"".join(b"<a href=http://h.example/>%d</a>" % n for n in range(30_000))
    ),
    "twenty pages": lambda: text(
        (b"--b\r\nContent-Type: text/html\r\n\r\n" + filled(b"<b><a href=x>", 500_000) + b"\r\n") * 20,
        kind=b"multipart/mixed; boundary=b",
    ),
    "one link of 10 MB": lambda: page(b'<a href="http://h.example/' + filled(b"%61", LARGE) + b'">x</a>'),
    "links in links": lambda: page(filled(b"http://a.example/http://b.example/?u=", MEDIUM)),
    "schemeless hosts": lambda: text(filled(b"www.a.example.b.example.", MEDIUM)),
    "addresses in the text": lambda: text(filled(b"a@b.example,", MEDIUM)),
    "100,000 elements in each other": lambda: page(b"<div>" * 100_000 + b"x"),
    "tables in tables": lambda: page(filled(b"<table><tr><td>")),
    "formatting that is never closed": lambda: page(filled(b"<b><i><a href=x><font color=red>")),
    "styles without end": lambda: page(
        b'<p style="' + filled(b"color:red;background:url(x);", MEDIUM) + b'">x'
    ),
    "attributes without end": lambda: page(b"<p " + b" ".join(b"a%d=b" % n for n in range(100_000)) + b">x"),
    "entities": lambda: page(filled(b"&amp;&#x41;&nbsp;&notanentity;", 3 * MEDIUM)),
    "comments": lambda: page(filled(b"<!-- x --><!--", 3 * MEDIUM)),
    "less-than signs": lambda: page(filled(b"<", 3 * MEDIUM)),
    "hidden text": lambda: page(filled(b'<span style="display:none">word</span> ', 3 * MEDIUM)),
    "scripts": lambda: page(filled(b"<script>var a='<b>';</script>", 3 * MEDIUM)),
    "10 MB of words in HTML": lambda: page(filled(b"<p>some words of a newsletter</p>\r\n", LARGE)),
    # Plain text
    "10 MB of words": lambda: text(filled(b"some words of a long letter\r\n", LARGE)),
    "10 MB without a line end": lambda: text(filled(b"word ", LARGE)),
    "10 MB of one letter": lambda: text(b"x" * LARGE),
    "lines of two letters": lambda: text(filled(b"ab\r\n", LARGE)),
    "lines of two letters, quoted": lambda: text(
        filled(b"ab\r\n", LARGE), more=b"Content-Transfer-Encoding: quoted-printable\r\n"
    ),
    "lines of two letters in HTML": lambda: page(filled(b"ab\r\n", LARGE)),
    "lines of one base64 letter": lambda: text(
        filled(b"Q\r\n", LARGE), more=b"Content-Transfer-Encoding: base64\r\n"
    ),
    "two letters and an empty line": lambda: text(filled(b"ab\r\n\r\n", LARGE)),
    "lines of a long letter in parts": lambda: parts(900, filled(b"ab\r\n", 10_000)),
    "an attachment of lines": lambda: attached("a.txt", filled(b"ab\n", 7 * MEDIUM), "text/plain"),
    "a program of strings": lambda: attached("a.exe", b"MZ" + filled(b"http://x.example/\0", 7 * MEDIUM)),
    "empty lines": lambda: text(filled(b"\r\n", LARGE)),
    "blanks": lambda: text(filled(b" ", LARGE)),
    "digits and points": lambda: text(filled(b"1.", 3 * MEDIUM)),
    "dollars": lambda: text(filled(b"$1,000,000 US DOLLARS ", 3 * MEDIUM)),
    "capitals": lambda: text(filled(b"V I A G R A  ", 3 * MEDIUM)),
    "letters and blanks": lambda: text(filled(b"a ", 3 * MEDIUM)),
    "words that rules begin with": lambda: text(filled(b"dear friend click here unsubscribe ", 3 * MEDIUM)),
    "quotes": lambda: text(filled(b"> > > > > ", 3 * MEDIUM)),
    # Attachments
    "a gigabyte, zipped": lambda: attached("a.zip", zeros("a.txt", 1000 * MEDIUM)),
    "ZIP in ZIP, 100 times": lambda: attached("a.zip", zipped("a.txt", b"x" * 1000, 100)),
    "ZIP of 30,000 files": lambda: attached("a.zip", many_members()),
    "an office file that is a bomb": lambda: attached(
        "a.docm", zeros("word/vbaProject.bin", 1000 * MEDIUM), "application/vnd.ms-word"
    ),
    "an office file of blanks": lambda: attached("a.docm", office_file(), "application/msword"),
    "a PDF file of 100 MB, packed": lambda: attached("a.pdf", packed_pdf(), "application/pdf"),
    "7 MB without any order": lambda: attached("a.bin", random.Random(1).randbytes(7 * MEDIUM)),
    "a gzipped gigabyte": lambda: attached("a.gz", gzipped_zeros(1000 * MEDIUM), "application/gzip"),
    "a PDF of objects": lambda: attached(
        "a.pdf", b"%PDF-1.4\n" + filled(b"1 0 obj << /URI (http://x.example/) >> endobj\n", 5 * MEDIUM)
    ),
    "a PDF of brackets": lambda: attached("a.pdf", b"%PDF-1.4\n" + filled(b"<<", 3 * MEDIUM)),
    "an RTF of braces": lambda: attached("a.rtf", b"{\\rtf1" + filled(b"{\\object", 3 * MEDIUM)),
    "an OLE file of rubbish": lambda: attached(
        "a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + filled(b"\xff\xfe\x00\x01", 3 * MEDIUM)
    ),
    "an image of 7 MB": lambda: attached("a.png", b"\x89PNG\r\n\x1a\n" + bytes(7 * MEDIUM), "image/png"),
    "a name of 100,000 octets": lambda: attached("a" * 100_000 + ".exe", b"MZ"),
    "a calendar of lines": lambda: attached(
        "a.ics", filled(b"BEGIN:VEVENT\r\n", 3 * MEDIUM), "text/calendar"
    ),
}
