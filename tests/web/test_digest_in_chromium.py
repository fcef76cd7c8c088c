"""The whole story of a digest in a real browser: it arrives, programs fetch its links, a person uses one."""

import email
import re
from collections.abc import Iterator
from email.policy import default
from typing import Any

import pytest
from tests.support.installation import CLEAN, QUARANTINE


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page of somebody who was never here, in English; whatever it complains of fails the test."""
    context = chromium.new_context(locale="en-GB")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    assert [] == complaints
    context.close()


def _is_complaint(said: Any) -> bool:
    """A browser asks for an icon of its own accord."""
    return said.type == "error" and not said.location.get("url", "").endswith("/favicon.ico")


def mails(site, address: str, kind: str) -> list[Any]:
    octets = [o for o in site.hop.of(address) if o.startswith(f"Message-ID: <{kind}.".encode())]
    return [email.message_from_bytes(o, policy=default) for o in octets]


def told(site, name: str, *subjects: str) -> tuple[str, str]:
    """Somebody for whom these messages were kept, and the HTML of his digest."""
    address = f"{name}@home.example"
    site.send_found(CLEAN, address, subject=f"hello {name}")
    for subject in subjects:
        site.send_found(QUARANTINE, address, subject=subject)
    site.output("digest", "send", address)
    return address, mails(site, address, "digest")[-1].get_body(("html",)).get_content()


def got(site, address: str, subject: str) -> int:
    """How many copies of the message itself came to its recipient."""
    return sum(f"\r\nSubject: {subject}\r\n".encode() in octets for octets in site.hop.of(address))


def test_a_digest_arrives_programs_fetch_its_links_and_a_person_uses_one(site, chromium, page):
    address, html = told(site, "story", "the one he waits for", "another one")
    links = re.findall(rf'href="({site.origin}/d/[^"]+)"', html)
    assert 3 == len(links)

    for link in links:  # a scanner that runs scripts, and stays for a while
        scanner = chromium.new_context().new_page()
        scanner.goto(link)
        scanner.wait_for_load_state("networkidle")
        scanner.context.close()
        assert 200 == site.browser().send("HEAD", link.removeprefix(site.origin), None).status
    assert 0 == got(site, address, "the one he waits for")
    assert [(" ",)] * 2 == site.query(
        "SELECT r.rs FROM msgrcpt r JOIN maddr a ON a.id = r.rid WHERE a.email = ? AND r.ds = 'D'", address
    )

    page.set_content(html)
    row = page.locator("tr", has_text="the one he waits for")
    row.get_by_role("link", name="Decide").click()
    page.get_by_role("heading", name="the one he waits for").wait_for()
    assert QUARANTINE not in page.content()
    page.get_by_role("button", name="Deliver it to me").click()
    page.get_by_text("It was released to you.").wait_for()
    assert "250 2.0.0 Ok: queued as" in page.get_by_role("status").inner_text()
    assert (1, 0) == (got(site, address, "the one he waits for"), got(site, address, "another one"))
    page.reload()  # the browser asks whether to send the form again, and somebody says yes
    assert 1 == got(site, address, "the one he waits for")


def test_from_a_digest_to_the_text_by_a_link_in_a_mail(site, page):
    address, html = told(site, "reader", "to be read")
    page.set_content(html)
    page.get_by_role("link", name="Decide").click()
    page.get_by_role("link", name="Open it there").click()
    page.get_by_role("link", name="Send me a link by mail instead").click()
    page.get_by_label("Mail address").fill(address)
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_text("a link is on its way").wait_for()
    site.wait(lambda: bool(mails(site, address, "login")))
    (link,) = re.findall(r"http\S+/login/mail\S+", mails(site, address, "login")[0].get_content())
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="to be read").wait_for()
    assert QUARANTINE in page.content()


def test_how_one_is_told_is_chosen_with_the_keyboard(site, page):
    address, html = told(site, "chooser", "anything")
    page.set_content(html)
    page.get_by_role("link", name="How often you are told").click()
    page.get_by_role("radio", name="Every day").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("checkbox", name="16", exact=True).press("Space")
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.keyboard.press("Enter")
    page.get_by_text("Saved.").wait_for()
    assert [("workdays", "7 16", "Europe/Berlin", "de")] == site.query(
        "SELECT days, hours, time_zone, language FROM lz_digest_wishes WHERE email = ?", address
    )


def test_every_page_of_it_is_for_everybody(site, admin, page):
    """No violation of WCAG 2.2 AA that a program can see."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    html = told(site, "axe", "for everybody")[1]
    links = re.findall(rf'href="({site.origin}/d/[^"]+)"', html)
    cookies = [{"name": c.name, "value": c.value, "url": site.origin} for c in admin.cookies]
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto("about:blank")
        page.set_content(html)
        found += _violations(axe, page, f"{scheme} mail")
        page.context.clear_cookies()
        for path in (*links, f"{site.origin}/login/mail"):
            page.goto(path)
            found += _violations(axe, page, f"{scheme} {page.title()}")
        page.context.add_cookies(cookies)
        for path in ("/requests", "/digest?address=axe@home.example"):
            page.goto(site.origin + path)
            found += _violations(axe, page, f"{scheme} {path}")
    assert "" == "\n".join(found)


def _violations(axe: Any, page: Any, where: str) -> list[str]:
    levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result = axe.run(page, options={"runOnly": {"type": "tag", "values": levels}})
    return [
        f"{where}: {fault['id']} {node['html'][:120]}"
        for fault in result.response["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_of_it_is_wider_than_its_window(site, page, width):
    html = told(site, f"narrow{width}", "w" * 120)[1]
    links = re.findall(rf'href="({site.origin}/d/[^"]+)"', html)
    page.set_viewport_size({"width": width, "height": 800})
    for link in (*links, f"{site.origin}/login/mail"):
        page.goto(link)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto("about:blank")
    page.set_content(html)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
