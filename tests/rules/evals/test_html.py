"""Facts about the HTML part."""

from collections.abc import Callable

Call = Callable[..., float | str]

RAW = b"Subject: hi\nContent-Type: text/html\n\n%s"


def test_tags_are_known(call: Call) -> None:
    raw = RAW % b"<html><form><b><b></b></form>"
    assert call(raw, "html_tag_exists", "form")
    assert not call(raw, "html_tag_exists", "iframe")
    assert call(raw, "html_tag_balance", "b", "> 0")
    assert not call(raw, "html_tag_balance", "form", "!= 0")
    assert call(raw, "html_test", "html")


def test_an_image_with_little_text_is_seen(call: Call) -> None:
    raw = RAW % b'<img src="http://a.com/x.gif" width=100 height=100>short'
    assert call(raw, "html_image_only", "0", "400")
    assert not call(raw, "html_image_only", "400", "800")
    assert not call(RAW % b"short", "html_image_only", "0", "400")
    assert call(raw, "html_image_ratio", "0.000", "0.002")


def test_titles_are_matched_and_measured(call: Call) -> None:
    raw = RAW % b"<title>Account suspended today</title>x"
    assert "Account suspended today" == call(raw, "html_text_match", "title", "(?i)SUSPENDED")
    assert not call(raw, "html_text_match", "title", "closed")
    assert not call(raw, "html_text_match", "title", "(?<!a+)bad expression")
    assert call(raw, "html_title_subject_ratio", "3.5")
    assert call(raw, "html_text_not_match", "title", "closed")


def test_numbers_are_compared(call: Call) -> None:
    raw = RAW % b"<p>text"
    assert call(raw, "html_range", "ratio", "0.1", "0.9")
    assert call(raw, "html_range", "length", "3", "inf")
    assert call(raw, "html_eval", "image_area", "== 0")
    assert not call(b"Subject: hi\n\ntext\n", "html_range", "length", "-1", "inf")


def test_a_frame_is_seen(call: Call) -> None:
    assert call(RAW % b'<iframe src="http://a.com/"></iframe>', "check_iframe_src")
    assert not call(RAW % b"<p>", "check_iframe_src")


def test_any_html_part_may_pass(call: Call) -> None:
    raw = b"Subject: hi\nContent-Type: multipart/mixed; boundary=b\n\n" + b"".join(
        b"--b\nContent-Type: text/html\n\n%s\n" % page
        for page in (b"<title>Long enough a title</title><form>", b"<img width=9 height=9>", b"<p>last")
    )
    assert call(raw, "html_tag_exists", "form")
    assert call(raw, "html_text_match", "title", "enough")
    assert call(raw, "html_title_subject_ratio", "3.5")
    assert call(raw, "html_image_only", "0", "400")
    assert call(raw, "html_range", "image_area", "80", "81")
    assert not call(raw, "html_tag_exists", "iframe")
