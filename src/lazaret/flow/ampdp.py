"""Release requests in amavisd's own protocol, for the tools that exist (amavisd-release, MailZu, Modoboa)."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from lazaret.flow.abuse_report import AbuseReports
from lazaret.flow.quarantine import QuarantineDesk, Released
from lazaret.model import mail_id as ids
from lazaret.model.address import normalise
from lazaret.model.errors import LazaretError, NoSuchMessage, Reply, StoreUnavailable, UserError
from lazaret.model.quarantine import State
from lazaret.wire.ampdp import Request, encode_replies

log = logging.getLogger("lazaret.ampdp")

REPEAT_S = 600.0
"""A request that comes again within this time gets the reply that it had: a tool that lost the
connection asks again, and nobody gets the message twice. Later it is a person who wants it again."""
WRONG_SECRET_S = 2.0
"""How long a wrong secret waits for its answer."""


class Failure(LazaretError):
    """A request that cannot be served as a whole."""

    def __init__(self, text: str, *, permanent: bool = True) -> None:
        super().__init__(text)
        self.permanent = permanent


class ReleaseRequests:
    """Answers requests; one object serves all connections."""

    def __init__(
        self,
        desk: QuarantineDesk,
        *,
        secret_needed: Callable[[bool], bool],
        requeue: QuarantineDesk | None = None,
        reports: AbuseReports | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`secret_needed(over_tcp)`: whether a request must carry the secret_id.

        `requeue`: a desk that releases into the MTA's own intake, to be filtered as new mail is.
        """
        self._desk = desk
        self._requeue = requeue
        self._reports = reports
        self._secret_needed = secret_needed
        self._clock = clock

    async def answer(self, request: Request, *, over_tcp: bool) -> bytes:
        """The reply's octets: a `setreply` line per recipient, or one failure for all."""
        try:
            mail_id = await self._checked_id(request, over_tcp=over_tcp)
            written = _written(request, mail_id)
            if request.get("request") == "report":
                replies = await self._report(request, written, over_tcp=over_tcp)
            else:
                replies = await self._release(request, written, over_tcp=over_tcp)
        except Failure as e:
            return _failed(e)
        except (NoSuchMessage, UserError) as e:
            return _failed(Failure(str(e)))
        except StoreUnavailable as e:
            log.error("release request: database: %s", e)
            return _failed(Failure("the database does not answer", permanent=False))
        except Exception:
            log.exception("release request")
            return _failed(Failure("internal error", permanent=False))
        return encode_replies(replies)

    async def _checked_id(self, request: Request, *, over_tcp: bool) -> str:
        wanted = request.get("request")
        if wanted != "release" and {"requeue": self._requeue, "report": self._reports}.get(wanted) is None:
            raise Failure(f"request {wanted!r} is not served here")
        mail_id, secret_id = request.get("mail_id"), request.get("secret_id")
        if not mail_id:
            raise Failure("Missing 'mail_id' field")
        if not ids.is_valid(mail_id):
            raise Failure(f"Invalid mail_id {mail_id!r}")
        if not secret_id and self._secret_needed(over_tcp):
            raise Failure("Secret_id is required, but missing")
        if secret_id and not ids.matches(mail_id, secret_id):
            log.warning("release request for %s with a wrong secret_id", mail_id)
            await asyncio.sleep(WRONG_SECRET_S)
            raise Failure(f"Secret_id does not match mail_id {mail_id}")
        return mail_id

    async def _release(self, request: Request, mail_id: str, *, over_tcp: bool) -> list[Reply]:
        to = [_bare(r) for r in request.all("recipient")]
        if over_tcp and to:
            await self._check_stored(mail_id, to)
        who = _who(over_tcp=over_tcp)
        requested_by = _bare(request.get("requested_by"))
        desk = self._requeue if request.get("request") == "requeue" and self._requeue else self._desk
        released = await desk.release(mail_id, who=who, to=to, outside=True, requested_by=requested_by)
        later = [r.recipient for r in released if self._is_asked_anew(r)]
        if later:
            anew = await desk.release(
                mail_id, who=who, to=later, again=True, outside=True, requested_by=requested_by
            )
            released = _merged(released, anew)
        return [_reply(r) for r in released]

    async def _report(self, request: Request, mail_id: str, *, over_tcp: bool) -> list[Reply]:
        """Sends the message as an abuse report. Whoever reaches a port sends nothing out into the world."""
        if over_tcp:
            raise Failure("reports are sent for requests on the Unix socket alone")
        assert self._reports is not None  # or the request would not be served
        to = [_bare(r) for r in request.all("recipient")]
        answers = await self._reports.send(mail_id, to, who=_who(over_tcp=over_tcp))
        return [answer.reply for answer in answers]

    async def _check_stored(self, mail_id: str, to: Sequence[str]) -> None:
        """Whoever reaches the port may give a message to those it was for, and to nobody else."""
        detail = await self._desk.show(mail_id)
        stored = {normalise(c.address) for c in detail.item.copies}
        for address in to:
            if normalise(address) not in stored:
                raise Failure(f"{address} is no recipient of {mail_id}")

    def _is_asked_anew(self, released: Released) -> bool:
        too_old = self._clock() - released.at > REPEAT_S
        return not released.sent and released.state is State.RELEASED and too_old


def _who(*, over_tcp: bool) -> str:
    return f"AM.PDP{' over TCP' if over_tcp else ''}"


def _bare(address: str) -> str:
    return address.strip().removeprefix("<").removesuffix(">")


def _written(request: Request, mail_id: str) -> str:
    """The id as people write it when a partition is named: `ID[TAG]`."""
    tag = request.get("partition_tag")
    return f"{mail_id}[{tag}]" if tag.isascii() and tag.isdigit() else mail_id


def _merged(first: Sequence[Released], anew: Sequence[Released]) -> tuple[Released, ...]:
    by_recipient = {r.recipient: r for r in anew}
    return tuple(by_recipient.get(r.recipient, r) for r in first)


def _reply(released: Released) -> Reply:
    """What was answered; a repeat gets the words of the first time."""
    if released.sent:
        return released.reply
    if released.state is State.RELEASED and released.response:
        return Reply.parse(released.response)
    return Reply(450, "4.5.0", released.reply.text)


def _failed(failure: Failure) -> bytes:
    if failure.permanent:
        reply, fate, status = Reply(550, "5.5.0", f"Failure: {failure}"), "reject", "69"
    else:
        reply, fate, status = Reply(450, "4.5.0", f"Failure: {failure}"), "tempfail", "75"
    return encode_replies([reply], [("return_value", fate), ("exit_code", status)])
