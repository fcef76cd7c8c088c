"""Many expressions at once."""

import time

import pytest

from lazaret.rules.book import Regex
from lazaret.rules.database import DamagedDatabase, Database, build, form_of, forms_of


@pytest.mark.parametrize(
    ("exact", "source"),
    [
        (True, rb"foo\s+bar"),
        (True, rb"^foo$"),
        (False, rb"foo(?!bar)"),
        (False, rb"(a)\1"),
        (False, rb"foo$|x$y"),
        (False, rb"<a [^>]{0,2048}(?:[^<]{0,1024}<[^>]{1,1024}>){0,99}x"),
    ],
)
def test_an_expression_goes_in_exactly_where_it_can(exact: bool, source: bytes) -> None:
    form = form_of(Regex(source))
    assert form is not None
    assert exact == form.exact


def test_an_expression_that_cannot_go_in_runs_alone() -> None:
    assert form_of(Regex(b"(?Rnonsense)")) is None


def test_of_what_begins_with_a_run_a_part_is_searched() -> None:
    regex = Regex(rb"\b(?:\d\d|[a-z]+teen)\s?(?:%|percent) of the total sum", "i")
    form = forms_of(regex, lines=True).each
    assert form is not None
    assert not form.exact
    assert b"teen" not in form.texts[0]
    found: list[int] = []
    Database(build([form])).scan(b"you get fifteen percent of the total sum.", found)
    assert [0] == found


def test_what_begins_with_a_word_is_searched_exactly() -> None:
    form = forms_of(Regex(rb"percent of [a-z]+ \w+teen", "i"), lines=True).each
    assert form is not None
    assert form.exact


def test_a_nest_of_large_repeats_compiles_within_a_second() -> None:
    started = time.process_time()
    form = form_of(Regex(rb"(?:(?:\w{1,100}\s){1,100}x){1,100}(?:a.{0,2000}){0,99}b"))
    assert form is not None
    assert len(build([form])) < 1_000_000
    assert time.process_time() - started < 2


def test_each_expression_is_found_once_per_text() -> None:
    forms = [form_of(Regex(s)) for s in (rb"o", rb"b.r", rb"zzz", rb"^$")]
    database = Database(build([f for f in forms if f]))
    found: list[int] = []
    database.scan(b"foo bar", found)
    assert [0, 1] == sorted(found)


def test_line_starts_within_a_text_are_not_missed() -> None:
    """Vectorscan misses the first of these two when they are compiled as they are."""
    sources = (rb"^[^>].*?<a href=", rb"^[^>].*?<img src=['\"]data")
    forms = [form for source in sources if (form := form_of(Regex(source, "im")))]
    found: list[int] = []
    Database(build(forms)).scan(b'er the heads of some.<p>\n\n<a href="', found)
    assert 0 in found


def test_damaged_octets_are_refused() -> None:
    with pytest.raises(DamagedDatabase):
        Database(b"no database at all")
