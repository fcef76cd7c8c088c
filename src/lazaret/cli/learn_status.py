"""`lazaret learn status`: what the learner knows, and how far its model is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lazaret.cli.context import Command, Given, as_owner, json_option, pass_given, run_async
from lazaret.cli.desk import local_time
from lazaret.cli.output import print_json

if TYPE_CHECKING:
    from lazaret.config.options import Config


@click.command(cls=Command)
@json_option
@pass_given
def status(given: Given, as_json: bool) -> None:
    """Say what was taught, by whom, and whether the learner has a say yet."""
    config = as_owner(given.load())
    facts = run_async(_facts(config))
    if as_json:
        print_json(facts)
        return
    newest = f", the last one on {local_time(facts['newest'])}" if facts["newest"] else ""
    click.echo(f"Taught:  {facts['spam']:,} spam, {facts['ham']:,} ham{newest}")
    click.echo(f"         {facts['by_people']:,} by people, {facts['automatic']:,} concluded from scores")
    click.echo(f"Model:   {_model(facts)}")
    click.echo(f"Its say: {_say(config, facts)}")


async def _facts(config: Config) -> dict[str, Any]:
    from lazaret import app
    from lazaret.learn.model_file import Reader
    from lazaret.learn.points import Scale

    store = app.open_store(config)
    try:
        figures = await store.lessons.figures()
        reader = Reader(config.store.data_dir, await store.lessons.known_secret())
        pending = await store.lessons.pending(reader.lesson)
    finally:
        store.close()
    scale = Scale.of(reader)
    return {
        "enabled": config.learn.enabled,
        "spam": figures.spam,
        "ham": figures.ham,
        "by_people": figures.by_people,
        "automatic": figures.automatic,
        "newest": figures.newest,
        "model_spam": reader.spam,
        "model_ham": reader.ham,
        "to_be_learned": pending.entries,
        "say": round(scale.say(spam=reader.spam, ham=reader.ham), 3),
        "factor": round(scale.factor, 3),
        "even": round(scale.even, 3),
    }


def _model(facts: dict[str, Any]) -> str:
    behind = f"; {facts['to_be_learned']:,} rows of the journal behind" if facts["to_be_learned"] else ""
    return f"{facts['model_spam']:,} spam and {facts['model_ham']:,} ham learned{behind}"


def _say(config: Config, facts: dict[str, Any]) -> str:
    from lazaret.learn.points import CLASS_FROM, CLASS_FULL

    if not config.learn.enabled:
        return "none: learn.enabled is false"
    if facts["say"] <= 0:
        return f"none yet: it needs more than {CLASS_FROM} messages of each kind"
    scale = f"points = {facts['factor']:g} x (log-odds - {facts['even']:g})"
    if facts["say"] < 1:
        return f"{facts['say']:.0%}, in full from {CLASS_FULL} messages of each kind on; {scale}"
    return f"full; {scale}"
