"""Who gets which levels, what holds for an address, and who set it."""

from starlette.responses import Response

from lazaret.flow.login import who
from lazaret.flow.policy_desk import Explanation
from lazaret.flow.rights import Right
from lazaret.model.errors import UserError
from lazaret.policy.keys import in_words
from lazaret.policy.settings import meanings
from lazaret.web.render import with_query
from lazaret.web.visit import Visit

PAGE = 100
LEVELS = ("mark", "quarantine", "kill")


async def policies(visit: Visit) -> Response:
    """The policies of the database; with `address` what holds for that."""
    return await _policies(visit)


async def change(visit: Visit) -> Response:
    """Sets levels for an address, a domain or everybody, or takes all that was set back."""
    form, desk, say = visit.form, visit.office.policies, visit.language
    whom = form.get("whom").strip()
    if whom == say("everybody"):
        whom = "everybody"
    try:
        if form.get("act") == "remove":
            await desk.unset(whom, [], who=who(visit.person))
        else:
            wanted = {name: form.get(name).strip().replace(",", ".") for name in LEVELS}
            wanted = {name: value for name, value in wanted.items() if value}
            if not wanted:
                return await _policies(visit, problem=say("Write at least one level."))
            await desk.set(whom, wanted, who=who(visit.person))
    except UserError as error:
        return await _policies(visit, problem=str(error))
    return visit.go("/policies")


async def explained(visit: Visit) -> Explanation | None:
    """What holds for the address that is asked for; None for none. UserError."""
    address, sender = visit.query.get("address")[:320].strip(), visit.query.get("sender")[:320].strip()
    return await visit.office.policies.explain(address, sender=sender) if address else None


async def _policies(visit: Visit, problem: str = "") -> Response:
    found = None
    try:
        found = await explained(visit)
    except UserError as error:
        problem = problem or str(error)
    rows = await visit.office.policies.page(limit=PAGE + 1, after=visit.query.get("after")[:320])
    shown = rows[:PAGE]
    return visit.page(
        "policies.html",
        422 if problem else 200,
        problem=problem,
        found=found,
        address=visit.query.get("address")[:320],
        sender=visit.query.get("sender")[:320],
        rows=[(in_words(row.key), row.name, meanings(row.values)) for row in shown],
        levels=LEVELS,
        older=with_query("/policies", after=shown[-1].key) if len(rows) > PAGE else "",
        may_change=visit.may(Right.PEOPLE),
    )
