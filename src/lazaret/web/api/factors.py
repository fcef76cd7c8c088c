"""The second factor and the passkeys of one's own account, over the API, with the proof that pages ask."""

from starlette.responses import Response

from lazaret.flow.explain import rfc3339
from lazaret.model.errors import NoSuchMessage
from lazaret.web.api.account_shapes import CodeShown, FirstCode, Proof, RemovePasskey, RenamePasskey
from lazaret.web.api.calls import answer, body_of
from lazaret.web.passkey_pages import removed
from lazaret.web.problem import BadRequest
from lazaret.web.second_factor_pages import may_go, proposed
from lazaret.web.visit import Visit


async def propose_app(visit: Visit) -> Response:
    """A key for an authenticator app; the same one until a code of it is shown."""
    proposal = await proposed(visit, body_of(visit, Proof).password)
    return answer({"secret": proposal.secret, "uri": proposal.uri})


async def confirm_app(visit: Visit) -> Response:
    """From now on a code is asked for; all sessions end but the one that asks. Recovery codes."""
    wish = body_of(visit, FirstCode)
    session = "" if visit.by_token else visit.secret
    codes = await visit.office.second_factor.confirm(
        visit.person, wish.secret, wish.code, session, remote=visit.way.remote
    )
    return answer({"recovery_codes": codes})


async def new_codes(visit: Visit) -> Response:
    """Recovery codes in the place of the old ones."""
    code = body_of(visit, CodeShown).code
    codes = await visit.office.second_factor.new_codes(visit.person, code, remote=visit.way.remote)
    return answer({"recovery_codes": codes})


async def remove_app(visit: Visit) -> Response:
    """No code of an app is asked for any more; 422 where one's role must have a second factor."""
    code = body_of(visit, CodeShown).code
    if not may_go(visit):
        raise BadRequest("your role must have a second factor", 422)
    await visit.office.second_factor.remove(visit.person, code, remote=visit.way.remote)
    return answer({"done": True})


async def passkeys(visit: Visit) -> Response:
    """One's passkeys."""
    told = [
        {
            "passkey": one.name,
            "label": one.label,
            "made": rfc3339(one.created),
            "last_used": rfc3339(one.used) if one.used else None,
        }
        for one in await visit.office.store.passkeys.of(visit.person.id)
    ]
    return answer({"passkeys": told})


async def rename_passkey(visit: Visit) -> Response:
    """Calls a passkey by another name."""
    wish = body_of(visit, RenamePasskey)
    if not await visit.office.store.passkeys.rename(visit.person.id, wish.passkey, wish.label):
        raise NoSuchMessage(wish.passkey)
    return await passkeys(visit)


async def remove_passkey(visit: Visit) -> Response:
    """A passkey lets in no more; 422 for the only second factor of a role that must have one."""
    wish = body_of(visit, RemovePasskey)
    if not await removed(visit, wish.passkey, wish.password, wish.code):
        raise NoSuchMessage(wish.passkey)
    return await passkeys(visit)
