"""How one recipient is told of his quarantine: on which days, at which hours, in which language, of what."""

from collections.abc import Sequence

from starlette.responses import Response

from lazaret.config import words
from lazaret.config.problems import Unfit
from lazaret.flow.rights import Right
from lazaret.model.address import normalise
from lazaret.model.digest import Interval, Told, Wish
from lazaret.model.errors import NoSuchMessage, UserError
from lazaret.model.language import Language, languages
from lazaret.web.visit import Visit


async def settings(visit: Visit) -> Response:
    """The page, for one of his own addresses."""
    return await shown(visit, of_address(visit, visit.query.get("address")), _here(visit))


async def change(visit: Visit) -> Response:
    """Takes the form."""
    address = of_address(visit, visit.form.get("address"))
    return await saved(visit, address, _here(visit), who=f"web:{visit.person.name}")


async def shown(
    visit: Visit,
    address: str,
    action: str,
    *,
    problem: str = "",
    done: bool = False,
    wish: Wish | None = None,
) -> Response:
    """The form; it is sent to `action`. `wish`: what was chosen and could not be taken."""
    return visit.page(
        "digest.html",
        422 if problem else 200,
        address=address,
        others=[a for a in _addresses(visit) if a != address],
        action=action,
        wish=wish or await visit.office.digests.wish(address) if address else Wish(),
        intervals=tuple(Interval),
        categories=tuple(Told),
        codes=sorted(languages()),
        enabled=visit.office.config.digest.enabled,
        problem=problem,
        done=done,
    )


async def saved(visit: Visit, address: str, action: str, *, who: str) -> Response:
    """Takes what was chosen for this address, or goes back to what holds for everybody."""
    try:
        wish = None if visit.form.get("act") == "default" else _chosen(visit)
        await visit.office.digests.choose(address, wish, who=who)
    except (UserError, Unfit) as error:
        return await shown(visit, address, action, problem=str(error))
    return await shown(visit, address, action, done=True)


def _chosen(visit: Visit) -> Wish:
    """What the form says. Unfit for a value that no form of ours has."""
    form = visit.form
    try:
        hours = [int(hour) for hour in form.all("hour")]
    except ValueError:
        raise Unfit("there is no such choice") from None
    return checked(
        interval=form.get("interval"),
        hours=hours,
        time_zone=form.get("time_zone").strip(),
        language=form.get("language"),
        categories=form.all("category"),
        say=visit.language,
    )


def checked(
    *,
    interval: str,
    hours: Sequence[int],
    time_zone: str,
    language: str,
    categories: Sequence[str],
    say: Language,
) -> Wish:
    """What was chosen. Unfit for what cannot be."""
    try:
        wish = Wish(
            interval=Interval(interval),
            hours=tuple(sorted(set(hours))),
            time_zone=words.time_zone(time_zone),
            language=words.language(language),
            categories=tuple(told for told in Told if told in categories),
        )
    except ValueError:
        raise Unfit("there is no such choice") from None
    if not set(hours) <= set(range(24)):
        raise Unfit("a day has the hours 0 to 23")
    if wish.interval is not Interval.NEVER and not hours:
        raise Unfit(say("Choose an hour at least, or no digest."))
    return wish


def _here(visit: Visit) -> str:
    return visit.url("/digest")


def _addresses(visit: Visit) -> tuple[str, ...]:
    return tuple(map(normalise, visit.person.addresses)) if visit.at_desk is not None else ()


def of_address(visit: Visit, wish: str) -> str:
    """The address that is asked for, when it is one that he may see the mail of; else his first one.

    NoSuchMessage for another: whether there is such an address is nothing that he is told.
    """
    own = _addresses(visit)
    if not wish:
        return own[0] if own else ""
    address = normalise(wish)
    sees = visit.may(Right.REDIRECT) and visit.person.sight.covers(address)
    if address not in own and not sees:
        raise NoSuchMessage(address)
    return address
