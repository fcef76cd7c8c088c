"""The compiled rules for a command that needs no service and no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazaret.cli.context import Given, as_owner
from lazaret.cli.output import rule_progress
from lazaret.model.errors import UserError

if TYPE_CHECKING:
    from lazaret.config.options import Config
    from lazaret.rules import RuleSet


def load_rules(given: Given) -> tuple[Config, RuleSet]:
    """The configuration and its rules, out of the cache in the data directory, or compiled into it."""
    from lazaret import app
    from lazaret.daemon.privileges import prepare_data_dir

    config = given.load()
    try:
        prepare_data_dir(config)  # here, or the cache would make it with everybody's permissions
    except UserError:
        pass  # The rules are compiled for this run alone.
    return config, app.load_rules(as_owner(config), rule_progress())
