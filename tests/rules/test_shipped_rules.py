"""The rules that Lazaret ships: sound, explained, tested beside the rule, and worth their points."""

import time
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import Kind, RuleSet, lint, load

NOW = 1_760_000_000.0
QUARANTINE = 5.0

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    return load([], shipped=True, cache_dir=tmp_path_factory.mktemp("compiled"))


def letter(
    *, head: str = "", body: str = "See you at noon.\n", sender: str = "Anna <anna@example.org>"
) -> bytes:
    lines = (
        f"From: {sender}",
        "To: Bert <bert@example.net>",
        "Subject: Lunch on Thursday",
        "Date: Thu, 9 Oct 2025 10:53:20 +0200",
        "Message-ID: <4711.1@mail.example.org>",
        *head.splitlines(),
    )
    return "\r\n".join((*lines, "", body)).encode()


def points(rules: RuleSet, raw: bytes) -> float:
    return sum(rules.symbols[name].score for name, _ in rules.evaluate(message.parse(raw), NOW).hits)


def symbols(rules: RuleSet, raw: bytes) -> set[str]:
    return {name for name, _ in rules.evaluate(message.parse(raw), NOW).hits}


def test_the_shipped_rules_have_nothing_to_complain_about_and_pass_the_tests_beside_them() -> None:
    assert [] == lint([], shipped=True)


def test_every_rule_explains_itself_in_a_sentence(rules: RuleSet) -> None:
    terse = [name for name, symbol in rules.symbols.items() if len(symbol.description.split()) < 3]
    assert [] == terse
    assert [] == [name for name, symbol in rules.symbols.items() if symbol.description.endswith(".")]


def test_every_rule_that_is_an_expression_has_a_text_that_hits_and_one_that_does_not(rules: RuleSet) -> None:
    wanted = {
        name
        for name, rule in rules.book.rules.items()
        if rule.regex is not None
        and rule.kind in (Kind.BODY, Kind.RAWBODY, Kind.URI, Kind.HEADER)
        and not name.startswith("__")
    }
    hit = {test.rule for test in rules.book.tests if test.expected}
    miss = {test.rule for test in rules.book.tests if not test.expected}
    assert set() == wanted - (hit & miss)


def test_every_sub_rule_is_used(rules: RuleSet) -> None:
    mentioned = {name for rule in rules for name in (rules.explain(rule) or pytest.fail(rule)).depends_on}
    unused = {name for name in rules if name.startswith("__")} - mentioned
    assert set() == unused


def test_an_ordinary_letter_has_no_points(rules: RuleSet) -> None:
    assert set() == symbols(rules, letter())


def test_gtube_scores_a_thousand_points(rules: RuleSet) -> None:
    assert 1000.0 == points(rules, letter(body=f"{GTUBE}\n"))


def test_a_swindler_who_writes_from_a_free_mailbox_is_quarantined(rules: RuleSet) -> None:
    head = "Reply-To: barrister.example@gmail.com"
    body = (
        "Dear Beloved,\n\nI am Mrs Example, a widow with cancer. My late husband left the sum of\n"
        "USD 12,500,000.00 in a bank in Abidjan, Ivory Coast. I need your assistance as his next of kin;\n"
        "40% of the total will be yours. Keep this confidential and reply with your full name, address\n"
        "and telephone number.\n\nGod bless you\n"
    )
    raw = letter(head=head, body=body, sender="Mrs Example <office@example.com>")
    assert points(rules, raw) >= QUARANTINE


def test_a_forged_authentication_result_takes_no_points_off(rules: RuleSet) -> None:
    spam = letter(sender="PayPal <service@account-check.cfd>", body="Your account has been suspended.\n")
    claimed = "Authentication-Results: mx.example.net; spf=pass; dkim=pass header.d=paypal.com; dmarc=pass"
    forged = spam.replace(b"Subject:", f"{claimed}\r\nSubject:".encode(), 1)
    assert points(rules, spam) > 0
    assert points(rules, spam) <= points(rules, forged)


def test_a_name_that_shows_where_the_answers_go_is_honest(rules: RuleSet) -> None:
    sender = '"Garden Ltd (info@example.com)" <system@example.net>'
    honest = letter(sender=sender, head="Reply-To: Garden Ltd <info@example.com>")
    assert "FROM_NAME_HAS_ADDRESS" in symbols(rules, letter(sender=sender))
    assert "FROM_NAME_HAS_ADDRESS" not in symbols(rules, honest)


def test_a_site_adds_its_own_words_and_switches_a_shipped_rule_off(tmp_path: Path) -> None:
    own = tmp_path / "words-local.cf"
    own.write_text(
        "body LOCAL_BAD_WORDS /\\b(?:blue elephant|wordtwo)\\b/i\n"
        "describe LOCAL_BAD_WORDS The text contains a word that this house does not want\n"
        "score LOCAL_BAD_WORDS 3.0\n"
        "score WORDS_GAMBLING 0\n"
    )
    rules = load([tmp_path], shipped=True, cache_dir=None)
    raw = letter(body="A Blue Elephant in an online casino.\n")
    assert {"LOCAL_BAD_WORDS"} == symbols(rules, raw)


def test_real_spam_is_caught_and_real_ham_is_not(rules: RuleSet, corpus: Path) -> None:
    """On each fifteenth message of the development corpora; the whole of them: bench/shipped_rules.py."""
    lines = (corpus / "INDEX.tsv").read_text(encoding="utf-8").splitlines()
    wanted = [line.split("\t", 1) for line in lines if line.startswith(("ham\t", "spam\t"))][::15]
    now = time.time()
    quarantined = {"ham": 0, "spam": 0}
    seen = {"ham": 0, "spam": 0}
    for label, path in wanted:
        found = rules.evaluate(message.parse((corpus / path).read_bytes()), now)
        seen[label] += 1
        quarantined[label] += sum(rules.symbols[name].score for name, _ in found.hits) >= QUARANTINE
    assert quarantined["spam"] >= 0.40 * seen["spam"]
    assert quarantined["ham"] <= 0.005 * seen["ham"]
