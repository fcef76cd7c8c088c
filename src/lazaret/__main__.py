"""`python -m lazaret`: the command, where no script is installed."""

from lazaret.cli.main import run

run()
