"""The whole story in a real browser: mail comes in, is seen, found, understood, released, and arrives."""

import re
import time

import pytest
from tests.support.installation import ANN, BOB, KILL, QUARANTINE
from tests.web.conftest import PASSWORD
from tests.web.test_campaigns import LETTER


def until(look, within_s=15.0):
    """The first true value; what it was last when time is up."""
    end = time.monotonic() + within_s
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return seen


def test_mail_shows_up_live_is_found_explained_released_and_arrives(site, window):
    site.send_found(QUARANTINE, ANN, subject="there before")
    window.goto("/mail")
    window.wait_for_selector("#rows tr")
    mail_id = site.send_found(f"{QUARANTINE} with a quokka in it", ANN, subject="the live one")
    window.wait_for_selector(f'#rows tr[data-id="{mail_id}"]')

    window.keyboard.press("/")
    window.keyboard.type("quokka")
    window.keyboard.press("Enter")
    window.wait_for_url("**/mail?q=quokka")
    assert 1 == window.locator("#rows tr").count()

    window.keyboard.press("j")
    window.keyboard.press("o")
    window.wait_for_url(f"**/mail/{mail_id}")
    assert "6.0 points: 1.0 above the quarantine level" in window.inner_text("section.why")
    assert "quokka" in window.inner_text("pre.mailtext")

    before = site.hop.copies[ANN]
    window.click("text=Release >> nth=0")
    window.wait_for_selector("text=250 2.0.0 Ok: queued as")
    assert before + 1 == site.hop.copies[ANN]
    with window.expect_download() as download:
        window.goto(f"/mail/{mail_id}")
        window.click("text=Download")
    original = download.value.path().read_bytes()
    assert site.hop.of(ANN)[-1].endswith(original)
    assert b"quokka" in original
    assert "queued as" in window.inner_text("ol.releases")
    assert "released" in window.inner_text(".head .tag")


def test_a_mail_server_that_is_full_is_heard_and_the_mail_stays(site, window):
    mail_id = site.send_found(QUARANTINE, BOB, subject="for a full disk")
    window.goto("/mail?q=full")
    window.wait_for_selector("#rows tr")
    site.hop.end[BOB] = "452 4.3.1 Disk is full"
    try:
        window.keyboard.press("j")
        window.keyboard.press("r")
        window.wait_for_selector("#said:not([hidden])")
        assert "452 4.3.1" in window.inner_text("#said")
    finally:
        del site.hop.end[BOB]
    assert "quarantined" == window.inner_text("#rows tr .state .tag")

    window.keyboard.press("r")
    assert until(lambda: window.inner_text("#rows tr .state .tag") == "released")
    assert 1 == len([o for o in site.hop.of(BOB) if b"for a full disk" in o])
    assert "452 4.3.1" in window.request.get(f"/mail/{mail_id}").text()


def test_keys_select_delete_and_undo(site, window):
    ids = [site.send_found(QUARANTINE, ANN, subject=f"triage {n}") for n in range(3)]
    window.goto("/mail?q=subject:triage")
    assert 1 == window.locator("#rows tr").count(), "they are alike"
    for key in "jd":
        window.keyboard.press(key)
    window.wait_for_selector("text=3 messages were found")
    assert [] == site.query("SELECT rs FROM msgrcpt WHERE mail_id IN (?, ?, ?) AND rs = 'D'", *ids)
    window.goto("/mail?q=subject:triage&each=1")
    window.wait_for_selector("#rows tr")
    for key in "jxjxd":
        window.keyboard.press(key)
    assert until(lambda: window.locator("#rows tr.gone").count() == 2)
    assert [("D",), ("D",)] == site.query(
        "SELECT rs FROM msgrcpt WHERE mail_id IN (?, ?, ?) AND rs = 'D'", *ids
    )
    window.keyboard.press("u")
    assert until(lambda: window.locator("#rows tr.gone").count() == 1)
    window.keyboard.press("?")
    assert window.locator("dialog#keys").is_visible()


def test_two_who_press_release_at_once_cause_one_delivery(site, chromium, window):
    mail_id = site.send_found(QUARANTINE, ANN, subject="two at once")
    other = window.context.new_page()
    for page in (window, other):
        page.goto("/mail?q=subject:two+at+once")
        page.wait_for_selector("#rows tr")
    before = site.hop.copies[ANN]
    for page in (window, other):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("j")
    for page in (window, other):
        page.keyboard.press("r")
    for page in (window, other):
        page.wait_for_selector("#said:not([hidden])")

    assert before + 1 == site.hop.copies[ANN]
    assert [("R",)] == site.query("SELECT rs FROM msgrcpt WHERE mail_id = ?", mail_id)


def test_everything_can_be_done_without_javascript(site, plain_window):
    mail_id = site.send_found(KILL, ANN, subject="no scripts here")
    page = plain_window
    page.goto("/mail")
    page.fill("#q", "subject:scripts")
    page.click("form.search button.first")
    page.check("input[name=id]")
    page.click("text=Release selected")
    page.wait_for_selector("text=250 2.0.0 Ok: queued as")
    page.goto(f"/mail/{mail_id}")
    page.click("button:has-text('Delete')")
    page.click("button:has-text('Undo')")
    assert "It is back in the quarantine." in page.inner_text("main")


def test_a_browser_comes_in_by_a_link_and_by_a_password(site, chromium):
    """A browser names the origin of our own forms `null` under our Referrer-Policy."""
    link = site.invite("real@home.example")
    context = chromium.new_context(base_url=site.origin)
    page = context.new_page()
    page.goto(link)
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("button.first")
    page.wait_for_selector("text=Sign out")
    page.click("text=Sign out")
    page.fill("#name", "real@home.example")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_url("**/mail")
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_no_page_is_wider_than_its_window(site, window, width):
    mail_id = site.send_found(QUARANTINE, ANN, subject=f"width {'w' * 300}")
    window.set_viewport_size({"width": width, "height": 800})
    others = ("overview", "rules", "audit", "people", "account", "lists", "digest", "requests")
    for path in ("/mail", f"/mail/{mail_id}", *(f"/{name}" for name in others)):
        window.goto(path)
        assert window.evaluate("document.documentElement.scrollWidth") <= width, path
    window.goto(f"/mail/{mail_id}")
    window.click("details.more summary >> nth=0")
    menu = window.locator("details[open] .menu").bounding_box()
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= width


def test_what_is_clicked_stands_apart_from_what_is_beside_it(site, window):
    """At a telephone's width a file with a long name covered the column beside it."""
    name = "an_invoice_with_a_name_that_no_column_of_a_telephone_has_room_for.exe"
    header = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    part = f"--b\r\nContent-Disposition: attachment; filename={name}\r\n\r\nMZ{'x' * 5000}\r\n--b--\r\n"
    body = f"--b\r\n\r\n{QUARANTINE}\r\n{part}"
    mail_id = site.send_found(body, ANN, subject="with a long name", header=header)
    window.set_viewport_size({"width": 360, "height": 800})
    window.goto(f"/mail/{mail_id}")
    cell = window.locator("td", has_text=name)
    assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


def test_times_are_on_the_readers_clock(site, chromium, admin):
    mail_id = site.send_found(QUARANTINE, ANN, subject="what time is it")
    context = chromium.new_context(base_url=site.origin, timezone_id="Asia/Kathmandu", locale="en-GB")
    context.add_cookies([{"name": c.name, "value": c.value, "url": site.origin} for c in admin.cookies])
    page = context.new_page()
    page.goto(f"/mail/{mail_id}")
    shown = page.inner_text(".head time")
    [(at,)] = site.query("SELECT time_num FROM msgs WHERE mail_id = ?", mail_id)
    there = time.gmtime(at + 5 * 3600 + 45 * 60)
    context.close()

    assert re.search(rf"\b{time.strftime('%H:%M', there)}\b", shown), shown


def test_a_slider_tries_levels_as_it_moves(site, window):
    site.send_found(QUARANTINE, ANN, subject="for the slider")
    window.goto("/overview")
    assert 0 == window.locator("#tried table").count()
    slider = window.get_by_role("slider", name="quarantine")
    slider.focus()
    for _ in range(15):
        window.keyboard.press("ArrowRight")
    window.wait_for_selector("#tried table")
    assert "6.5" == window.get_by_role("spinbutton", name="quarantine").input_value()
    row = window.locator("#tried tr", has_text="quarantined")
    assert until(lambda: row.locator("td").nth(2).inner_text() != row.locator("td").nth(1).inner_text())


def test_a_list_grows_at_its_place_and_counts_what_is_alike(site, window):
    """A flood stays one line; what is stored late goes below; what was deleted here stays deleted."""
    window.goto("/mail?q=subject:sorrel")
    assert "Nothing matches." in window.inner_text("main")
    first = site.send_found(f"{QUARANTINE} about sorrel soup", ANN, subject="sorrel")
    window.wait_for_selector(f'#rows tr[data-id="{first}"]')
    window.keyboard.press("j")
    window.keyboard.press("d")
    window.wait_for_selector(f'#rows tr.gone[data-id="{first}"]')

    def send(number):
        return site.send_found(f"{LETTER} name{number}", ANN, subject=f"sorrel {number}")

    send(1)
    window.wait_for_selector("#rows tr:not(.gone)")
    send(2)
    window.wait_for_selector("text=2 alike")
    send(3)
    window.wait_for_selector("text=3 alike")
    late = site.send_found("quarantine-me-please: pay the bill at once", ANN, subject="sorrel late")
    site.write("UPDATE msgs SET time_num = time_num - 30 WHERE mail_id = ?", late)
    window.wait_for_selector(f'#rows tr[data-id="{late}"]')
    window.wait_for_timeout(7000)

    shown = window.eval_on_selector_all("#rows tr", "all => all.map((row) => row.dataset.id)")
    assert 3 == len(shown)
    assert first in shown
    assert late == shown[-1]
