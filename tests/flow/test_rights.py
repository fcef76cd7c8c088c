"""The matrix of rights: what holds by default, what the configuration changes, and what it never gives."""

import pytest

from lazaret.config.page_options import Rights
from lazaret.flow.rights import Matrix, Right
from lazaret.model.grant import Grant
from lazaret.model.person import Role
from lazaret.model.verdict import Category

DEFAULT = Matrix(Rights())
OF_MESSAGES = {Right(grant.value) for grant in Grant}


@pytest.mark.parametrize("category", [Category.VIRUS, Category.BANNED])
def test_a_user_asks_for_what_is_dangerous_and_does_not_open_or_release_it(category):
    granted = DEFAULT.rights(Role.USER, category)

    assert {Right.REQUEST, Right.DELETE, Right.BLOCK} == granted & OF_MESSAGES
    assert Right.FIND in granted


@pytest.mark.parametrize("category", [Category.SPAM, Category.UNCHECKED, Category.BAD_HEADER, "?"])
def test_a_user_releases_other_mail_himself(category):
    granted = DEFAULT.rights(Role.USER, category)

    assert OF_MESSAGES - {Right.REQUEST} == granted & OF_MESSAGES
    assert not granted & {Right.REDIRECT, Right.DECIDE, Right.FIGURES, Right.AUDIT, Right.PEOPLE}


def test_admins_and_auditors_are_in_no_row():
    nothing = Matrix(Rights(*((),) * 6))

    for category in Category:
        assert DEFAULT.rights(Role.ADMIN, category) == nothing.rights(Role.ADMIN, category)
        assert set(Right) - {Right.REQUEST} == nothing.rights(Role.ADMIN, category)
        assert not nothing.rights(Role.AUDITOR, category) & OF_MESSAGES


def test_what_the_configuration_takes_away_is_gone_with_all_that_hangs_on_it():
    matrix = Matrix(Rights(domain_admin=(Grant.PREVIEW,), domain_admin_virus=()))
    ordinary = matrix.rights(Role.DOMAIN_ADMIN, Category.SPAM)

    assert {Right.PREVIEW} == ordinary & OF_MESSAGES
    assert not ordinary & {Right.REDIRECT, Right.LISTS}
    assert Right.DECIDE in ordinary
    assert Right.RELEASE in matrix.rights(Role.DOMAIN_ADMIN, Category.BANNED)
    assert not matrix.rights(Role.DOMAIN_ADMIN, Category.VIRUS) & OF_MESSAGES
    assert Right.RELEASE in matrix.somewhere(Role.DOMAIN_ADMIN), "of some mail it is there"
    assert not matrix.somewhere(Role.DOMAIN_ADMIN) & {Right.ALLOW, Right.BLOCK, Right.LISTS}


def test_a_message_of_no_category_is_ordinary():
    matrix = Matrix(Rights(user=(Grant.REQUEST,)))

    assert {Right.REQUEST} == matrix.rights(Role.USER, "") & OF_MESSAGES
