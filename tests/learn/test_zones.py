"""What of a message is learned from, and what is not."""

from lazaret.learn.zones import HEADER_OCTETS, TEXT_OCTETS, View, Zone, view
from lazaret.mime import message


def seen(raw: bytes) -> View:
    return view(message.parse(raw))


def of(raw: bytes, name: str) -> list[bytes]:
    return [piece.octets for piece in seen(raw).pieces if piece.name == name]


def test_subject_and_text_are_decoded():
    raw = b"Subject: =?utf-8?q?gr=C3=BCn?=\nContent-Type: text/html\n\n<p>h&eacute;llo</p>"

    assert ["grün".encode()] == of(raw, "subject")
    assert "héllo" in b"".join(of(raw, "text")).decode()


def test_what_the_site_or_another_filter_wrote_is_left_out():
    own = b"Delivered-To: anna\nX-Spam-Status: Yes\nX-Spam-Flag: YES\nAuthentication-Results: x\n"
    raw = own + b"From: a@b.example\n\nhi\n"
    names = {piece.name for piece in seen(raw).pieces}

    assert "from" in names
    assert not names & {"delivered-to", "x-spam-status", "x-spam-flag", "authentication-results"}
    assert b"Spam" not in b"".join(run.octets for run in seen(raw).runs)


def test_of_a_date_only_the_time_zone_counts():
    assert [b"+0200"] == of(b"Date: Mon, 24 Jun 2024 10:00:00 +0200\n\n", "date")


def test_links_count_with_their_sites():
    raw = b"Content-Type: text/html\n\n<a href='http://www.shop.example.com/x'>y</a>"

    assert [b"http://www.shop.example.com/x"] == of(raw, "link")
    assert [b"example.com"] == of(raw, "site")


def test_names_of_attachments_count():
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/zip; name=invoice.zip\n"
        b"Content-Disposition: attachment; filename=invoice.zip\n\nxx\n--b--\n"
    )

    assert [b"invoice.zip"] == of(raw, "attachment")


def test_the_view_of_a_huge_message_is_small():
    raw = b"".join(b"X-%d: %s\n" % (n, b"v" * 900) for n in range(2000)) + b"\n" + b"text " * 200_000
    found = seen(raw)

    assert (
        sum(len(p.octets) for p in found.pieces if p.zone == Zone.HEADER and p.name != "names")
        <= HEADER_OCTETS
    )
    assert sum(len(p.octets) for p in found.pieces if p.zone == Zone.TEXT) <= TEXT_OCTETS
