"""One request of one person: what a page needs to know, and how it answers."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lazaret.flow.rights import Right
from lazaret.flow.tokens import Held
from lazaret.flow.visit import Visitor
from lazaret.model.language import Language
from lazaret.model.person import Person
from lazaret.web.edge import Way
from lazaret.web.form import Form, parsed
from lazaret.web.office import Office
from lazaret.web.render import Pages

_OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")


MENU = (
    ("/mail", "Quarantine", Right.FIND),
    ("/requests", "Requests", Right.DECIDE),
    ("/digest", "Digest", Right.DIGEST),
    ("/lists", "Senders", Right.LISTS),
    ("/overview", "Overview", Right.FIGURES),
    ("/rules", "Rules", Right.FIGURES),
    ("/policies", "Policies", Right.POLICIES),
    ("/people", "People", Right.PEOPLE),
    ("/audit", "Record", Right.AUDIT),
)
"""The pages of the bar: path, name, and what one must be allowed to."""


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A page of the bar."""

    path: str
    label: str
    current: bool


@dataclass
class Visit:
    """Made by the door for each request; `visitor` is the only way to messages."""

    request: Request
    office: Office
    pages: Pages
    language: Language
    secret: str
    """What the cookie holds: of the session, or before the login of the visit."""
    at_desk: Visitor | None = None
    body: bytes = b""
    """What was sent, of a request to the API."""
    token: Held | None = None
    """What a program shows in the place of a session."""
    form: Form = field(default_factory=lambda: Form({}))

    @property
    def by_token(self) -> bool:
        """A program asks."""
        return self.token is not None

    @property
    def visitor(self) -> Visitor:
        """Who came in; a page that is open to all has none."""
        assert self.at_desk is not None
        return self.at_desk

    @property
    def person(self) -> Person:
        return self.visitor.person

    @property
    def way(self) -> Way:
        way: Way = self.request.scope["way"]
        return way

    @property
    def csrf(self) -> str:
        """What a form must carry. Who cannot read the cookie cannot know it."""
        return hashlib.sha256(b"csrf:" + self.secret.encode()).hexdigest()

    @cached_property
    def query(self) -> Form:
        """The query string."""
        return parsed(self.request.scope["query_string"])

    def path(self, name: str) -> str:
        """A piece of the path."""
        return str(self.request.path_params[name])

    def may(self, right: Right) -> bool:
        """Whether whoever came may do that."""
        return self.at_desk is not None and self.at_desk.may(right)

    def menu(self) -> list[MenuEntry]:
        """The pages that whoever came may see."""
        here = self.request.url.path
        return [
            MenuEntry(path, label, here == path or here.startswith(path + "/"))
            for path, label, right in MENU
            if self.may(right)
        ]

    def url(self, path: str) -> str:
        """A path of ours as the browser asks for it."""
        return self.way.prefix + path

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A page; every template knows `visit`."""
        return HTMLResponse(self.pages.render(template, self.language, values | {"visit": self}), status)

    def go(self, path: str) -> Response:
        """To another page of ours, after something was done."""
        return RedirectResponse(self.url(path), 303)

    def own_path(self, wish: str) -> str:
        """A path that somebody asks to be led to, when it is one of ours; else the first page."""
        return wish if _OWN_PATH.fullmatch(wish) and len(wish) < 2000 else "/"
