"""One's own account: language, password, sessions, tokens."""

from dataclasses import replace

from starlette.responses import Response

from lazaret.flow.login import LoginFailed, who
from lazaret.flow.login import digest as digest_of
from lazaret.model.errors import UserError
from lazaret.model.language import languages
from lazaret.model.session import name_of
from lazaret.web.proof import prove_again, refusal, status_of
from lazaret.web.visit import Visit

SCOPE_WORDS = {
    "read": "lists, and what is known of a message",
    "bodies": "texts and downloads",
    "act": "release, delete, teach, allow and block senders",
    "figures": "overview and rules",
    "admin": "people, policies, the record of acts",
    "account": "one's own account: language, password, sessions, tokens",
}
"""What a token with this scope is for."""
EX_DATAERR = 65


async def account(visit: Visit) -> Response:
    """The page."""
    return await _account(visit)


async def settings(visit: Visit) -> Response:
    """Takes one of the forms of the account."""
    form, doorkeeper = visit.form, visit.office.doorkeeper
    act = form.get("act")
    if act == "language" and form.get("language") in ("", *languages()):
        await choose_language(visit, form.get("language"))
    elif act == "password":
        return await _password(visit)
    elif act == "token":
        return await _token(visit)
    elif act == "token-remove":
        await visit.office.store.tokens.remove(visit.person.id, form.get("token"), who=who(visit.person))
    elif act == "session-end":
        await doorkeeper.end_session(visit.person, form.get("session"))
    elif act == "sessions-end":
        await doorkeeper.end_others(visit.person, visit.secret)
    else:
        return await _account(visit, problem=visit.language("That did not work"))
    return visit.go("/account")


async def choose_language(visit: Visit, code: str) -> None:
    """The language of all pages for whoever came; "": as his browser asks. UserError."""
    if code not in ("", *languages()):
        raise UserError(f"there is no language {code!r} here", EX_DATAERR)
    people = visit.office.store.people
    # Not the person of this session: what a provider says of him is no property of the account.
    account = await people.named(visit.person.name)
    if account is not None:
        await people.change(replace(account, language=code), who=who(visit.person))


def current(visit: Visit) -> str:
    """The name of the session that asks; "" for a program with a token."""
    return "" if visit.by_token else name_of(digest_of(visit.secret))


async def _password(visit: Visit) -> Response:
    form, say = visit.form, visit.language
    if form.get("new") != form.get("again"):
        return await _account(visit, problem=say("The two passwords differ."))
    try:
        await visit.office.doorkeeper.change_password(
            visit.person, form.get("old"), form.get("new"), remote=visit.way.remote
        )
    except UserError as error:
        return await _account(visit, problem=str(error))
    except LoginFailed as failed:
        problem = refusal(visit, failed) if failed.wait_s else say("The old password is wrong.")
        return await _account(visit, problem=problem, status=status_of(failed))
    return visit.go("/login")


async def _token(visit: Visit) -> Response:
    form = visit.form
    try:
        await prove_again(visit, form.get("password"), form.get("code"))
        token = await visit.office.tokens.make(
            visit.person, form.get("label")[:64], form.all("scope"), days=_days(form.get("days"))
        )
    except LoginFailed as failed:
        return await _account(visit, problem=refusal(visit, failed), status=status_of(failed))
    except UserError as error:
        return await _account(visit, problem=str(error))
    return await _account(visit, token=token)


def _days(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 5 else 0


async def _account(visit: Visit, problem: str = "", token: str = "", status: int = 422) -> Response:
    tokens = await visit.office.store.tokens.of(visit.person.id)
    return visit.page(
        "account.html",
        status if problem else 200,
        problem=problem,
        token=token,
        tokens=tokens,
        makers={one.name: one.label for one in tokens},
        sessions=await visit.office.doorkeeper.sessions(visit.person),
        current=current(visit),
        scopes=SCOPE_WORDS,
        languages=list(languages()),
    )
