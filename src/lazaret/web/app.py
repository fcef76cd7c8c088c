"""The web application: the table of routes behind the door, and what stands before all of it."""

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from lazaret import app
from lazaret.config.options import Config
from lazaret.rules.ruleset import RuleSet
from lazaret.store.opening import Store
from lazaret.web.door import route
from lazaret.web.edge import Edge
from lazaret.web.headers import SecureHeaders
from lazaret.web.office import Health, Office
from lazaret.web.render import Pages
from lazaret.web.routes import PAGES


class WebSite:
    """The application (ASGI); it keeps nothing, so that it may be killed at any time."""

    def __init__(self, config: Config, store: Store, health: Health, ruleset: RuleSet | None = None) -> None:
        self._office = Office.open(config, store, health, ruleset)
        pages = Pages()
        application = Starlette(routes=[route(page, self._office, pages) for page in PAGES])
        edge = Edge(application, config, app.site_of(config).hostname)
        self._application = SecureHeaders(edge, pages.style)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)

    async def begin(self) -> None:
        """What is to be done once before people come: nothing that they would have to wait for."""
        await self._office.second_factor.seal_old()

    async def close(self) -> None:
        """Ends connections and threads; the store stays its opener's to close."""
        await self._office.close()


def create_app(config: Config, store: Store, health: Health, ruleset: RuleSet | None = None) -> WebSite:
    """The application over an open store; without a `ruleset` it is loaded when somebody teaches."""
    return WebSite(config, store, health, ruleset)
