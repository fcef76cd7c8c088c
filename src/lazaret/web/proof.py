"""Proof once more: whoever finds an open session is not to make himself a key that outlives it."""

import math

from lazaret.flow.login import LoginFailed, Refusal
from lazaret.web.visit import Visit


async def prove_again(visit: Visit, password: str, code: str) -> None:
    """By a code of the app where there is one, else by the password; wrong ones count as at the login.

    Whoever comes in otherwise, by a provider or a mail, has neither: he must just have come in. LoginFailed.
    """
    person, remote = visit.person, visit.way.remote
    if person.totp:
        await visit.office.second_factor.check(person, code, remote=remote)
    elif person.has_password:
        await visit.office.doorkeeper.prove(person.name, password, remote=remote)
    else:
        await visit.office.doorkeeper.check_fresh(person, "" if visit.by_token else visit.secret)


def refusal(visit: Visit, failed: LoginFailed) -> str:
    """What to say about a password or a code that was not taken."""
    if failed.wait_s:
        return visit.language.many(
            "Too many attempts failed. Try again in {n} minute.",
            "Too many attempts failed. Try again in {n} minutes.",
            math.ceil(failed.wait_s / 60),
        )
    if failed.why is Refusal.STALE:
        return visit.language("You came in too long ago for this. Sign out, and in again.")
    if failed.why is not Refusal.CODE:
        return visit.language("The password is wrong.")
    return visit.language(
        "This code is wrong, or was used already. The app shows a new one every half minute."
    )


def status_of(failed: LoginFailed) -> int:
    """Of the page that says so."""
    return 429 if failed.wait_s else 403
