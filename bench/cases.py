"""Do SpamAssassin's own test cases come out here as there? Used by conformance.py.

A case is a JSON file: a configuration, a message, and what SpamAssassin 4.0.1 made of them.
"""

import base64
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lazaret.mime import message
from lazaret.rules import RuleSet, amend, load

RECORDED_AT = 1_732_000_000
PATIENCE_S = 60.0
"""What is compared is what rules find, not whether a busy machine finds it in time."""
STOCK = "STOCK RULES"
"""So begins the base of cases that were recorded with the whole stock rule set."""
PARTS = ("pre", "prefs", "rules", "user_prefs", "extra")

Case = dict[str, Any]


def read(folder: Path) -> Iterator[Case]:
    """The cases that another implementation need run, by name."""
    skipped = {line.partition("\t")[0] for line in (folder / "SKIP.tsv").read_text().splitlines()}
    for path in sorted(folder.glob("*.json")):
        if path.stem not in skipped:
            yield json.loads(path.read_text())


def is_stock(case: Case) -> bool:
    """Whether it runs with the whole stock rule set."""
    return any(base.startswith(STOCK) for base in case["config"]["base"])


def ruleset(case: Case, config: Path) -> RuleSet:
    """The few rules of a case, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        files = [_as_recorded(path, case, Path(folder)) for path in _base(config)]
        for part in PARTS:
            if case["config"].get(part):
                path = Path(folder) / f"{part}.{'pre' if part == 'pre' else 'cf'}"
                path.write_text(case["config"][part])
                files.append(path)
        return load(files, shipped=False, cache_dir=None, keep_subrules=True)


def with_settings(stock: RuleSet, case: Case) -> RuleSet:
    """The stock rules under the settings of a case; its rules, if it has any, are left out."""
    settings = {word: list(values) for word, values in stock.book.settings.items()}
    for part in PARTS:
        for line in (case["config"].get(part) or "").splitlines():
            word, _, value = line.partition("#")[0].strip().partition(" ")
            if value:
                amend.apply(settings, word, value.strip())
    return stock.under({word: tuple(values) for word, values in settings.items()})


def differences(case: Case, rules: RuleSet) -> list[str]:
    """The rules that hit only here or only there, sub-rules included."""
    raw = base64.b64decode(case["message_base64"] or "")
    mail = message.parse(raw, networks=rules.networks, sites=rules.sites)
    values = rules.evaluate(mail, RECORDED_AT, seconds=PATIENCE_S).values
    actual = case["actual"]
    return sorted(set(values) ^ (set(actual["hits"]) | set(actual["subtests"])))


def _base(config: Path) -> list[Path]:
    return [
        *sorted((config / "site").glob("*.pre")),
        config / "rules" / "10_default_prefs.cf",
        config / "rules" / "20_aux_tlds.cf",
        config / "test" / "01_test_rules.pre",
        config / "test" / "01_test_rules.cf",
    ]


def _as_recorded(path: Path, case: Case, folder: Path) -> Path:
    """The file without its `enable_compat` lines, where the case was recorded without them."""
    if not case.get("disable_compat") or b"enable_compat" not in path.read_bytes():
        return path
    copy = folder / path.name
    copy.write_bytes(path.read_bytes().replace(b"enable_compat", b"# enable_compat"))
    return copy
