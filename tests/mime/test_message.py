"""The views of a message."""

from lazaret.mime import message

LETTER = b"""From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>
Subject: first
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
 an alle
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Hallo  Welt

zweiter Absatz
--b
Content-Type: text/html

<p>See <a href="http://x.example/">here</a><span style="display:none">secret</span></p>
--b
Content-Type: application/pdf; name="=?utf-8?q?=C3=A4.pdf?="
Content-Transfer-Encoding: base64

AAEC
--b
Content-Type: message/rfc822

Subject: inner

inner text
--b--
"""


def test_rules_see_the_last_subject_and_people_the_first() -> None:
    mail = message.parse(LETTER)
    assert "Grüße an alle\n".encode() == mail.body[0]
    assert "first" == mail.decoded("subject")
    assert ["first", "Grüße an alle"] == mail.decoded_all("Subject")
    assert "Jörg <joerg@example.org>" == mail.decoded("From")
    assert "" == mail.decoded("Nothing")


def test_body_rules_see_hidden_text_and_people_do_not() -> None:
    mail = message.parse(LETTER)
    assert b"See heresecret" in b"".join(mail.body)
    assert "See here" in mail.visible_text
    assert "secret" not in mail.visible_text
    assert "Hallo  Welt\n\nzweiter Absatz" in mail.visible_text


def test_rawbody_is_decoded_but_keeps_tags() -> None:
    assert b"Hallo  Welt\n\nzweiter Absatz" == message.parse(LETTER).rawbody[0]
    assert b"<p>See <a href=" in message.parse(LETTER).rawbody[1]


def test_attachments_have_names_for_people() -> None:
    found = [(a.name, a.content_type, a.size) for a in message.parse(LETTER).attachments]
    assert [("ä.pdf", "application/pdf", 3), ("", "message/rfc822", 26)] == found


def test_links_and_statistics_come_from_html_parts() -> None:
    mail = message.parse(LETTER)
    assert [b"http://x.example/"] == [link.target for link in mail.links]
    assert mail.html.html
    assert not message.parse(b"Subject: x\n\nplain\n").html.html


def test_the_octets_stay_as_they_came() -> None:
    mail = message.parse(LETTER)
    assert LETTER == mail.full == mail.raw


def test_visible_text_is_capped_and_safe_for_a_terminal() -> None:
    mail = message.parse(b"\n\x1b[2Jtext\x07\n\n\n\n\nmore\n" + b"y" * 100_000)
    assert mail.visible_text.startswith("[2Jtext\n\nmore")
    assert message.VISIBLE_LIMIT >= len(mail.visible_text)


def test_many_tags_are_over_budget() -> None:
    assert message.parse(b"Content-Type: text/html\n\n" + b"<b>" * 300_000).over_budget
    assert not message.parse(LETTER).over_budget
