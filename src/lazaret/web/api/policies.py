"""Who gets which levels, and who set them, over the API."""

from starlette.responses import Response

from lazaret.flow.explain import rfc3339
from lazaret.flow.policy_desk import Explanation
from lazaret.model.errors import UserError
from lazaret.model.policies import PolicyRow
from lazaret.policy.keys import in_words
from lazaret.policy.settings import BESIDE, SETTINGS
from lazaret.web import policy_pages
from lazaret.web.api.calls import answer, body_of, whole
from lazaret.web.api.policy_shapes import NamedWish, PolicyWish, TakenBack
from lazaret.web.visit import Visit

PAGE, MOST = 100, 500


async def policy(visit: Visit) -> Response:
    """What holds for a recipient, who set it, and what was changed last."""
    found = await policy_pages.explained(visit)
    if found is None:
        raise UserError("say in `address` for whom")
    return answer(_explained(found))


async def policies(visit: Visit) -> Response:
    """Who has settings of his own: addresses, domains, everybody."""
    limit = whole(visit, "limit", PAGE, 1, MOST)
    rows, after = await policy_pages.page_of(visit, limit, visit.query.get("after")[:320])
    return answer({"policies": list(map(_row, rows)), "next": after or None})


async def policy_settings(visit: Visit) -> Response:
    """The settings that there are, and what each means."""
    named = [*((name, setting.text) for name, setting in SETTINGS.items()), *BESIDE.items()]
    return answer({"settings": [{"name": name, "text": text} for name, text in named]})


async def set_policy(visit: Visit) -> Response:
    """Sets levels and exceptions for an address, a domain or everybody."""
    wish = body_of(visit, PolicyWish)
    row, notes = await policy_pages.put(visit, wish.whom, wish.settings)
    return answer({"policy": _row(row), "notes": notes})


async def unset_policy(visit: Visit) -> Response:
    """Takes settings back, all of them where none is named."""
    wish = body_of(visit, TakenBack)
    await policy_pages.take_back(visit, wish.whom, wish.names)
    return answer({"for": wish.whom, "names": wish.names})


async def named_policies(visit: Visit) -> Response:
    """The policies by themselves, which several may have."""
    return answer(
        {
            "policies": [
                {"name": one.name, "users": one.users, "settings": policy_pages.shown(one.values)}
                for one in await policy_pages.named(visit)
            ]
        }
    )


async def set_named_policy(visit: Visit) -> Response:
    """Sets levels and exceptions for all who have the policy of this name; it is made when it is missing."""
    wish = body_of(visit, NamedWish)
    return answer({"name": wish.name, "notes": await policy_pages.put_named(visit, wish.name, wish.settings)})


def _row(row: PolicyRow) -> dict[str, object]:
    return {
        "for": in_words(row.key),
        "policy": row.name,
        "priority": row.priority,
        "settings": policy_pages.settings_of(row),
    }


def _explained(found: Explanation) -> dict[str, object]:
    return {
        "settings": [{"key": one.key, "value": one.value, "origin": one.origin} for one in found.lines],
        "sender": found.standing.reason if found.standing else None,
        "changes": [
            {"time": rfc3339(one.time), "who": one.who, "act": one.act, "detail": one.detail}
            for one in found.changes
        ],
    }
