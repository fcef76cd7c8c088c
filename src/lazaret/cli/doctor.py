"""`lazaret doctor`: what goes wrong between Postfix and Lazaret, and which lines put it right."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from lazaret.cli.context import Command, Given, json_option, pass_given
from lazaret.cli.output import plain, print_json
from lazaret.config import postfix
from lazaret.config.postfix import Postfix
from lazaret.config.postfix_check import Finding, Severity, check, road
from lazaret.model.errors import UserError

EX_WARNINGS = 1
EX_ERRORS = 2
EX_UNAVAILABLE = 69
TIMEOUT_S = 30
PLACES = "/usr/sbin:/usr/local/sbin"


@click.command(cls=Command)
@click.option(
    "--postfix", "directory", metavar="DIR", type=click.Path(path_type=Path), help="Where main.cf is."
)
@json_option
@pass_given
def doctor(given: Given, directory: Path | None, as_json: bool) -> None:
    """Compare Postfix's configuration with ours, and name what is wrong with the lines to write.

    It looks for loops, aliases that are expanded twice or nowhere, sizes that do not fit, ports that stand
    open, XFORWARD that is missing, and mail that takes a way that is not for it. It changes nothing.

    Exit status: 0 nothing is wrong (there may be notes), 1 warnings, 2 errors, 69 there is no Postfix here.

    \b
    Examples:
      lazaret doctor
      lazaret doctor --postfix /etc/postfix-in --json | jq .
    """
    config = given.load()
    found = read_postfix(directory)
    findings = check(config, found)
    if as_json:
        for one in findings:
            print_json(
                {
                    "severity": str(one.severity),
                    "problem": one.problem,
                    "where": one.where,
                    "text": one.text,
                    "write": list(one.write),
                }
            )
    else:
        way = road(config, found)
        for feed in way.feeds:
            click.echo(plain(f"in: {feed}"))
        for service in way.back:
            click.echo(plain(f"back: {service}"))
        for one in findings:
            click.echo("\n".join(map(plain, _lines(one))))
        if not findings:
            click.echo("nothing is wrong")
    severities = {one.severity for one in findings}
    sys.exit(EX_ERRORS if Severity.ERROR in severities else EX_WARNINGS * (Severity.WARNING in severities))


def _lines(found: Finding) -> list[str]:
    lines = [f"{found.severity}: {found.where}: {found.text}"]
    if found.write:
        lines += [f"  in {found.where} write:", *(f"    {line}" for line in found.write)]
    return lines


def read_postfix(directory: Path | None) -> Postfix:
    """What postconf(1) says of the configuration there, or of the system's own. UserError (69, 78)."""
    command = shutil.which("postconf") or shutil.which("postconf", path=PLACES)
    if command is None:
        raise UserError("there is no Postfix on this machine: no command postconf", EX_UNAVAILABLE)
    where = ["-c", str(directory)] if directory else []
    return postfix.parse(*(_run([command, *where, what]) for what in ("-x", "-M")))


def _run(line: list[str]) -> str:
    environment = os.environ | {"LC_ALL": "C"}
    try:
        done = subprocess.run(line, capture_output=True, timeout=TIMEOUT_S, env=environment, check=True)
    except subprocess.TimeoutExpired:
        raise UserError(f"{' '.join(line)} does not answer", 75) from None
    except subprocess.CalledProcessError as e:
        said = e.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError(f"{' '.join(line)}: {said[-1] if said else e}", 78) from None
    return done.stdout.decode("utf-8", "replace")
