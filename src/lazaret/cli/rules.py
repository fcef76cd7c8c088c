"""`lazaret rules check | list | explain | profile`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import Command, Given, Group, json_option, pass_given
from lazaret.cli.output import plain, print_json, table
from lazaret.cli.ruleset import load_rules
from lazaret.model.errors import UserError

if TYPE_CHECKING:
    from lazaret.rules import Explanation

EX_PROBLEMS = 1
EX_NOINPUT = 66
TEXT_WIDTH = 200


@click.group(cls=Group)
def rules() -> None:
    """Check, list, explain and measure rules."""


@rules.command(cls=Command)
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path(path_type=Path))
@pass_given
def check(given: Given, paths: Sequence[Path]) -> None:
    """Check rule files, and run the tests that stand in them.

    PATH is a file or a directory of .pre and .cf files; without it, the rules of the configuration are
    checked. Every problem is one line with file and line number; the exit status is 1 when there is
    one.

    \b
    Examples:
      lazaret rules check
      lazaret rules check /etc/mail/spamassassin/local.cf
    """
    from lazaret.rules import lint

    for path in paths:
        if not os.access(path, os.R_OK):
            cause = os.strerror(errno.EACCES if os.path.lexists(path) else errno.ENOENT)
            raise UserError(f"cannot read {path}: {cause}", EX_NOINPUT)
    config = given.load()
    if paths:
        problems = lint(paths)
    else:
        problems = lint(config.rules.paths, shipped=config.rules.shipped)
    for problem in problems:
        click.echo(f"{problem.file}:{problem.line}: {problem.text}")
    if problems:
        sys.exit(EX_PROBLEMS)
    click.echo("no problem found", err=True)


@rules.command("list", cls=Command)
@click.option("--not-run", is_flag=True, help="Only the rules that are not run.")
@json_option
@pass_given
def list_rules(given: Given, not_run: bool, as_json: bool) -> None:
    """List the rules with their points, and say which are not run, and why.

    Sub-rules (__NAME) are left out; `lazaret rules explain` knows them too.
    """
    from lazaret.flow.fields import number

    _, ruleset = load_rules(given)
    book = ruleset.book
    listed = [(name, ruleset.idle(name)) for name in ruleset if not name.startswith("__")]
    rows = [(name, book.score(name), idle) for name, idle in listed if idle or not not_run]
    if as_json:
        for name, score, idle in rows:
            description = book.descriptions.get(name, "")
            active = not idle
            print_json(
                {"symbol": name, "score": score, "active": active, "idle": idle, "description": description}
            )
        return
    click.echo(
        table(
            ("SYMBOL", "SCORE", "RUN", "DESCRIPTION"),
            [
                (name, number(score), f"no: {idle}" if idle else "yes", book.descriptions.get(name, ""))
                for name, score, idle in rows
            ],
            right=(1,),
        )
    )


@rules.command(cls=Command)
@click.argument("corpus", type=click.Path(exists=True, path_type=Path))
@click.option("--top", default=20, show_default=True, help="So many rules, the dearest first.")
@json_option
@pass_given
def profile(given: Given, corpus: Path, top: int, as_json: bool) -> None:
    """Measure what each rule costs over the messages in a folder.

    CORPUS is a file, or a folder with one message a file, at any depth. Most expressions are searched
    together; a rule costs something by itself when its expression has to look again at what that search
    found, or when it calls a function. So the rules named here are those that are worth rewriting.
    """
    from lazaret.cli.rule_costs import measure, rows, summary

    _, ruleset = load_rules(given)
    measured = measure(ruleset.program, corpus)
    if as_json:
        for row in rows(measured, top):
            print_json(row)
        return
    head = ("SYMBOL", "LOOKS AT", "US A MESSAGE", "SHARE", "TRIED", "HIT")
    keys = ("symbol", "kind", "us_per_message", "share_pct", "tried", "hit")
    lines = [[str(row[key]) for key in keys] for row in rows(measured, top)]
    click.echo(table(head, lines, right=(2, 3, 4, 5)))
    click.echo(summary(measured), err=True)


@rules.command(cls=Command)
@click.argument("symbol")
@json_option
@pass_given
def explain(given: Given, symbol: str, as_json: bool) -> None:
    """Say what a rule looks at, where it stands, what it is worth and what it depends on.

    SYMBOL is a name that `lazaret show`, `lazaret scan` or the header X-Spam-Status gave. Exit status
    66: no rule has this name.
    """
    _, ruleset = load_rules(given)
    explanation = ruleset.explain(symbol)
    if explanation is None:
        raise UserError(f"no rule is called {symbol}; `lazaret rules list` names them all", EX_NOINPUT)
    if as_json:
        print_json(_facts(explanation))
    else:
        click.echo("\n".join(_lines(explanation)))


def _facts(rule: Explanation) -> dict[str, object]:
    return {
        "symbol": rule.name,
        "kind": str(rule.kind),
        "text": rule.text,
        "file": rule.file,
        "line": rule.line,
        "scores": list(rule.scores),
        "description": rule.description,
        "flags": list(rule.flags),
        "active": rule.active,
        "idle": rule.idle,
        "depends_on": list(rule.depends_on),
        "used_by": list(rule.used_by),
    }


def _lines(rule: Explanation) -> list[str]:
    from lazaret.flow.fields import number

    one = len(set(rule.scores)) == 1
    scores = number(rule.scores[0]) if one else ", ".join(map(number, rule.scores))
    lines = [
        f"{rule.name}: {rule.description or 'no description'}",
        f"  defined in  {rule.file}:{rule.line}",
        f"  score       {scores}" + ("" if one else "  (sets 0 to 3; 0 is in force, 2 beside the learner)"),
        f"  looks at    {rule.kind}: {plain(rule.text)[:TEXT_WIDTH]}",
    ]
    if rule.flags:
        lines.append(f"  flags       {' '.join(rule.flags)}")
    if rule.depends_on:
        lines.append(f"  depends on  {', '.join(rule.depends_on)}")
    if rule.used_by:
        lines.append(f"  used by     {', '.join(rule.used_by)}")
    if not rule.active:
        lines.append(f"  not run     {rule.idle}")
    return lines
