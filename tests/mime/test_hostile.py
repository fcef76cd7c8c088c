"""No message, however evil, takes a second or raises."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.mime import message

SIZE = 1 << 20
BUSY = 2.0
"""Two logical processors often share one: while the other works, the same steps take up to twice as long."""

HEAD = b"Subject: x\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"


def page(piece: str) -> Callable[[], bytes]:
    return lambda: b"Content-Type: text/html\n\n" + (piece * (SIZE // len(piece))).encode()


def nested(depth: int) -> bytes:
    parts = (b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(depth))
    return b"Content-Type: multipart/mixed; boundary=b0\n\n" + b"".join(parts)


CASES: dict[str, Callable[[], bytes]] = {
    "a line without a colon": lambda: b"x" * SIZE,
    "lines without a colon": lambda: (b"x" * 100_000 + b"\n") * 10,
    "folds": lambda: b"Subject: a\n" + b" b\n" * (SIZE // 3),
    "colons": lambda: b"a:\n" * (SIZE // 3),
    "carriage returns": lambda: b"\r" * SIZE,
    "empty lines": lambda: HEAD + b"\n" * SIZE,
    "lines of blanks": lambda: HEAD + b"\n" + (b" " * 99 + b"\n") * (SIZE // 100),
    "blanks": lambda: HEAD + b"\n" + b" " * SIZE,
    "no UTF-8": lambda: HEAD + b"\n" + b"\xff" * SIZE,
    "hard blanks": lambda: HEAD + b"\n" + b"\xc2\xa0" * (SIZE // 2),
    "boundaries": lambda: MIXED + b"--b\n" * (SIZE // 4),
    "nearly boundaries": lambda: MIXED + b"--b-\n" * (SIZE // 5),
    "nested multiparts": lambda: nested(10_000),
    "nested messages": lambda: b"Content-Type: message/rfc822\n\n" * 30_000,
    "one boundary, nested": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 20_000,
    "boundary, boundary": lambda: b"Content-Type: a/b; " + b"boundary " * 100_000 + b"\n\n",
    "parameters in pieces": lambda: (
        b"Content-Type: a/b" + b"".join(b"; name*%d=x" % i for i in range(60_000))
    ),
    "an unclosed quote": lambda: b'Content-Type: a/b; x="' + b"\\" * SIZE,
    "encoded words": lambda: b"Subject: " + b"=?utf-8?q?a?= " * (SIZE // 14),
    "half encoded words": lambda: b"Subject: " + b"=?" * (SIZE // 2),
    "padding": lambda: b"Content-Transfer-Encoding: base64\n\n" + b"=" * SIZE + b"A",
    "base64 and junk": lambda: b"Content-Transfer-Encoding: base64\n\n" + b"!@#=A" * (SIZE // 5),
    "equals signs": lambda: b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * SIZE,
    "trailing blanks": lambda: b"Content-Transfer-Encoding: quoted-printable\n\n" + b" " * SIZE + b"x \n",
    "UTF-16": lambda: b"Content-Type: text/plain; charset=utf-16\n\n" + b" \0" * (SIZE // 2),
    "ISO-2022-JP": lambda: b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + b"\x1b$B" * (SIZE // 3),
    "an attribute of blanks": lambda: b"Content-Type: text/html\n\n<a b=" + b" " * SIZE + b">",
    "a style of blanks": lambda: b'Content-Type: text/html\n\n<p style="color:' + b" " * SIZE + b'x;">hi',
    "a long reference": lambda: b"Content-Type: text/html\n\n&#" + b"9" * SIZE + b";",
    "many kinds of tags": lambda: (
        b"Content-Type: text/html\n\n" + b"".join(b"<a%d>" % i for i in range(150_000))
    ),
    **{
        f"HTML of {piece}": page(piece)
        for piece in (
            *(
                "<",
                "<!",
                "<!--",
                "</",
                "<?",
                "<a",
                "<a ",
                "<p>",
                "<div></div>",
                "<font color=red>",
                '<a "',
                "<a b=",
            ),
            *(
                "&",
                "&#",
                "&amp;",
                "&eacutexxxxxxxxxxx",
                "<title>",
                "<script>",
                "<textarea>",
                "<![CDATA[",
                "<!doctype ",
            ),
            *(
                '<!doctype "a',
                "--",
                "<!-- -- ",
                "</p>",
                "<td>",
                "<tr><td>",
                "<a href=x><img src=y>",
                "x<b>",
                "<big>x",
            ),
            *(
                '</a "x',
                "<w",
                "<base href=http://a.example/>",
                '<p style="background:url(,,,( red">x',
                "<iframe>",
            ),
            *("<br/>", "&nbsp;", "<xmp></xmp>", '<p style="' + "color:red;" * 50 + '">'),
        )
    },
}


def look(mail: message.Message) -> None:
    _ = mail.body, mail.rawbody, mail.html, mail.visible_text, mail.links, mail.attachments, mail.over_budget
    _ = mail.decoded("Subject"), mail.header.truncated
    for part in mail.parts:
        _ = part.filename, part.params, part.disposition, part.name


@pytest.mark.parametrize("case", CASES)
def test_the_worst_case_of_a_megabyte_is_read_in_a_second(case: str) -> None:
    raw = CASES[case]()
    before = time.process_time()
    look(message.parse(raw))
    assert time.process_time() - before < 1.0 * BUSY


WORDS = rb"""
Content-Type: |text/html|multipart/mixed; boundary=b|message/rfc822|multipart/digest|--b|--b--|; charset=
|utf-16|utf-7|iso-2022-jp|Content-Transfer-Encoding: base64|=?utf-8?q?|?=|=|name*0*=x''|From |:| |
|<a href=|"|<!--|&#|&#xD800;|<title>|</script>|<font size=|<basefont size=|<td style='color:|%|99999999999
|<![CDATA[|</|>"""
BLANKS = [b"\n", b"\r\n", b"\n\n", b"=\n", b"\t", b"\0", b"\xe9", b"\xc2\xa0"]
PIECES = st.sampled_from([word.strip(b"\n") for word in WORDS.split(b"|")] + BLANKS)


@settings(max_examples=300)
@given(st.lists(PIECES | st.binary(max_size=4), max_size=40).map(b"".join))
def test_no_octets_raise(raw: bytes) -> None:
    look(message.parse(raw))
