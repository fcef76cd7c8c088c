"""`lazaret learn eval`: an online trial of the learner in the manner of the TREC spam track."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from lazaret.cli.context import Command, json_option
from lazaret.cli.output import print_json, table
from lazaret.model.errors import UserError

if TYPE_CHECKING:
    from lazaret.learn.trial import Labelled, Trial

EX_DATAERR = 65
EX_NOINPUT = 66
SECRET = b"every trial under the same secret, so that it can be repeated"


class Entry(NamedTuple):
    """A line of an index."""

    spam: bool
    path: Path


class _Share(click.ParamType[float]):
    """A share of all messages: 0.05, 5% or 5."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            self.fail(f"{text!r} is no share; write 0.05 or 5%", param, ctx)
        share = number / 100 if text.endswith("%") or number >= 1 else number
        if not 0 <= share < 1:
            self.fail(f"{text!r} is no share; write 0.05 or 5%", param, ctx)
        return share


class _Counts(click.ParamType[tuple[int, ...]]):
    """Numbers of messages, separated by commas."""

    name = "counts"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            counts = tuple(sorted({int(n) for n in str(value).split(",")}))
        except ValueError:
            counts = ()
        if not counts or counts[0] < 1:
            self.fail(f"{value!r} are no numbers of messages; write 50,100,200", param, ctx)
        return counts


@click.command(name="eval", cls=Command)
@click.option(
    "--index", type=click.Path(path_type=Path), required=True, metavar="INDEX.tsv", help="The stream."
)
@click.option(
    "--test",
    type=click.Path(path_type=Path),
    metavar="INDEX.tsv",
    help="Learn all of --index first, then judge these and learn no more.",
)
@click.option(
    "--delay", type=click.IntRange(min=0), default=0, metavar="N", help="Learn a message N messages later."
)
@click.option(
    "--noise", type=_Share(), default=0.0, metavar="P", help="Teach this share with the wrong label: 5%."
)
@click.option("--shuffle", type=int, metavar="SEED", help="In this order instead of that of the index.")
@click.option("--strip-trace", is_flag=True, help="Without what gives a corpus away: Received, To, X-*, …")
@click.option(
    "--curve",
    type=_Counts(),
    metavar="N,N,…",
    help="Freeze after so many messages, and judge those that follow the last N.",
)
@json_option
def evaluate(
    index: Path,
    test: Path | None,
    delay: int,
    noise: float,
    shuffle: int | None,
    strip_trace: bool,
    curve: tuple[int, ...] | None,
    as_json: bool,
) -> None:
    """Judge labelled messages one by one, learning each after it was judged, and print how good that was.

    An index has a line for each message: `spam` or `ham`, a tab or blank, and its path, relative to the
    index; lines with another label are passed over. The model begins empty and is gone afterwards.

    1-ROCA is the share of pairs of a spam and a ham in the wrong order. `missed` is the share of spam below
    the threshold that loses 0.1 or 0.5 per cent of ham. The times are CPU milliseconds for a message that
    is parsed already.

    \b
    Examples:
      lazaret learn eval --index INDEX.tsv --shuffle 1 --noise 5%
      lazaret learn eval --index half1.tsv --test half2.tsv --json
      lazaret learn eval --index INDEX.tsv --strip-trace --curve 50,100,200,500,1000
    """
    if test is not None and curve:
        raise click.UsageError("give --test or --curve, not both")
    stream = _read(index)
    if shuffle is not None:
        random.Random(shuffle).shuffle(stream)
    seed = shuffle or 0
    if curve:
        rows = [{"learned": n} | row for n, row in _curve(stream, curve, delay, noise, seed, strip_trace)]
    else:
        trial = _trial(delay, noise, seed)
        _drain(trial.run(_messages(stream, strip_trace)))
        if test is not None:
            learned = trial.figures
            trial = _frozen(trial)
            trial.figures.learned, trial.figures.learn_s = learned.learned, learned.learn_s
            _drain(trial.judge_only(_messages(_read(test), strip_trace)))
        rows = [trial.figures.row()]
    for row in rows:
        if as_json:
            print_json(row)
    if not as_json:
        click.echo(_as_table(rows))


def _as_table(rows: Sequence[dict[str, float]]) -> str:
    learned = "learned" in rows[0]
    head = [
        "messages",
        "ham",
        "spam",
        "1-ROCA %",
        "missed %, 0.1 % ham lost",
        "0.5 %",
        "ms to judge",
        "to learn",
    ]
    cells = [[f"{value:g}" for value in row.values()] for row in rows]
    return table([*(["learned"] if learned else []), *head], cells, right=range(len(cells[0])))


def _curve(
    stream: list[Entry], counts: tuple[int, ...], delay: int, noise: float, seed: int, strip_trace: bool
) -> Iterator[tuple[int, dict[str, float]]]:
    """Points that leave less than a third of the stream to judge are left out."""
    counts = tuple(n for n in counts if 3 * n <= 2 * len(stream))
    if not counts:
        raise UserError("the index is too short for any point of the curve", EX_DATAERR)
    rest = list(_messages(stream[counts[-1] :], strip_trace))
    trial = _trial(delay, noise, seed)
    learned = 0
    for n in counts:
        _drain(trial.run(_messages(stream[learned:n], strip_trace)))
        learned = n
        frozen = _frozen(trial)
        frozen.figures.learned, frozen.figures.learn_s = trial.figures.learned, trial.figures.learn_s
        _drain(frozen.judge_only(rest))
        yield n, frozen.figures.row()


def _trial(delay: int, noise: float, seed: int) -> "Trial":
    from lazaret.learn.features import Hasher
    from lazaret.learn.model import Model, Private
    from lazaret.learn.trial import Trial

    return Trial(Model(Private()), Hasher(SECRET), delay=delay, noise=noise, seed=seed)


def _frozen(trial: "Trial") -> "Trial":
    """The same model with figures of its own."""
    from lazaret.learn.trial import Trial

    return Trial(trial.model, trial.hasher)


def _drain(scores: Iterator[float]) -> None:
    for _ in scores:
        pass


def _read(index: Path) -> list[Entry]:
    try:
        lines = index.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    except OSError as e:
        raise UserError(f"cannot read {index}: {e.strerror}", EX_NOINPUT) from e
    entries = []
    for line in lines:
        label, _, path = line.strip("\r").replace("\t", " ", 1).partition(" ")
        if path and label.lower() in ("spam", "ham"):
            entries.append(Entry(label.lower() == "spam", index.parent / path.strip()))
    if not entries:
        raise UserError(f"{index}: no line begins with spam or ham", EX_DATAERR)
    return entries


def _messages(entries: Sequence[Entry], strip_trace: bool) -> "Iterator[Labelled]":
    from lazaret.learn.strip_trace import strip_trace as stripped
    from lazaret.learn.trial import Labelled
    from lazaret.mime import message

    for entry in entries:
        try:
            raw = entry.path.read_bytes()
        except OSError as e:
            raise UserError(f"cannot read {entry.path}: {e.strerror}", EX_NOINPUT) from e
        yield Labelled(entry.spam, message.parse(stripped(raw) if strip_trace else raw))
