"""The parts of those who teach, and of the one who learns from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazaret.app.rules import trusted_networks
from lazaret.app.surroundings import site_of
from lazaret.config.options import Config
from lazaret.store.opening import Store

if TYPE_CHECKING:
    from lazaret.flow.learn import Teaching
    from lazaret.flow.learner import Learner
    from lazaret.learn.model_file import Writer
    from lazaret.rules.ruleset import RuleSet

BEYOND_LIMIT = 0.3
"""What a user's lesson counts beyond his daily limit."""


def open_writer(config: Config, secret: bytes) -> Writer:
    """The model of this host, for its one writer. ModelBusy while another process has it."""
    from lazaret.flow.learner import open_writer as open_model

    return open_model(config.store.data_dir, secret)


async def make_teaching(config: Config, store: Store, ruleset: RuleSet) -> Teaching:
    """What serves those who teach; messages are read as the filter reads them."""
    from lazaret.flow.learn import Teaching
    from lazaret.flow.subject_tag import tag_patterns
    from lazaret.learn.features import Hasher
    from lazaret.learn.lesson import Delivered, Reading
    from lazaret.model.lesson import Limit

    secret = await store.lessons.secret()
    tags = await store.policy_tables.subject_tags()
    return Teaching(
        store.lessons,
        store.quarantine,
        Reading(Hasher(secret), trusted_networks(config, ruleset), ruleset.sites),
        Delivered(site_of(config).hostname, tag_patterns([config.levels.subject_tag, *tags])),
        Limit(config.learn.user_daily, BEYOND_LIMIT),
    )


def make_learner(store: Store, writer: Writer) -> Learner:
    """What makes the model out of the journal."""
    from lazaret.flow.learner import Learner

    return Learner(store.lessons, writer)
