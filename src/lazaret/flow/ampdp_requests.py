"""Whatever is asked over AM.PDP, to whom it belongs."""

from lazaret.flow.ampdp import ReleaseRequests
from lazaret.flow.content_check import ContentChecks
from lazaret.wire.ampdp import Request, encode

CHECK = "AM.PDP"
"""`request=` of a content check, as amavisd-milter writes it."""
ACCESS_POLICY = "smtpd_access_policy"
"""Postfix' question about a client, which amavisd always answers with "no opinion"."""


class AmpdpRequests:
    """Answers requests; one object serves all connections."""

    def __init__(self, releases: ReleaseRequests, checks: ContentChecks) -> None:
        self._releases = releases
        self.checks = checks

    async def answer(self, request: Request, *, over_tcp: bool) -> bytes:
        """The reply's octets. Never an exception: what goes wrong is a reply too."""
        wanted = request.get("request")
        if wanted == CHECK:
            return await self.checks.answer(request, over_tcp=over_tcp)
        if wanted == ACCESS_POLICY:
            return encode([("action", "DUNNO")])
        return await self._releases.answer(request, over_tcp=over_tcp)
