"""The stock rules of SpamAssassin, unchanged: read as SpamAssassin reads them, and its own cases."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet, expression, load, sources, syntax
from lazaret.rules.book import Book, Kind
from lazaret.rules.compile import compile_book
from lazaret.rules.evals import functions

RECORDED_AT = 1_732_000_000
SAMPLE = 80
"""Messages of SpamAssassin's own tests, spread over all."""
CALLED_AT_LEAST = 60
KNOWN_TO_DIFFER = {
    "extracttext-01": "the plug-in ExtractText is not built in",
    "phishing-01": "the lists of addresses are not among the material",
    "phishing-02": "the lists of addresses are not among the material",
}


@pytest.fixture(scope="module")
def material(shared: Path) -> Path:
    return shared / "conformance" / "spamassassin"


@pytest.fixture(scope="module")
def stock(material: Path) -> Book:
    config = material / "config"
    return syntax.parse(sources.read([config / "rules", config / "site"], shipped=False))


@pytest.fixture(scope="module")
def dump(material: Path) -> dict[str, dict[str, object]]:
    return json.loads((material / "reference" / "rules_dump_local.json").read_text())  # type: ignore[no-any-return]


def test_all_stock_rules_are_read_without_a_problem(stock: Book, dump: dict[str, dict[str, object]]) -> None:
    assert set(dump) == set(stock.rules)
    assert () == stock.problems


def test_scores_flags_and_descriptions_are_the_same(stock: Book, dump: dict[str, dict[str, object]]) -> None:
    for name, there in dump.items():
        assert pytest.approx(there["scores"]) == [stock.score(name, i) for i in range(4)], name
        assert (there["describe"] or "") == stock.descriptions.get(name, ""), name
        assert set(str(there["tflags"] or "").split()) - {"net"} <= set(stock.flags.get(name, ())), name


def test_expressions_are_the_same_after_replace_tags(stock: Book, dump: dict[str, dict[str, object]]) -> None:
    compared = 0
    for name, there in dump.items():
        regex = stock.rules[name].regex
        if regex is None or "qr" not in there or b"%{" in regex.source:
            continue
        modifiers = f"(?{regex.modifiers})".encode() if regex.modifiers else b""
        here = b"(?^aa:" + modifiers + regex.source + b")"
        assert str(there["qr"]).encode("latin-1").replace(b"(?aa)", b"") == here.replace(b"(?aa)", b""), name
        compared += 1
    assert compared > 1500


def cases(material: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for path in sorted((material / "cases").glob("*.json")):
        case = json.loads(path.read_text())
        if case["source"].startswith("t/") and not case["needs_perl_plugin"]:
            yield path.stem, case


def runnable(book: Book, name: str) -> bool:
    rule = book.rules[name]
    if rule.kind is Kind.EVAL:
        return rule.function in functions()
    if rule.kind is not Kind.META:
        return True
    return all(runnable(book, n) for n in expression.names(expression.parse(rule.text)) if n in book.rules)


def _without_compat(path: Path, folder: Path) -> Path:
    """The file without its `enable_compat` lines, which some cases were recorded without."""
    if b"enable_compat" not in path.read_bytes():
        return path
    copy = folder / path.name
    copy.write_bytes(path.read_bytes().replace(b"enable_compat", b"# enable_compat"))
    return copy


def test_the_cases_of_spamassassin_give_the_same_hits(material: Path, tmp_path: Path) -> None:
    """All whose eval functions are built in and whose result does not hang on a short cut."""
    config = material / "config"
    base = [
        *sorted((config / "site").glob("*.pre")),
        config / "rules" / "10_default_prefs.cf",
        config / "rules" / "20_aux_tlds.cf",
        config / "test" / "01_test_rules.pre",
        config / "test" / "01_test_rules.cf",
    ]
    compared, different = 0, []
    for name, case in cases(material):
        files = list(base)
        if case.get("disable_compat"):
            files = [_without_compat(path, tmp_path) for path in files]
        given: dict[str, str] = case["config"]  # type: ignore[assignment]
        for part in ("pre", "prefs", "rules", "user_prefs", "extra"):
            if given.get(part):
                path = tmp_path / f"{part}.{'pre' if part == 'pre' else 'cf'}"
                path.write_text(given[part])
                files.append(path)
        ruleset = load(files, shipped=False, cache_dir=tmp_path / "cache", keep_subrules=True)
        raw = base64.b64decode(str(case["message_base64"] or ""))
        actual: dict[str, dict[str, float]] = case["actual"]  # type: ignore[assignment]
        there = set(actual["hits"]) | set(actual["subtests"])
        mail = message.parse(raw, networks=ruleset.networks, sites=ruleset.sites)
        here = set(ruleset.evaluate(mail, RECORDED_AT).values)
        book = ruleset.book
        if name.startswith("shortcircuit") or not all(n in book.rules and runnable(book, n) for n in there):
            continue
        compared += 1
        if there != here:
            different.append(name)
    assert compared > 90
    assert [] == [name for name in different if name not in KNOWN_TO_DIFFER]


def test_eval_rules_hit_where_spamassassins_do(material: Path, stock: Book, tmp_path: Path) -> None:
    """All stock rules that call a function, without the expressions: those take a minute to compile."""
    asks = {"net", "learn"}
    called = {
        name: rule
        for name, rule in stock.rules.items()
        if rule.kind is Kind.EVAL and stock.score(name) and not asks & set(stock.flags.get(name, ()))
    }
    book = replace(stock, rules=called)
    ruleset = RuleSet(compile_book(book, keep_subrules=True))
    assert not ruleset.problems
    records = (material / "hits-sa-repo.jsonl").read_text().splitlines()
    hit: set[str] = set()
    for line in records[:: len(records) // SAMPLE]:
        record = json.loads(line)
        raw = (material / "messages-sa-repo" / record["message"].removeprefix("sa-repo/")).read_bytes()
        mail = message.parse(raw, networks=ruleset.networks, sites=ruleset.sites)
        here = ruleset.evaluate(mail, RECORDED_AT, seconds=60).values.keys()
        there = (set(record["hits"]) | set(record["subtests"])) & called.keys()
        assert there == here, record["message"]
        hit |= there
    assert len(hit) > CALLED_AT_LEAST
