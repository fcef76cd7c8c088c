"""Where relative links lead."""

from pathlib import Path

import pytest
from tests.mime.layers import octets, recorded

from lazaret.mime import uri_reference


@pytest.mark.parametrize(
    ("base", "uri", "target"),
    [
        (b"http://a.example/b/c", b"d", b"http://a.example/b/d"),
        (b"http://a.example/b/c", b"../d", b"http://a.example/d"),
        (b"http://a.example/b/c?x", b"?y", b"http://a.example/b/c?y"),
        (b"http://a.example/b/c", b"//d.example/e", b"http://d.example/e"),
        (b"http://a.example", b"d", b"http://a.example/d"),
        (b"http://a.example/", b"mailto:kim@b.example", b"mailto:kim@b.example"),
        (b"", b"/image.gif", b"/image.gif"),
        (b"", b"//www.b.example/x", b"http://www.b.example/x"),
        (b"", b"http://b.example/x/../y", b"http://b.example/y"),
    ],
)
def test_references_are_resolved_against_the_base(base: bytes, uri: bytes, target: bytes) -> None:
    assert target == uri_reference.resolve(base, uri)


def test_the_base_is_the_folder_of_the_page() -> None:
    assert [b"http://a.example/b/", b"http://a.example/", b""] == [
        uri_reference.base_of(u) for u in (b"http://a.example/b/c.html", b"http://a.example", b"/b/c.html")
    ]


def test_spamassassins_examples_lead_where_they_lead_for_it(shared: Path) -> None:
    for case in recorded(shared, "uri"):
        if case["fn"] == "target_uri":
            base, uri = map(octets, case["args"])
            assert octets(case["result"][0]) == uri_reference.resolve(base, uri), case["args"]
