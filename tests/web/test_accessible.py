"""WCAG 2.2 AA, as far as a machine can see it (axe-core), on every page, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.support.installation import ANN, MARK, QUARANTINE
from tests.web.conftest import PASSWORD

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    "/",
    "/login",
    "/mail",
    "/mail?q=nothing+here",
    "/mail?in=history",
    "/mail?each=1",
    "/mail/{id}",
    "/overview",
    "/overview?mark=2&quarantine=4&kill=9",
    "/rules",
    "/audit?check=1",
    "/people",
    "/policies?address=ann@home.example&sender=x@out.example",
    "/searches",
    "/account",
    "/account/second-factor",
    "/account/passkeys",
    "/lists",
    "/digest",
    "/requests",
    "/mail/unknown",
    "/mail?q=score:many",
    "/login?invite=unknown",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_keeps_anybody_out(site, chromium, admin, path, scheme):
    site.send(MARK, ANN)
    header = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    body = (
        f"--b\r\n\r\n{QUARANTINE}\r\n--b\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n--b--\r\n"
    )
    mail_id = site.send_found(body, ANN, subject="for everybody to read", header=header)
    # Rules of axe-core are put into the page as a script, which our policy forbids.
    context = chromium.new_context(base_url=site.origin, color_scheme=scheme, bypass_csp=True)
    if path not in ("/", "/login"):
        context.add_cookies([{"name": c.name, "value": c.value, "url": site.origin} for c in admin.cookies])
    page = context.new_page()
    page.goto(path.replace("{id}", mail_id))
    page.eval_on_selector_all("main details", "all => all.forEach(one => { one.open = true; })")
    found = violations(page)
    context.close()

    assert [] == found


def violations(page):
    """What axe-core finds: rule, and where."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}, "iframes": False})
    return [(v["id"], [n["html"][:150] for n in v["nodes"]][:3]) for v in found.response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neither_does_a_page_that_comes_after_a_form(site, chromium, scheme):
    """What nobody can open by its address: acts and their results, an invitation, a wrong password."""
    browser = site.person(f"careful-{scheme}@home.example")
    for number in (1, 2):
        site.send_found(QUARANTINE, f"careful-{scheme}@home.example", subject=f"number {number}")
    invitation = site.invite(f"later-{scheme}@home.example")
    context = chromium.new_context(base_url=site.origin, color_scheme=scheme, bypass_csp=True)
    context.add_cookies([{"name": c.name, "value": c.value, "url": site.origin} for c in browser.cookies])
    page, found = context.new_page(), {}

    def look(name):
        found[name] = violations(page)

    page.goto("/mail")
    page.click("button[value=all]")
    look("all that were found")
    page.goto("/mail?each=1")
    page.check("input[name=id] >> nth=0")
    page.click("button[value=delete]")
    page.wait_for_selector("main")
    look("after a deletion")
    page.goto("/account")
    page.click("form:has(input[value=token]) button, form:has(button[value=token]) button")
    look("a token")
    page.goto("/account/second-factor")
    page.fill("#password", PASSWORD)
    page.click("button[value=propose]")
    page.wait_for_selector(".qr")
    look("a key as a picture")
    context.clear_cookies()
    page.goto(invitation)
    look("an invitation")
    page.goto("/login")
    page.fill("[name=name]", "nobody")
    page.fill("[name=password]", "wrong wrong wrong")
    page.click("button:has-text('Sign in')")
    look("a wrong password")
    context.close()

    assert {} == {name: wrong for name, wrong in found.items() if wrong}
    assert 6 == len(found)
