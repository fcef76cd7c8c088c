"""A browser without scripts: cookies, forms, redirects; enough for pages that work without JavaScript."""

import html
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any


@dataclass(frozen=True)
class Seen:
    """What the server said in the end."""

    status: int
    headers: Message
    octets: bytes
    url: str

    @property
    def text(self) -> str:
        return self.octets.decode()

    @property
    def words(self) -> str:
        """The text of the page without its tags, blanks folded."""
        bare = re.sub(r"<(style|script|head)\b.*?</\1>", " ", self.text, flags=re.S)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())

    @property
    def json(self) -> Any:
        return json.loads(self.octets)

    @property
    def path(self) -> str:
        parts = urllib.parse.urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def field(self, name: str) -> str:
        """The value of the first hidden field of this name."""
        found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name} in {self.words[:300]}"
        return html.unescape(found[1])


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Browser:
    """One person at one computer."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies = CookieJar()
        jar = urllib.request.HTTPCookieProcessor(self.cookies)
        self._follow = urllib.request.build_opener(jar)
        self._stay = urllib.request.build_opener(jar, _Stay())
        self.csrf = ""

    def get(self, path: str, *, follow: bool = True, **headers: str) -> Seen:
        return self._open("GET", path, None, headers, follow)

    def post(
        self, path: str, fields: Any = (), *, follow: bool = True, csrf: str | None = None, **headers: str
    ) -> Seen:
        """Sends a form, with the token of the last page unless another is given."""
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        token = self.csrf if csrf is None else csrf
        if token:
            pairs.append(("csrf", token))
        return self._open("POST", path, urllib.parse.urlencode(pairs).encode(), headers, follow)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Seen:
        """A request of a program, with JSON."""
        octets = None if body is None else json.dumps(body).encode()
        if octets is not None:
            headers = {"Content-Type": "application/json"} | headers
        return self._open(method, path, octets, headers, follow=False)

    def _open(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], follow: bool
    ) -> Seen:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.origin + path, body, named, method=method)
        opener = self._follow if follow else self._stay
        try:
            with opener.open(request, timeout=20) as response:
                seen = Seen(response.status, response.headers, response.read(), response.url)
        except urllib.error.HTTPError as error:
            with error:
                seen = Seen(error.code, error.headers, error.read(), error.url)
        if b'name="csrf"' in seen.octets:
            self.csrf = seen.field("csrf")
        return seen

    def log_in(self, name: str, password: str) -> Seen:
        self.get("/login")
        return self.post("/login", {"name": name, "password": password, "next": "/"})
