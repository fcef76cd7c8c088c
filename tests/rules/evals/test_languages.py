"""The language of the text."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet, load
from lazaret.rules.evals import Settings, Subject, ngrams, tag_of
from lazaret.rules.views import HeaderValues

LOAD = "loadplugin Mail::SpamAssassin::Plugin::TextCat\n"
ENGLISH = (
    "The ship lay in the harbour for forty days and nobody was allowed to leave her. Each morning the doctor "
    "came in a small boat, looked at the men from a distance, and asked whether anyone had fallen ill. When "
    "the letters were brought ashore they were held over smoke, and only then were they handed to those who "
    "had waited for them. "
)
GERMAN = (
    "Das Schiff lag vierzig Tage im Hafen, und niemand durfte es verlassen. Jeden Morgen kam der Arzt in "
    "einem kleinen Boot, betrachtete die Leute aus der Ferne und fragte, ob jemand krank geworden sei. Wenn "
    "die Briefe an Land gebracht wurden, hielt man sie zuerst in den Rauch, und erst dann gab man sie denen, "
    "die darauf gewartet hatten. "
)


@pytest.fixture(scope="module")
def languages() -> bytes:
    """A file of languages, made from the two texts."""
    return b"".join(
        b"\n".join(ngrams.frequent(text.encode(), 400, 0)) + f"\n0 {name}\n".encode()
        for name, text in (("en", ENGLISH[:200]), ("de", GERMAN[:200]), ("de.utf8", GERMAN[:50]))
    )


@pytest.fixture
def ruleset(tmp_path: Path, languages: bytes) -> Callable[[str], RuleSet]:
    (tmp_path / "languages").write_bytes(languages)

    def made(text: str) -> RuleSet:
        (tmp_path / "a.cf").write_text(text)
        return load([tmp_path / "a.cf"], shipped=False, cache_dir=None, keep_subrules=True)

    return made


def hits(ruleset: RuleSet, text: str) -> set[str]:
    mail = message.parse(f"Subject: s\nContent-Type: text/plain; charset=utf-8\n\n{text}\n".encode())
    return set(ruleset.evaluate(mail, 0, seconds=10).values)


RULES = """
header EN X-Languages =~ /^en$/
header DE X-Languages =~ /^de$/
header NONE X-Languages =~ /^$/
header LONG X-Languages-Length =~ /^\\d{3}/
body UNWANTED eval:check_language()
"""


def test_the_language_is_guessed(ruleset: Callable[[str], RuleSet]) -> None:
    rules = ruleset(LOAD + RULES)
    assert {"EN", "LONG"} == hits(rules, ENGLISH)
    assert {"DE", "LONG"} == hits(rules, GERMAN)
    assert {"NONE"} == hits(rules, "Short.")


def test_nothing_is_guessed_where_the_plug_in_is_not_loaded(ruleset: Callable[[str], RuleSet]) -> None:
    assert {"NONE"} == hits(ruleset(RULES), ENGLISH)


def test_nothing_is_guessed_without_the_file(tmp_path: Path, ruleset: Callable[[str], RuleSet]) -> None:
    rules = ruleset(f"{LOAD}languages_filename {tmp_path}/nothing\nok_languages de\n{RULES}")
    assert {"NONE", "LONG"} == hits(rules, ENGLISH)


@pytest.mark.parametrize(
    ("expected", "wanted"), [(False, "all"), (False, "en"), (False, "fr en"), (True, "de"), (True, "fr de")]
)
def test_a_language_that_is_not_read_here_is_unwanted(
    ruleset: Callable[[str], RuleSet], expected: bool, wanted: str
) -> None:
    rules = ruleset(f"{LOAD}ok_languages {wanted}\n{RULES}")
    assert expected == ("UNWANTED" in hits(rules, ENGLISH))


def test_links_and_addresses_are_no_language(ruleset: Callable[[str], RuleSet]) -> None:
    noise = "https://der.die.das.example/und/der/arzt/kam someone@der.example www.das.example " * 20
    assert {"EN", "LONG"} == hits(ruleset(LOAD + RULES), noise + ENGLISH)
    assert "NONE" in hits(ruleset(LOAD + RULES), noise)


def test_an_inactive_language_is_not_guessed(ruleset: Callable[[str], RuleSet]) -> None:
    assert "EN" in hits(ruleset(f"{LOAD}inactive_languages de\n{RULES}"), GERMAN)
    assert "DE" in hits(ruleset(f"{LOAD}inactive_languages de\nok_languages de\n{RULES}"), GERMAN)


def test_a_text_like_too_many_languages_is_of_none(ruleset: Callable[[str], RuleSet]) -> None:
    settings = "textcat_acceptable_score 1000\n"
    assert "NONE" not in hits(ruleset(LOAD + settings + RULES), ENGLISH)
    assert "NONE" in hits(ruleset(LOAD + settings + "textcat_max_languages 1\n" + RULES), ENGLISH)


def test_a_field_of_the_message_comes_first(ruleset: Callable[[str], RuleSet]) -> None:
    mail = message.parse(f"X-Languages: de\n\n{ENGLISH}\n".encode())
    assert {"DE", "LONG"} == set(ruleset(LOAD + RULES).evaluate(mail, 0).values)


@pytest.mark.parametrize(("expected", "wanted"), [(False, "all"), (True, "en de"), (False, "en ru")])
def test_letters_of_8_bits_are_found(ruleset: Callable[[str], RuleSet], expected: bool, wanted: str) -> None:
    rules = ruleset(f"ok_languages {wanted}\nbody X eval:check_body_8bits()\n")
    assert expected == ("X" in hits(rules, "Привет"))
    assert set() == hits(rules, "Grüße, Grüße")


def test_tags_tell_of_it(ruleset: Callable[[str], RuleSet]) -> None:
    mail = message.parse(f"Subject: s\n\n{ENGLISH}\n".encode())

    def filled(rules: RuleSet, name: str) -> str | None:
        subject = Subject(mail, Settings(rules.book.settings), HeaderValues(mail), 0.0)
        return tag_of(subject, name, "")

    assert "en" == filled(ruleset(LOAD), "LANGUAGES")
    assert "" == filled(ruleset(""), "LANGUAGES")
    assert (filled(ruleset(LOAD), "TEXTCATRESULTS") or "").startswith("en:")
    assert None is filled(ruleset(""), "TEXTCATRESULTS")


HOSTILE = {
    "one word": "x" * 3_000_000,
    "words before no address": "x" * 60 + (" " + "y" * 64) * 40_000,
    "half links": "http://" * 400_000,
    "octets": "".join(chr(0x100 + i * i % 0x2000) for i in range(500_000)),
    "prefixes": "re: " * 500_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_the_worst_case_is_looked_at_in_a_second(ruleset: Callable[[str], RuleSet], case: str) -> None:
    rules = ruleset(LOAD + RULES)
    mail = message.parse(f"Subject: s\n\n{HOSTILE[case]}\n".encode())
    _ = mail.body
    subject = Subject(mail, Settings(rules.book.settings), HeaderValues(mail), 0.0)
    started = time.process_time()
    tag_of(subject, "LANGUAGES", "")
    assert time.process_time() - started < 1.0
