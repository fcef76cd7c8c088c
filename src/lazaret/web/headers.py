"""The same strict header fields on every response, errors included."""

import base64
import hashlib

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SecureHeaders:
    """Adds what a response does not say itself; only a frame with a mail has a stricter policy of its own."""

    def __init__(self, application: ASGIApp, style: str) -> None:
        self._application = application
        self._headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src {source_of(style)} 'self'; "
            "script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._application(scope, receive, send_with_headers)


def source_of(text: str) -> str:
    """An inline style or script as a policy names it."""
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
