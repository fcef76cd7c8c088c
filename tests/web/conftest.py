"""A running service with a web page, and a way to ask it."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from tests.support.installation import Installation, hop_beside
from tests.support.next_hop import Hop
from tests.support.ports import free_ports
from tests.web.browser import Browser


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Message
    text: str


PASSWORD = "four words for tests"


class Site(Installation):
    """An installation whose page can be asked for."""

    hop: Hop
    """Where mail goes from it."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    def invite(self, name: str, *options: str) -> str:
        """The path of the link that `lazaret user add` prints."""
        status, lines = self.on_terminal("user", "add", name, *options)
        assert 0 == status, lines
        link = "".join(lines)
        assert link.startswith(f"http://localhost:{self.http}/login?invite="), lines
        return link.removeprefix(f"http://localhost:{self.http}")

    def browser(self) -> Browser:
        """Nobody yet."""
        return Browser(self.origin)

    def person(self, name: str, *options: str) -> Browser:
        """Somebody who was invited and came in."""
        browser = self.browser()
        link = self.invite(name, *options)
        browser.get(link)
        fields = {"invite": link.partition("=")[2], "password": PASSWORD, "again": PASSWORD}
        assert 200 == browser.post("/login", fields).status
        return browser

    def get(self, path: str, method: str = "GET", within_s: float = 10) -> Answer:
        """One request; errors are answers too."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=within_s) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with two workers; tests only read, and send mail."""
    ports = free_ports(2)
    yield from running(tmp_path_factory.mktemp("site"), *ports)


@pytest.fixture
def own_site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A service that a test may damage."""
    yield from running(tmp_path, free_port(), free_port())


@pytest.fixture
def strict_site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A service whose admins need a second factor."""
    yield from running(tmp_path, free_port(), free_port(), 'require_second_factor = ["admin"]\n')


@pytest.fixture
def careful_site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A service whose users ask for every release, and whose domain admins do so for viruses."""
    rights = """\
[rights]
user = ["preview", "request", "block"]
user_virus = []
user_banned = []
domain_admin_virus = ["request"]
"""
    yield from running(tmp_path, free_port(), free_port(), rights)


@pytest.fixture
def closed_site(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Site]:
    """A service that a test starts itself, and starts again."""
    with hop_beside() as hop:
        yield _configured(tmp_path, hop, free_port(), free_port())


def running(home: Path, smtp: int, http: int, web: str = "") -> Iterator[Site]:
    with hop_beside() as hop:
        site = _configured(home, hop, smtp, http, web)
        with site.service():
            yield site
        # What a test does in a hurry, nobody does by hand.
        assert "requests_per_minute" in web or "too many requests: " not in site.log()


def _configured(home: Path, hop: Hop, smtp: int, http: int, web: str = "") -> Site:
    site = Site(home, next_hop=hop.at.endpoint.port, smtp=smtp, http=http)
    config = site.file.read_text().replace("count = 1", "count = 2")
    site.file.write_text(f'{config}[web]\nurl = "http://127.0.0.1:{http}"\n{web}')
    site.hop = hop
    return site


@pytest.fixture(scope="session")
def admin(site: Site) -> Browser:
    """An admin who is logged in."""
    return site.person("chief@home.example", "--admin")


@pytest.fixture(scope="session")
def ann(site: Site) -> Browser:
    """A user with one address."""
    return site.person("ann@home.example")


@pytest.fixture(scope="session")
def bob(site: Site) -> Browser:
    """Another one."""
    return site.person("bob@home.example")


@pytest.fixture(scope="session")
def auditor(site: Site) -> Browser:
    """Somebody who sees figures, and no text."""
    return site.person("auditor", "--auditor")


CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real Chromium without a window, for one file: while it is open no other event loop can run."""
    if not Path(CHROMIUM).exists():
        pytest.skip("the Debian package chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Any, site: Site, admin: Browser) -> Iterator[Any]:
    """A window in which the admin is logged in; what goes wrong in it fails the test."""
    yield from _window(chromium, site, admin, javascript=True)


@pytest.fixture
def plain_window(chromium: Any, site: Site, admin: Browser) -> Iterator[Any]:
    """The same without JavaScript."""
    yield from _window(chromium, site, admin, javascript=False)


def _window(chromium: Any, site: Site, admin: Browser, *, javascript: bool) -> Iterator[Any]:
    context = chromium.new_context(base_url=site.origin, java_script_enabled=javascript, locale="en-GB")
    cookies = [{"name": c.name, "value": c.value, "url": site.origin} for c in admin.cookies]
    context.add_cookies(cookies)
    context.set_default_timeout(15_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert [] == wrong
