"""The web application: health, figures, and a page that says whether all is well."""

import base64
import hashlib
from importlib.resources import files
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lazaret import __version__

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health(Protocol):
    """What the application asks about the service."""

    async def ready(self) -> list[str]:
        """What is missing, in words; empty when all is well."""

    def figures(self) -> dict[str, float]:
        """Copies by fate since the start."""

    def metrics(self) -> bytes:
        """All figures in Prometheus' text format."""


def create_app(health: Health) -> ASGIApp:
    """The application; it keeps nothing, so that it may be killed at any time."""
    style = files("lazaret.web").joinpath("templates/style.css").read_text("utf-8")
    pages = Environment(
        loader=PackageLoader("lazaret.web"), autoescape=select_autoescape(), undefined=StrictUndefined
    )

    async def home(request: Request) -> Response:
        missing = await health.ready()
        page = pages.get_template("home.html").render(
            version=__version__, missing=missing, figures=health.figures(), style=style
        )
        return HTMLResponse(page)

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        missing = await health.ready()
        if missing:
            return PlainTextResponse("".join(f"{line}\n" for line in missing), status_code=503)
        return PlainTextResponse("ok\n")

    async def metrics(request: Request) -> Response:
        return Response(health.metrics(), media_type=METRICS_TYPE)

    application = Starlette(
        routes=[
            Route("/", home),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )
    return SecureHeaders(application, style)


class SecureHeaders:
    """Puts the same strict headers on every response, errors included."""

    def __init__(self, application: ASGIApp, style: str) -> None:
        digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
        self._application = application
        self._headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._application(scope, receive, send_with_headers)
