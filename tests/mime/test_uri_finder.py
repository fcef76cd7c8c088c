"""URIs in plain text."""

import time

import pytest

from lazaret.mime import hostnames, uri_finder

PUBLIC = hostnames.public()


def find(text: bytes) -> list[bytes]:
    return [found.uri for found in uri_finder.find(text, PUBLIC)]


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        (b"see http://www.example.com/a, now", b"http://www.example.com/a"),
        (b"(see http://www.example.com/a)", b"http://www.example.com/a"),
        (b"http://example.com/a_(b)", b"http://example.com/a_(b"),
        (b"visit www.example.com!", b"http://www.example.com"),
        (b"ftp.example.com has it", b"ftp://ftp.example.com"),
        (b"write to kim@example.com, please", b"mailto:kim@example.com"),
        (b"write to kim@example.com%20%20.", b"mailto:kim@example.com%20%20"),
        (b"buy at example.com.", b"http://example.com"),
        (b"file.txt/example.com", b"http://example.com"),
        (b'<a href="http://example.com/x">', b"http://example.com/x"),
        (b"HTTP://WWW.EXAMPLE.COM/A", b"HTTP://WWW.EXAMPLE.COM/A"),
        (b"\x1b(Bhttp://example.com/", b"http://example.com/"),
    ],
)
def test_what_people_would_click_on_is_found(text: bytes, uri: bytes) -> None:
    assert [uri] == find(text)


@pytest.mark.parametrize(
    "text",
    [
        b"end.Somebody",
        b"e.g. this",
        b"1.5 or 2.5",
        b"no@host",
        b"kim@example.invalid",
        b"[cid:image001.png@01D4986E.E3459640]",
        b"http://",
    ],
)
def test_what_only_looks_like_a_uri_is_not(text: bytes) -> None:
    assert [] == find(text)


def test_a_bare_host_name_is_known_as_not_clickable() -> None:
    (found,) = uri_finder.find(b"buy at example.com", PUBLIC)
    assert (False, False) == (found.linked, found.written_with_scheme)


def test_several_addresses_without_blanks_are_several() -> None:
    assert [b"mailto:a@example.com", b"mailto:b@example.com"] == find(b"a@example.com,b@example.com")


@pytest.mark.parametrize(
    "piece",
    [b"http://a.", b"a.", b"www.", b"www.www", b"@", b"a@", b"a@a.a,", b"://", b"(.com", b".com/", b"a-",
     b"\xc3\xa0.a", b"a.com,", b"a.a.a.a.a.a ", b"x@y.com ", b"ftp.", b"mailto:"],
)  # fmt: skip
def test_a_megabyte_of_almost_uris_is_read_in_under_a_second(piece: bytes) -> None:
    text = piece * (1_000_000 // len(piece))
    began = time.process_time()
    find(text)
    assert time.process_time() - began < 1
