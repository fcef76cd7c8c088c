"""One's own account, over the API."""

from starlette.responses import Response

from lazaret.flow.explain import rfc3339
from lazaret.flow.login import who
from lazaret.model.errors import NoSuchMessage
from lazaret.model.language import languages
from lazaret.model.session import name_of
from lazaret.web.account_pages import choose_language, current
from lazaret.web.api.account_shapes import EndSession, LanguageWish, NewPassword, NewToken, RemoveToken
from lazaret.web.api.calls import answer, body_of
from lazaret.web.proof import prove_again
from lazaret.web.second_factor_pages import required
from lazaret.web.visit import Visit


async def account(visit: Visit) -> Response:
    """Language, and by what one comes in."""
    person = visit.person
    factor = {
        "app": person.totp,
        "recovery_codes": await visit.office.second_factor.codes_left(person) if person.totp else 0,
        "passkeys": person.passkeys,
        "required": required(visit),
    }
    return answer(
        {
            "name": person.name,
            "role": str(person.role),
            "language": person.language,
            "languages": sorted(languages()),
            "has_password": person.has_password,
            "single_sign_on": person.single_sign_on,
            "made": rfc3339(person.created),
            "last_login": _when(person.last_login),
            "second_factor": factor,
        }
    )


async def account_language(visit: Visit) -> Response:
    """Chooses the language of one's pages."""
    await choose_language(visit, body_of(visit, LanguageWish).language)
    return answer({"done": True})


async def account_password(visit: Visit) -> Response:
    """Sets a new password; all sessions end. A wrong old one counts as a failed login does."""
    wish = body_of(visit, NewPassword)
    await visit.office.doorkeeper.change_password(visit.person, wish.old, wish.new, remote=visit.way.remote)
    return answer({"done": True})


async def sessions(visit: Visit) -> Response:
    """Where one is logged in."""
    own = current(visit)
    found = await visit.office.doorkeeper.sessions(visit.person)
    told = [
        {
            "session": one.name,
            "begun": rfc3339(one.begun),
            "last_used": rfc3339(one.seen),
            "remote": one.remote,
            "current": one.name == own,
        }
        for one in found
    ]
    return answer({"sessions": told})


async def end_session(visit: Visit) -> Response:
    """Ends one session, or all but the one that asks."""
    wish, doorkeeper = body_of(visit, EndSession), visit.office.doorkeeper
    if wish.session is None:
        await doorkeeper.end_others(visit.person, "" if visit.by_token else visit.secret)
    elif not await doorkeeper.end_session(visit.person, wish.session):
        raise NoSuchMessage(wish.session)
    return await sessions(visit)


async def tokens(visit: Visit) -> Response:
    """One's tokens."""
    own = name_of(visit.token.digest) if visit.token else ""
    told = [
        {
            "token": one.name,
            "label": one.label,
            "scopes": list(one.scopes),
            "made": rfc3339(one.created),
            "expires": _when(one.expires),
            "last_used": _when(one.seen),
            "current": one.name == own,
            "made_by": one.maker or None,
        }
        for one in await visit.office.store.tokens.of(visit.person.id)
    ]
    return answer({"tokens": told})


async def make_token(visit: Visit) -> Response:
    """Makes a token; one that asks gives no more than it has, no longer, and takes it along when it ends."""
    wish = body_of(visit, NewToken)
    if not visit.by_token:
        await prove_again(visit, wish.password, wish.code)
    made = await visit.office.tokens.make(
        visit.person, wish.label, wish.scopes, days=wish.days or 0, by=visit.token
    )
    return answer({"token": made})


async def remove_token(visit: Visit) -> Response:
    """Ends one of one's tokens, and those that it made."""
    name = body_of(visit, RemoveToken).token
    if not await visit.office.store.tokens.remove(visit.person.id, name, who=who(visit.person)):
        raise NoSuchMessage(name)
    return await tokens(visit)


def _when(at: float) -> str | None:
    """A time; null for 0, which says: never."""
    return rfc3339(at) if at else None
