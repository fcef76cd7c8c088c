"""Each route of the API: for roles and scopes that have its right, and for no others; and none is missing."""

import pytest
from tests.support.installation import ANN
from tests.web.test_api import Program

from lazaret.config.page_options import Rights
from lazaret.flow.rights import Matrix, Right
from lazaret.flow.tokens import SCOPES
from lazaret.model.person import Role
from lazaret.web.api.routes import OPERATIONS, V1
from lazaret.web.routes import PAGES

CLOSED = [operation.page for operation in OPERATIONS if operation.page.need is not None]
NAMES = [f"{page.methods[0]} {page.path.removeprefix(V1)}" for page in CLOSED]
PEOPLE = {Role.USER: ANN, Role.AUDITOR: "auditor", Role.DOMAIN_ADMIN: "rights@home.example"}


def asked(program, page):
    """The answer to nothing in particular: the right is looked at before anything else."""
    path = page.path.removeprefix(V1).replace("{id}", "AAAAAAAAAAAA").replace("{number}", "1")
    return program(page.methods[0], path, [] if page.methods[0] == "POST" else None)


def is_refused(seen, right):
    return (403, f"you may not {right} here") == (seen.status, (seen.json or {}).get("detail"))


def as_json(seen):
    return seen.headers["Content-Type"].endswith("json")


@pytest.fixture(scope="module")
def by_role(site, ann, auditor):
    site.person(PEOPLE[Role.DOMAIN_ADMIN], "--domain", "home.example")
    return {role: Program(site, name, *SCOPES) for role, name in PEOPLE.items()}


@pytest.fixture(scope="module")
def by_scopes(site, admin):
    """Tokens of an admin, each with all scopes but those that give a right."""
    rights = {page.need for page in CLOSED}
    others = {right: [s for s, given in SCOPES.items() if right not in given] for right in rights}
    return {right: Program(site, "chief@home.example", *scopes) for right, scopes in others.items()}


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("page", CLOSED, ids=NAMES)
def test_a_role_reaches_what_it_has_the_right_to(by_role, page, role):
    seen = asked(by_role[role], page)
    refused = as_json(seen) and is_refused(seen, page.need)

    assert refused is (page.need not in Matrix(Rights()).somewhere(role))
    assert seen.status != 500


@pytest.mark.parametrize("page", CLOSED, ids=NAMES)
def test_no_scopes_but_its_own_open_a_route(by_scopes, page):
    assert is_refused(asked(by_scopes[page.need], page), page.need)


def test_every_right_comes_with_one_scope():
    given = [right for rights in SCOPES.values() for right in rights]

    assert sorted(Right) == sorted(given)


COUNTERPARTS = {
    "/mail": ["/messages", "/messages/grouped", "/messages/count"],
    "/mail/fresh": ["/messages/fresh"],
    "/mail/acts": ["/acts"],
    "/mail/all": ["/acts/search"],
    "/mail/{id}": ["/messages/{id}", "/messages/{id}/text"],
    "/mail/{id}/frame": ["/messages/{id}/html"],
    "/mail/{id}/raw": ["/messages/{id}/raw"],
    "/mail/{id}/part/{number}": ["/messages/{id}/attachments/{number}"],
    "/mail/{id}/release": ["/messages/{id}/release"],
    "/mail/{id}/request": ["/messages/{id}/request"],
    "/mail/{id}/learn": ["/messages/{id}/learn"],
    "/mail/{id}/delete": ["/messages/{id}/delete"],
    "/mail/{id}/undelete": ["/messages/{id}/undelete"],
    "/requests": ["/requests", "/requests/decide"],
    "/digest": ["/digest"],
    "/searches": ["/searches", "/searches/{number}/rename", "/searches/{number}/remove"],
    "/lists": ["/lists", "/lists/add", "/lists/remove"],
    "/overview": ["/overview", "/overview/volume", "/overview/senders", "/simulate"],
    "/rules": ["/rules"],
    "/policies": ["/policies", "/policy", "/policies/set", "/policies/unset", "/policies/named/set"],
    "/audit": ["/audit", "/audit/check"],
    "/people": ["/people"],
    "/people/change": ["/people/change"],
    "/account": [
        "/account",
        "/account/language",
        "/account/password",
        "/account/sessions",
        "/account/tokens",
    ],
    "/account/second-factor": ["/account/second-factor/confirm", "/account/second-factor/remove"],
    "/account/passkeys": ["/account/passkeys", "/account/passkeys/rename", "/account/passkeys/remove"],
    "/logout": ["/account/sessions/end"],
}
"""Page -> what does the same for a program."""
FOR_BROWSERS = {"/account/passkeys/options", "/static/{name}"}


def test_what_a_page_can_do_a_program_can_do():
    pages = {page.path for page in PAGES if page.need is not None and not page.api} - FOR_BROWSERS
    operations = {operation.page.path.removeprefix(V1) for operation in OPERATIONS}

    assert pages == set(COUNTERPARTS)
    assert {path for paths in COUNTERPARTS.values() for path in paths} <= operations
