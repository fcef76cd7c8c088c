"""The second factor of one's own account: set up, new recovery codes, taken away."""

import segno
from starlette.responses import Response

from lazaret.flow.login import LoginFailed
from lazaret.flow.second_factor import Proposal, same
from lazaret.model.errors import UserError
from lazaret.web.proof import prove_again, refusal, status_of
from lazaret.web.visit import Visit

_QUIET_ZONE = 4
"""White around a QR code, in its smallest squares (ISO/IEC 18004)."""


async def show(visit: Visit) -> Response:
    """What there is, or the way to it."""
    return await _page(visit)


async def change(visit: Visit) -> Response:
    """Takes the form."""
    act, code, person = visit.form.get("act"), visit.form.get("code"), visit.person
    factor, remote = visit.office.second_factor, visit.way.remote
    try:
        if act == "propose":
            return await _page(visit, proposal=await proposed(visit, visit.form.get("password")))
        if act == "confirm":
            secret = visit.form.get("secret")
            return await _page(
                visit, codes=await factor.confirm(person, secret, code, visit.secret, remote=remote)
            )
        if act == "codes":
            return await _page(visit, codes=await factor.new_codes(person, code, remote=remote))
        if act == "remove" and may_go(visit):
            await factor.remove(person, code, remote=remote)
            return visit.go("/account")
    except LoginFailed as failed:
        shown = await _shown_before(visit) if act == "confirm" else None
        return await _page(visit, proposal=shown, problem=refusal(visit, failed), status=status_of(failed))
    except UserError:
        return visit.go("/account/second-factor")
    return await _page(visit, problem=visit.language("That did not work"), status=422)


def required(visit: Visit) -> bool:
    """Whether this person must have one."""
    return visit.person.role in visit.office.config.web.require_second_factor


def is_last(visit: Visit) -> bool:
    """Whether a passkey is the only second factor of somebody who must have one."""
    return required(visit) and not visit.person.totp and visit.person.passkeys < 2


def may_go(visit: Visit) -> bool:
    """Whether he may do without the codes of an app."""
    return not required(visit) or visit.person.passkeys > 0


async def proposed(visit: Visit, password: str) -> Proposal:
    """The key for an app, for whoever shows the password: it stays the same until it is confirmed, and
    somebody who saw it before would know all codes. LoginFailed; UserError where there is an app."""
    if not visit.person.totp:
        await prove_again(visit, password, "")
    return await visit.office.second_factor.propose(visit.person)


async def _shown_before(visit: Visit) -> Proposal | None:
    """What somebody has mistyped a code of; None unless his form has its key."""
    try:
        proposal = await visit.office.second_factor.propose(visit.person)
    except UserError:
        return None
    return proposal if same(proposal.secret, visit.form.get("secret")) else None


async def _page(
    visit: Visit,
    codes: tuple[str, ...] = (),
    problem: str = "",
    status: int = 200,
    *,
    proposal: Proposal | None = None,
) -> Response:
    person, factor = visit.person, visit.office.second_factor
    return visit.page(
        "second_factor.html",
        status,
        codes=codes,
        problem=problem,
        proposal=proposal,
        picture=_picture(proposal) if proposal else "",
        left=await factor.codes_left(person) if person.totp else 0,
        required=required(visit) and not person.second_factor,
        may_go=may_go(visit),
    )


def _picture(proposal: Proposal) -> str:
    """SVG, in the page itself; black on white in the dark too, as not every camera reads it otherwise."""
    code = segno.make(proposal.uri, error="m", micro=False)
    return code.svg_inline(scale=5, border=_QUIET_ZONE, dark="#000", light="#fff", omitsize=True)
