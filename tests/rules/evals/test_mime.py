"""The parts of a message and how they are encoded."""

from collections.abc import Callable

Call = Callable[..., float | str]

PARTS = (
    b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nhi\n--b\n"
    b"Content-Type: text/html\nContent-Transfer-Encoding: %s\n\n%s\n--b--\n"
)


def test_html_alone_is_told_from_html_beside_text(call: Call) -> None:
    both = PARTS % (b"7bit", b"<p>hi")
    assert call(both, "check_for_mime_html")
    assert not call(both, "check_for_mime_html_only")
    assert call(b"Content-Type: text/html\n\n<p>", "check_for_mime_html_only")


def test_counts_go_by_name(call: Call) -> None:
    long = PARTS % (b"quoted-printable", b"x" * 100)
    needless = PARTS % (b"quoted-printable", b"=41=42 line end=20\n=E4")
    assert 1 == call(needless, "check_for_mime", "mime_qp_count")
    assert 0 == call(long, "check_for_mime", "mime_qp_count")
    assert 1 == call(long, "check_for_mime", "mime_qp_long_line")
    assert 0 == call(PARTS % (b"quoted-printable", b"x" * 70), "check_for_mime", "mime_qp_long_line")
    assert 0 == call(long, "check_for_mime", "mime_missing_boundary")
    assert 1 == call(long.replace(b"--b--", b""), "check_for_mime", "mime_missing_boundary")
    base64 = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGk=\n"
    assert 1 == call(base64, "check_for_mime", "mime_base64_encoded_text")


def test_capitals_are_measured(call: Call) -> None:
    raw = b"Subject: s\n\n" + b"SHOUT AT ME " * 40
    assert call(raw, "check_for_uppercase", "75", "100")
    assert not call(raw.lower(), "check_for_uppercase", "0", "100")


def test_an_alternative_that_is_no_text_is_seen(call: Call) -> None:
    raw = PARTS % (b"7bit", b"x")
    assert not call(raw, "check_ma_non_text")
    assert call(raw.replace(b"text/html", b"image/gif"), "check_ma_non_text")


def test_faults_of_form_go_by_name(call: Call) -> None:
    assert call(b"Subject: s\nno header line\n", "check_msg_parse_flags", "missing_head_body_separator")
    assert not call(b"Subject: s\n\nx\n", "check_msg_parse_flags", "missing_head_body_separator")
