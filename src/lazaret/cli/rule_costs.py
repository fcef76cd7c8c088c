"""What `lazaret rules profile` measures and prints."""

import time
from collections.abc import Iterator
from pathlib import Path

from lazaret.mime import message
from lazaret.model.errors import UserError
from lazaret.rules.profile import Profile
from lazaret.rules.program import Program

EX_NOINPUT = 66


def measure(program: Program, corpus: Path) -> Profile:
    """The rules over every file of the folder. UserError (66) when there is none, or one cannot be read."""
    profile = Profile(program)
    now = time.time()
    for path in _files(corpus):
        try:
            octets = path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}", EX_NOINPUT) from error
        profile.add(message.parse(octets), now)
    if not profile.messages:
        raise UserError(f"there is no message in {corpus}", EX_NOINPUT)
    return profile


def rows(profile: Profile, top: int) -> Iterator[dict[str, object]]:
    """The dearest rules, as they are printed."""
    total = _total(profile)
    for cost in profile.rules()[:top]:
        yield {
            "symbol": cost.name,
            "kind": cost.view,
            "us_per_message": round(cost.seconds * 1e6 / profile.messages, 2),
            "share_pct": round(100 * cost.seconds / total, 2),
            "tried": cost.tried,
            "hit": cost.hit,
        }


def summary(profile: Profile) -> str:
    """How much there was in all, and how much of it no single rule has to answer for."""
    total = _total(profile)
    shared = [cost for cost in profile.shared() if cost.seconds]
    parts = ", ".join(f"{cost.view} {100 * cost.seconds / total:.0f} %" for cost in shared)
    return (
        f"{profile.messages} messages, {1000 * total / profile.messages:.2f} ms of rules a message; "
        f"shared by the rules: {parts or 'nothing'}"
    )


def _total(profile: Profile) -> float:
    """Seconds; never 0."""
    return sum(cost.seconds for cost in (*profile.rules(), *profile.shared())) or 1e-9


def _files(corpus: Path) -> Iterator[Path]:
    if not corpus.is_dir():
        yield corpus
        return
    yield from sorted(path for path in corpus.rglob("*") if path.is_file())
