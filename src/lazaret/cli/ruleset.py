"""The compiled rules for a command that needs no service and no database."""

from lazaret import app
from lazaret.cli.context import Given, as_owner
from lazaret.cli.output import rule_progress
from lazaret.config.options import Config
from lazaret.daemon.privileges import prepare_data_dir
from lazaret.model.errors import UserError
from lazaret.rules import RuleSet


def load_rules(given: Given) -> tuple[Config, RuleSet]:
    """The configuration and its rules, out of the cache in the data directory, or compiled into it."""
    config = given.load()
    try:
        prepare_data_dir(config)  # here, or the cache would make it with everybody's permissions
    except UserError:
        pass  # The rules are compiled for this run alone.
    return config, app.load_rules(as_owner(config), rule_progress())
