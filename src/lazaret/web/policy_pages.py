"""Who gets which levels, what holds for an address, and who set it."""

import re
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from lazaret.flow.login import who
from lazaret.flow.policy_desk import Explanation, key_of
from lazaret.flow.rights import Right
from lazaret.flow.visit import NotAllowed
from lazaret.model.errors import UserError
from lazaret.model.person import Role
from lazaret.model.policies import NamedPolicy, PolicyRow
from lazaret.policy.keys import in_words, lies_within
from lazaret.policy.settings import BESIDE, SETTINGS, meanings
from lazaret.store.policy_tables import LISTS_ONLY
from lazaret.web.render import with_query
from lazaret.web.visit import Visit

PAGE = 100
LEVELS = ("mark", "quarantine", "kill")
MOST_NAMED = 500


async def policies(visit: Visit) -> Response:
    """The policies of the database; with `address` what holds for that."""
    return await _policies(visit)


async def change(visit: Visit) -> Response:
    """Sets or takes back, for an address, a domain or everybody, or for all who have a policy of a name."""
    form, say = visit.form, visit.language
    whom, name = form.get("whom").strip(), form.get("name").strip()
    if whom == say("everybody"):
        whom = "everybody"
    notes: Sequence[str] = ()
    try:
        if form.get("act") == "remove":
            await take_back(visit, whom, [name for name in form.all("setting") if name])
        else:
            settings = _typed(visit)
            if not settings:
                return await _policies(visit, problem=say("Write at least one level."))
            if name:
                notes = await put_named(visit, name, settings)
            else:
                _, notes = await put(visit, whom, settings)
    except UserError as error:
        return await _policies(visit, problem=str(error))
    if notes:
        return await _policies(visit, notes=notes)
    return visit.go(with_query("/policies", address=whom) if "@" in whom[1:] else "/policies")


def _typed(visit: Visit) -> dict[str, str]:
    """What the form sets: the levels that are written, and one setting more."""
    form = visit.form
    found = {name: form.get(name).strip().replace(",", ".") for name in LEVELS}
    found = {name: value for name, value in found.items() if value}
    more = form.get("setting")
    # A text to put before subjects may be empty, and end with a blank.
    if more and (form.get("value") or "subject_tag" in more):
        found[more] = form.get("value")
    return found


# What pages and API have in common: each asks whether this is for whoever came.


async def put(visit: Visit, whom: str, settings: Mapping[str, str]) -> tuple[PolicyRow, list[str]]:
    """Sets what is named; the row, and what one should know about it. UserError, NotAllowed."""
    _check(visit, whom)
    if "policy" in settings:
        _check_all(visit)  # what others have, too
    return await visit.office.policies.set(whom, settings, who=who(visit.person))


async def put_named(visit: Visit, name: str, settings: Mapping[str, str]) -> list[str]:
    """Sets what is named for all who have the policy. UserError, NotAllowed."""
    _check_all(visit)
    return await visit.office.policies.set_named(name, settings, who=who(visit.person))


async def take_back(visit: Visit, whom: str, names: Sequence[str]) -> None:
    """Takes settings back, without names all of them. UserError, NotAllowed."""
    _check(visit, whom)
    await visit.office.policies.unset(whom, names, who=who(visit.person))


async def page_of(visit: Visit, limit: int, after: str) -> tuple[list[PolicyRow], str]:
    """A page of what whoever came may see, and the key after which the next begins; "" on the last."""
    rows = await visit.office.policies.page(limit=limit + 1, after=after, within=domains_of(visit))
    return rows[:limit], rows[limit - 1].key if len(rows) > limit else ""


async def named(visit: Visit) -> list[NamedPolicy]:
    """The policies by themselves: those that many have first. NotAllowed."""
    _check_all(visit)
    found = await visit.office.policies.named()
    return sorted(found, key=lambda one: -one.users)[:MOST_NAMED]


def _is_of_several(policy: NamedPolicy) -> bool:
    """Not made for one address or domain, nor for those who only have a list of senders."""
    return bool(policy.values) and (policy.users > 1 or not re.search(r"[@.]", policy.name))


async def explained(visit: Visit) -> Explanation | None:
    """What holds for the address that is asked for; None for none. UserError, NotAllowed."""
    address, sender = visit.query.get("address")[:320].strip(), visit.query.get("sender")[:320].strip()
    if not address:
        return None
    _check(visit, address)
    return await visit.office.policies.explain(address, sender=sender, within=domains_of(visit))


def domains_of(visit: Visit) -> Sequence[str] | None:
    """Of which domains whoever came sees and sets the policies; None: of all."""
    person = visit.person
    return person.domains if person.role is Role.DOMAIN_ADMIN else None


def _check(visit: Visit, whom: str) -> None:
    """UserError when that is nobody; NotAllowed when it is of a domain that whoever came has not."""
    domains = domains_of(visit)
    if domains is not None and not lies_within(key_of(whom), domains):
        raise NotAllowed(Right.LEVELS)


def _check_all(visit: Visit) -> None:
    if domains_of(visit) is not None:
        raise NotAllowed(Right.LEVELS)


async def _policies(visit: Visit, problem: str = "", notes: Sequence[str] = ()) -> Response:
    found = None
    try:
        found = await explained(visit)
    except UserError as error:
        problem = problem or str(error)
    rows, after = await page_of(visit, PAGE, visit.query.get("after")[:320])
    of_all = domains_of(visit) is None
    return visit.page(
        "policies.html",
        422 if problem else 200,
        problem=problem,
        notes=notes,
        found=found,
        address=visit.query.get("address")[:320],
        sender=visit.query.get("sender")[:320],
        rows=[(in_words(row.key), row.name, settings_of(row)) for row in rows],
        named=[(one.name, one.users, shown(one.values)) for one in await named(visit) if _is_of_several(one)]
        if of_all
        else [],
        levels=LEVELS,
        meaning=[*((name, setting.text) for name, setting in SETTINGS.items()), *BESIDE.items()],
        settings=[name for name in SETTINGS if name not in LEVELS]
        + (["local", "policy"] if of_all else ["local"]),
        older=with_query("/policies", after=after) if after else "",
        of_all=of_all,
        may_change=visit.may(Right.LEVELS),
        lists_only=LISTS_ONLY,
    )


def settings_of(row: PolicyRow) -> dict[str, str]:
    """What a row says, as a person types it."""
    found = shown(row.values)
    return found if row.local is None else found | {"local": "yes" if row.local else "no"}


def shown(values: Mapping[str, object]) -> dict[str, str]:
    """What columns say, as a person types it."""
    return {name: SETTINGS[name].show(value) for name, value in meanings(values).items()}
