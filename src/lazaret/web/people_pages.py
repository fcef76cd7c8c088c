"""Who may come in, and what was done."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.responses import Response

from lazaret.flow.login import plain_name, who
from lazaret.model import address
from lazaret.model.errors import UserError
from lazaret.model.language import Language
from lazaret.model.person import Person, Role
from lazaret.store.audit import Act
from lazaret.web.render import with_query
from lazaret.web.visit import Visit

ACTS_SHOWN = 100
_SAID_IN_WORDS = ("password", "second-factor", "session-end")
"""Acts of which the record says in words of ours how, and nothing that anybody chose."""
EX_DATAERR, EX_NOUSER = 65, 67


async def people(visit: Visit) -> Response:
    """Everybody."""
    return await _people(visit)


async def invite(visit: Visit) -> Response:
    """Makes somebody known, and shows the link that he is to be given."""
    form = visit.form
    try:
        added = await invited_person(
            visit,
            form.get("name"),
            form.get("role"),
            _listed(form.get("addresses")),
            _listed(form.get("domains")),
        )
    except UserError as error:
        return await _people(visit, problem=str(error))
    return await _people(visit, link=await link_for(visit, added), invited=added.name)


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()


async def invited_person(
    visit: Visit, name: str, role: str, addresses: Sequence[str], domains: Sequence[str]
) -> Person:
    """Somebody new. UserError says what is wrong with him."""
    person = _person(name, role, addresses, domains)
    return await visit.office.store.people.add(person, who=who(visit.person))


async def change(visit: Visit) -> Response:
    """Keeps somebody out, lets him in again, gives him a new link, or forgets him."""
    person = await visit.office.store.people.named(plain_name(visit.form.get("name")))
    act = visit.form.get("act")
    if person is None:
        return await _people(visit, problem=visit.language("There is nobody of this name."))
    if person.id == visit.person.id:
        return await _people(visit, problem=visit.language("Nobody can keep himself out."))
    if act == "link":
        return await _people(visit, link=await link_for(visit, person), invited=person.name)
    await changed(visit, person, act)
    return visit.go("/people")


async def changed(visit: Visit, person: Person, act: str) -> None:
    """Does to somebody else what the act says; nothing for one that there is not."""
    store = visit.office.store.people
    if act in ("close", "open"):
        await store.change(replace(person, disabled=act == "close"), who=who(visit.person))
    elif act == "reset-totp":
        await visit.office.store.second_factors.remove(person, who=who(visit.person), end_sessions=True)
    elif act == "remove-passkeys":
        await visit.office.store.passkeys.remove_all(person, who=who(visit.person))
    elif act == "remove-identity":
        await visit.office.store.identities.remove(person, who=who(visit.person))
    elif act == "remove":
        await store.remove(person, who=who(visit.person))


async def _people(visit: Visit, problem: str = "", link: str = "", invited: str = "") -> Response:
    found = await visit.office.store.people.all()
    return visit.page(
        "people.html",
        422 if problem else 200,
        people=found,
        roles=list(Role),
        problem=problem,
        link=link,
        invited=invited,
    )


async def link_for(visit: Visit, person: Person) -> str:
    """The address by which he chooses a password."""
    token = await visit.office.doorkeeper.invite(person, who=who(visit.person))
    scheme = "https" if visit.way.secure else "http"
    return f"{scheme}://{visit.way.host}{visit.url('/login')}?invite={token}"


def _person(name: str, role: str, addresses: Sequence[str], domains: Sequence[str]) -> Person:
    """UserError."""
    if role not in list(Role):
        raise UserError(f"a role is one of: {', '.join(Role)}", EX_DATAERR)
    name, chosen = plain_name(name), Role(role)
    own = [address.normalise(one) for one in addresses]
    if chosen is Role.USER and address.is_valid(name) and name not in own:
        own.insert(0, name)
    wrong = next((one for one in own if not address.is_valid(one)), "")
    if not name or any(c.isspace() for c in name) or wrong:
        raise UserError(f"{wrong or name!r} is no name or mail address", EX_DATAERR)
    if chosen is Role.USER and not own:
        raise UserError("say whose mail the user sees", EX_DATAERR)
    ours = tuple(address.to_ascii(one) for one in domains)
    if chosen is Role.DOMAIN_ADMIN and not ours:
        raise UserError("say of which domains", EX_DATAERR)
    return Person(0, name, chosen, tuple(own), ours)


def detail_of(act: Act, say: Language) -> str:
    """What the record says of an act, for a reader; names, labels and ids stay as they are."""
    if act.act in _SAID_IN_WORDS:
        return say(act.detail) if act.detail else ""
    if act.act == "login" and act.detail.startswith("from "):
        return say("from {place}", place=act.detail.removeprefix("from "))
    name, _, role = act.detail.rpartition(" as ")
    if act.act in ("user-add", "user-change") and name:
        return say("{name} as {role}", name=name, role=say(role))
    return act.detail


async def audit(visit: Visit) -> Response:
    """Who did what, newest first."""
    query = visit.query
    before = query.get("before")
    log = visit.office.store.audit
    found = await log.page(
        before=int(before) if before.isdecimal() and len(before) < 18 else 0,
        limit=ACTS_SHOWN + 1,
        who=query.get("who")[:255],
        mail_id=query.get("id")[:40],
    )
    checked = query.get("check") == "1"
    shown = found[:ACTS_SHOWN]
    older = ""
    if len(found) > ACTS_SHOWN:
        older = with_query("/audit", who=query.get("who"), id=query.get("id"), before=shown[-1].id)
    return visit.page(
        "audit.html",
        acts=[(act, detail_of(act, visit.language)) for act in shown],
        older=older,
        who=query.get("who"),
        mail_id=query.get("id"),
        checked=checked,
        faults=await log.verify() if checked else [],
    )
