"""A mail's HTML in the frame of its page: no request leaves it, and no script runs in it."""

import base64
import re
import time
from urllib.parse import urlsplit

import pytest
from tests.support.installation import ANN, QUARANTINE
from tests.web.hostile_html import ELSEWHERE, PIECES

from lazaret.mime.message import parse
from lazaret.web.safe_html import clean, frame

HEADER = "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"


@pytest.mark.parametrize("name", PIECES)
def test_nothing_that_acts_or_loads_is_left(name):
    left = clean(PIECES[name], {}, remote=False)

    assert [] == re.findall(r"tracker\.example|\\\\tracker", re.sub(r">[^<]*<", "><", f">{left}<"), re.I)
    assert [] == re.findall(
        r"<(?:script|style|link|meta|base|form|input|button|iframe|object|embed|svg|math|video|audio|template)\b",
        left,
        re.I,
    )
    assert [] == re.findall(
        r"\s(?:on\w+|href|style|srcset|ping|formaction|background|id|name|class)\s*=", left, re.I
    )
    assert "javascript:" not in left.lower()


def test_pictures_that_come_along_are_shown_and_others_only_when_asked_for():
    picture = b"\x89PNG\r\n\x1a\n and more"
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/html\r\n\r\n<img src='cid:one@x'><img src='cid:two'>"
        b"<img src='http://tracker.example/far.png'>\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <one@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(picture)
        + b"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <two>\r\n\r\n<svg onload=alert(1)>\r\n--b--\r\n"
    )
    shown = frame(parse(raw), remote=False)

    assert f"data:image/png;base64,{base64.b64encode(picture).decode()}" in shown
    assert 1 == shown.count("data:")
    assert "tracker" not in shown
    assert "http://tracker.example/far.png" in frame(parse(raw), remote=True)


def test_a_page_of_a_megabyte_takes_no_long_time():
    raw = HEADER.encode() + b"\r\n" + b"<table><tr><td><font color=red>x</font>" * 50_000
    begun = time.process_time()
    frame(parse(raw), remote=False)

    assert time.process_time() - begun < 10


@pytest.mark.parametrize("name", PIECES)
def test_no_request_leaves_the_frame_and_no_script_runs_in_it(site, chromium, admin, name):
    mail_id = site.send_found(
        f"{QUARANTINE}{PIECES[name]}<p>end of it</p>", ANN, subject=f"hostile {name}", header=HEADER
    )
    context = chromium.new_context(base_url=site.origin)
    context.add_cookies([{"name": c.name, "value": c.value, "url": site.origin} for c in admin.cookies])
    page = context.new_page()
    asked, dialogs = [], []
    context.route("**/*", lambda route: route.continue_() if _ours(route, site) else route.abort())
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    try:
        page.goto(f"/mail/{mail_id}")
        page.locator("iframe.mailframe").scroll_into_view_if_needed()
        inside = next(f for f in page.frames if f.url.endswith("/frame") or f.parent_frame)
        inside.wait_for_load_state("networkidle")
        assert [] == [url for url in asked if not url.startswith(("data:", site.origin))]
        assert {"", f"/mail/{mail_id}", f"/mail/{mail_id}/frame"} >= {
            urlsplit(u).path for u in asked if "/static/" not in u and not u.startswith("data:")
        } - {"/favicon.ico"}
        assert [] == dialogs
        assert page.title().startswith("hostile")
        assert 1 == len(page.frames) - 1
    finally:
        context.close()


def _ours(route, site):
    return route.request.url.startswith(site.origin)


def test_the_frame_may_not_be_shown_elsewhere_and_is_a_sandbox_by_itself(site, admin):
    mail_id = site.send_found(f"{QUARANTINE}<p>x</p>", ANN, subject="by itself", header=HEADER)
    headers = admin.get(f"/mail/{mail_id}/frame").headers
    policy = headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "sandbox;" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy.replace("https", "")
    assert ELSEWHERE not in policy


def test_no_mail_makes_a_page_of_ours_out_of_its_header(site, admin):
    mail_id = site.send_found(QUARANTINE, ANN, subject="<script>alert('in the subject')</script>\"'")
    for path in ("/mail", f"/mail/{mail_id}"):
        page = admin.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "punycode", "idna", "utf-16", "none", ""])
def test_no_charset_is_an_error_or_takes_long(charset):
    """Half a character cannot be sent; to read Punycode takes the square of its length."""
    named = f"; charset={charset}" if charset else ""
    header = f"MIME-Version: 1.0\r\nContent-Type: text/html{named}\r\n\r\n"
    for text in ("<p>+2AA- \\ud800 hello</p>", "a" * 1_000_000):
        began = time.process_time()
        assert frame(parse(f"{header}{text}\r\n".encode()), remote=True).encode()
        assert time.process_time() - began < 5
