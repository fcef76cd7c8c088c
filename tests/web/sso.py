"""A site beside an OpenID provider, and the way through it without a browser."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from tests.support.openid_provider import provider
from tests.support.ports import free_ports
from tests.web.conftest import Site, running


def beside(home: Path, people: Sequence[dict[str, object]], more: str = "") -> Iterator[Site]:
    """A running site; `site.issuer` is the provider, which knows these people."""
    smtp, http, idp = free_ports(3)
    secret = home / "client.secret"
    secret.write_text("s/cret\n")
    secret.chmod(0o600)
    with provider(idp, *map(json.dumps, people)) as issuer:
        section = f"""
[oidc]
issuer = "{issuer}"
client_id = "lazaret"
client_secret_file = "{secret}"
name = "Office Login"
create_for = ["home.example"]
{more}
"""
        for site in running(home, smtp, http, section):
            site.issuer = issuer
            yield site


def at_provider(browser, subject, path="/login/oidc?next=/account"):
    """The address to which the provider sends somebody back who has chosen who he is."""
    there = browser.get(path, follow=False)
    assert 303 == there.status
    url = there.headers["Location"]
    page = browser._stay.open  # the provider sees no cookie of ours: another host would be another jar
    try:
        page(url, data=urlencode({"sub": subject}).encode(), timeout=20)
    except Exception as redirected:
        return redirected.headers["Location"]
    raise AssertionError("the provider sent nobody back")


def path_of(site, url):
    assert url.startswith(site.origin + "/login/oidc/return?"), url
    return url.removeprefix(site.origin)


def come(site, subject):
    browser = site.browser()
    return browser, browser.get(path_of(site, at_provider(browser, subject)))
