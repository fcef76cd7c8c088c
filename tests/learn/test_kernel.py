"""The compiled kernel makes the numbers that plain Python makes, and nothing leads it astray."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.learn.mail import features, mail

from lazaret.learn import explain, form, kernel, model, zones
from lazaret.learn.features import HASH_BITS, WORDS_OCTETS, Features, Hasher
from lazaret.learn.form import FACTS_LIMIT
from lazaret.learn.model import ZONES, Counter, Model, Private
from lazaret.learn.zones import Facts, Piece, Pieces, View
from lazaret.mime import message

Given = TypeVar("Given")
COMPILED = kernel.compiled
SETTINGS = model._SETTINGS
KNOWN = (np.ones(Counter.SIZE), SETTINGS)
"""What `Model` tells the kernel of how to judge."""
pytestmark = pytest.mark.skipif(not COMPILED, reason="the kernel is not compiled: gcc, python3-dev")

OCTETS = st.binary(max_size=60) | st.text(st.sampled_from("abcXYZ019 \n\t.,-_$!'%ä€"), max_size=80).map(
    str.encode
)
PIECES = st.lists(
    st.builds(Piece, st.integers(0, 7), st.sampled_from(["text", "from", "link", "ä"]), OCTETS), max_size=8
).map(Pieces.of)
NOTHING = Pieces.of([])
FACTS = st.lists(
    st.builds(Facts, st.integers(8, 9), st.lists(OCTETS, max_size=9).map(tuple)), max_size=3
).map(tuple)


@pytest.fixture(autouse=True)
def _kernel_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "compiled", COMPILED)


def both(view: View) -> tuple[Features, Features]:
    """By the kernel and by Python."""
    compiled = Hasher(b"secret").features(view)
    kernel.compiled = None
    try:
        return compiled, Hasher(b"secret").features(view)
    finally:
        kernel.compiled = COMPILED


def assert_same(view: View) -> None:
    compiled, plain = both(view)
    assert plain.dtype == compiled.dtype
    assert plain.tolist() == compiled.tolist()


def in_python(work: Callable[[], Given]) -> Given:
    """Without the kernel."""
    kernel.compiled = None
    try:
        return work()
    finally:
        kernel.compiled = COMPILED


@given(OCTETS)
def test_texts_are_tallied_alike(text):
    assert COMPILED.tally(text, form._SIGNS) == form.tally(text, form._SIGNS)


@given(OCTETS, st.integers(0, 70))
def test_shapes_are_alike(octets, most):
    assert form.shape(octets, most) == in_python(lambda: form.shape(octets, most))


@given(PIECES, PIECES, FACTS)
def test_any_pieces_have_the_same_features(pieces, runs, facts):
    assert_same(View(pieces, runs, facts))


def test_as_many_facts_as_there_may_be_have_the_same_features():
    assert_same(View(NOTHING, NOTHING, (Facts(8, tuple(b"fact=%d" % n for n in range(FACTS_LIMIT))),)))


@pytest.mark.parametrize("kind", ["spam", "ham"])
@pytest.mark.parametrize("html", [True, False])
def test_mail_has_the_same_features(kind, html):
    assert_same(zones.view(message.parse(mail(kind, 1, html=html))))


@pytest.mark.parametrize(
    "octets",
    [
        b"word " * 10_000,
        b"x" * 30_000,
        b"a" * (WORDS_OCTETS - 1),
        b"a" * (WORDS_OCTETS - 2),
        b"ab " * 8191 + b"abc",
        bytes(range(256)) * 100,
        b"",
    ],
    ids=["words", "one word", "to the limit", "below it", "cut word", "all octets", "nothing"],
)
def test_the_limit_cuts_alike(octets):
    text = Piece(int(zones.Zone.TEXT), "text", octets)
    assert_same(View(Pieces.of([text, Piece(0, "from", b"after it")]), Pieces.of([text])))


@pytest.mark.parametrize("length", range(1, 20))
def test_words_of_any_length_and_their_ends_are_read_alike(length):
    word = "AZaz09$_ÄÜ'-%!QqMmKk".encode()[:length]
    assert_same(View(Pieces.of([Piece(2, "text", word), Piece(0, "from", b"x " + word[::-1])]), NOTHING))


def test_more_pieces_than_there_are_places_are_cut_alike():
    pieces = Pieces.of(Piece(0, f"x-{number}", b"one two") for number in range(900))
    assert_same(View(pieces, NOTHING))


def given_to_it(**changed: object) -> Sequence[object]:
    """The arguments of a sound call, with some changed."""
    sound = {
        "octets": b"\nabc def\n",
        "lengths": [7],
        "places": [0],
        "runs": [b"abcdef"],
        "run_places": [1],
        "facts": [bytes(16)],
        "fact_places": [2],
        "salts": np.zeros(4, np.uint64),
        "zones": np.zeros(4, np.uint32),
        "again": np.zeros(4, np.uint32),
        "constants": np.ones(7, np.uint64),
        "inside": bytes(256),
    }
    return list((sound | changed).values())


def test_a_sound_call_gives_numbers():
    assert isinstance(COMPILED.features(*given_to_it()), bytearray)


@pytest.mark.parametrize(
    "changed",
    [
        {"places": [4]},
        {"places": [-1]},
        {"places": ["a"]},
        {"places": []},
        {"lengths": [-1]},
        {"lengths": [2**70]},
        {"run_places": [4]},
        {"run_places": []},
        {"runs": ["text"]},
        {"facts": ["text"]},
        {"facts": [bytes(8 * FACTS_LIMIT + 8)]},
        {"facts": []},
        {"fact_places": [4]},
        {"salts": np.zeros(1, np.uint64)},
        {"zones": np.zeros(1, np.uint32)},
        {"zones": np.full(4, ZONES << HASH_BITS, np.uint32)},
        {"again": np.full(4, ZONES << HASH_BITS, np.uint32)},
        {"again": np.zeros(1, np.uint32)},
        {"constants": np.ones(6, np.uint64)},
        {"inside": bytes(255)},
    ],
    ids=str,
)
def test_what_is_not_sound_is_refused(changed):
    with pytest.raises((ValueError, IndexError, TypeError, OverflowError)):
        COMPILED.features(*given_to_it(**changed))


def sorted_by_it(hashes: Sequence[Sequence[int]], zones: Sequence[int]) -> list[int]:
    """By constants that leave hashes as they are; a pair becomes its second one."""
    changed: dict[str, object] = {
        "lengths": [],
        "places": [],
        "runs": [],
        "run_places": [],
        "facts": [np.array(some, np.uint64).tobytes() for some in hashes],
        "fact_places": [number % 2 for number in range(len(hashes))],
        "zones": np.array(zones, np.uint32) << np.uint32(HASH_BITS),
        "salts": np.zeros(2, np.uint64),
        "again": np.zeros(2, np.uint32),
        "constants": np.array([0, 0, 0, 0, 1 << 35, 0, 0], np.uint64),
    }
    found: list[int] = np.frombuffer(COMPILED.features(*given_to_it(**changed)), np.uint32).tolist()
    return found


def each_once(hashes: Sequence[Sequence[int]], zones: Sequence[int]) -> list[int]:
    return sorted({number | zones[at % 2] << HASH_BITS for at, some in enumerate(hashes) for number in some})


HASHES = st.integers(0, 40) | st.integers(0, (1 << HASH_BITS) - 1)


@given(
    st.lists(st.lists(HASHES, max_size=FACTS_LIMIT), max_size=40), st.sampled_from([[0, 0], [ZONES - 1, 3]])
)
def test_any_hashes_are_sorted(hashes, zones):
    assert each_once(hashes, zones) == sorted_by_it(hashes, zones)


@pytest.mark.parametrize("last", [5000, (1 << HASH_BITS) - 1])
def test_thousands_of_hashes_that_lie_together_are_sorted(last):
    hashes = [range(first, first - FACTS_LIMIT, -1) for first in range(last, last - 4096, -FACTS_LIMIT)]

    assert each_once(hashes, [ZONES - 1] * 2) == sorted_by_it(hashes, [ZONES - 1] * 2)


def test_lengths_beyond_the_octets_are_cut():
    assert isinstance(COMPILED.features(*given_to_it(lengths=[10**9])), bytearray)
    assert isinstance(COMPILED.features(*given_to_it(octets=b"")), bytearray)


def taught() -> Model:
    """On a table in which hardly two features have the same row."""
    model = Model(Private())
    for seed in range(40):
        for kind in ("spam", "ham"):
            model.learn(features(mail(kind, seed)), spam=kind == "spam", weight=1.0 if seed % 3 else 0.3)
    return model


def test_it_learns_and_judges_as_python_does():
    model, plain = taught(), in_python(taught)
    for kind in ("spam", "ham"):
        found = features(mail(kind, 999))
        assert in_python(lambda found=found: plain.judge(found).score) == pytest.approx(
            model.judge(found).score, abs=0.02
        )
    nothing = np.zeros(0, np.uint32)
    assert model.judge(nothing).score == in_python(lambda: model.judge(nothing).score) == 0.0


@given(st.lists(st.integers(0, (ZONES << HASH_BITS) - 1), max_size=40), st.integers(0, 6))
def test_any_features_are_judged_on_any_table(numbers, bits):
    draw = np.random.default_rng(bits)
    memory = Private(bits)
    memory.table[:] = draw.random(memory.table.shape) * 3
    memory.counters[:4] = 50
    model, found = Model(memory), np.array(sorted(set(numbers)), np.uint32)

    assert in_python(lambda: model.judge(found).score) == pytest.approx(model.judge(found).score, abs=1e-3)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 63, 64, 65, 300])
@pytest.mark.parametrize("zones", [1, 3, ZONES])
def test_as_many_features_as_there_may_be_are_judged_alike(count, zones):
    """The kernel takes 32 at a time; the end of a zone lies within some of them. Half was never learned."""
    draw, memory = np.random.default_rng(count), Private(12)
    memory.table[:2048] = draw.random((2048, model.COLUMNS)) * 3
    memory.counters[:4] = 50
    numbers = np.arange(count, dtype=np.uint32) * zones // count << HASH_BITS
    found = np.sort(numbers | draw.integers(0, 4096, count, np.uint32))
    asked = Model(memory)

    compiled, plain = asked.judge(found), in_python(lambda: asked.judge(found))
    for one, other in zip(compiled, plain, strict=True):
        assert other == pytest.approx(one, abs=1e-4)
    shares = asked.shares(found).of_feature
    assert np.allclose(in_python(lambda: asked.shares(found).of_feature), shares, atol=1e-5)


@given(st.sets(st.integers(0, (ZONES << HASH_BITS - 12) - 1), max_size=40), st.booleans(), st.floats(0.1, 1))
def test_any_lesson_changes_the_table_alike(numbers, spam, weight):
    """Features whose rows are the same one are not made here: of these numpy writes the last."""
    found = np.array(sorted(number << 12 | number & 0xFFF for number in numbers), np.uint32)
    found = found[np.unique(found & 0xFFF, return_index=True)[1]]
    found.sort()
    tables = []
    for learn in (lambda work: work(), in_python):
        memory = Private(12)
        memory.table[:] = np.random.default_rng(len(numbers)).random(memory.table.shape)
        memory.counters[:4] = 50
        learn(lambda memory=memory: Model(memory).learn(found, spam=spam, weight=weight))
        tables.append(memory.table)

    assert np.allclose(*tables, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "zones", "steps"),
    [(0, ZONES, ZONES), (3, ZONES, ZONES), (4, ZONES - 1, ZONES), (4, ZONES, ZONES + 1)],
    ids=str,
)
def test_what_cannot_be_learned_is_refused(rows, zones, steps):
    table, found = np.zeros((rows, 4), np.float32), np.zeros(1, np.uint32)
    with pytest.raises(ValueError, match=r"power of two|of each zone"):
        COMPILED.learn(
            table, found, *KNOWN, np.zeros(zones, np.float32), np.zeros(steps, np.float32), 0.0, 1.0
        )
    with pytest.raises((TypeError, BufferError)):
        COMPILED.learn(bytes(64), found, *KNOWN, *[np.zeros(ZONES, np.float32)] * 2, 0.0, 1.0)


def test_a_table_that_is_none_is_refused():
    for rows in (0, 3):
        with pytest.raises(ValueError, match="power of two"):
            COMPILED.judge(np.zeros((rows, 4), np.float32), np.zeros(1, np.uint32), *KNOWN)


def test_a_zone_that_there_is_not_is_refused():
    model, found = Model(Private(4)), np.array([ZONES << HASH_BITS], np.uint32)
    with pytest.raises(ValueError, match="no such zone"):
        model.judge(found)
    with pytest.raises(ValueError, match="no such zone"):
        COMPILED.learn(
            np.zeros((4, 4), np.float32), found, *KNOWN, *[np.zeros(ZONES, np.float32)] * 2, 0.0, 1.0
        )


def pushes_of(view: View, model: Model) -> dict[tuple[str, str], float]:
    hasher = Hasher(b"secret")
    found = explain.pushes(view, model, hasher, most=1000)
    return {(push.group, push.word): push.amount for push in found}


def assert_same_pushes(view: View, model: Model) -> None:
    found, expected = pushes_of(view, model), in_python(lambda: pushes_of(view, model))
    assert expected == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("kind", ["spam", "ham"])
@pytest.mark.parametrize("html", [True, False])
def test_the_same_words_pushed_mail(kind, html):
    model = Model(Private())
    for seed in range(40):
        model.learn(features(mail("spam", seed)), spam=True)
        model.learn(features(mail("ham", seed)), spam=False)
    seen = zones.view(message.parse(mail(kind, 999, html=html)))
    assert_same_pushes(seen, model)
    first, plain = (
        explain.in_words(explain.pushes(seen, model, Hasher(b"secret"), most=4)),
        in_python(lambda: explain.in_words(explain.pushes(seen, model, Hasher(b"secret"), most=4))),
    )
    assert plain == first


@given(PIECES, PIECES, FACTS, st.integers(0, 6))
def test_the_same_words_push_any_pieces(pieces, runs, facts, bits):
    memory = Private(bits + 4)
    memory.table[:] = np.random.default_rng(bits).random(memory.table.shape) * 3
    memory.counters[:4] = 50
    named = tuple(Facts(one.zone, tuple(b"fact=" + told for told in one.told)) for one in facts)
    assert_same_pushes(View(pieces, runs, named), Model(memory))


def test_of_many_words_the_strongest_are_named():
    model = Model(Private(16))
    model._table[:] = np.random.default_rng(5).normal(size=model._table.shape).astype(np.float32)
    model._table[:, 1:] = np.abs(model._table[:, 1:])
    model._counters[:4] = 50
    hasher = Hasher(b"secret")
    text = b" ".join(b"Word%d" % (n * n % 3001) for n in range(3000))
    view = View(Pieces.of([Piece(2, "text", text)]), NOTHING)
    found = hasher.features(view)
    shares = model.shares(found).of_feature
    words = hasher.named(view, found, shares, (["text"], []), most=100, longest=40)
    expected = explain._named(view, hasher, found, shares, ["text"], [])
    assert expected == pytest.approx(words, abs=1e-6)
    assert all(group == "text" and word.startswith("word") for group, word in words)


def test_words_are_named_as_python_writes_them():
    pieces = Pieces.of([Piece(2, "text", "ÄRGER Ärger KELVIN kelvin ".encode() + b" \xff\xfe\xc3 x")])
    view, model = View(pieces, NOTHING), Model(Private(16))
    model._table[:] = 1
    model._counters[:4] = 50
    assert_same_pushes(view, model)
    assert ("text", "kelvin") in pushes_of(view, model)


def test_features_of_another_message_are_refused():
    view, hasher = View(Pieces.of([Piece(2, "text", b"some words")]), NOTHING), Hasher(b"secret")
    names = ["text"], []
    with pytest.raises(ValueError, match="another message"):
        hasher.named(view, np.arange(3, dtype=np.uint32), np.zeros(3, np.float32), names, most=4, longest=9)
    with pytest.raises(ValueError, match="as many shares"):
        hasher.named(view, hasher.features(view), np.zeros(1, np.float32), names, most=4, longest=9)


@pytest.mark.parametrize("names", [([], [[]]), (["a"], []), (["a"], [[("b", "c")]]), (["a"], [0])], ids=str)
def test_what_has_no_name_is_not_named(names):
    view, hasher = View(Pieces.of([Piece(2, "text", b"a b")]), NOTHING, (Facts(8, ()),)), Hasher(b"secret")
    found = hasher.features(view)
    with pytest.raises(ValueError, match="a group"):
        hasher.named(view, found, np.zeros(len(found), np.float32), names, most=4, longest=9)


@pytest.mark.parametrize("changed", [{"places": [4]}, {"fact_places": [4]}, {"lengths": [-1]}], ids=str)
def test_what_is_not_sound_is_not_named(changed):
    with pytest.raises((ValueError, IndexError)):
        COMPILED.named(
            tuple(given_to_it(**changed)),
            np.zeros(1, np.uint32),
            np.zeros(1, np.float32),
            ["text"],
            [[("form", "a"), ("form", "b")]],
            4,
            40,
        )


def test_shares_of_no_table_are_refused():
    numbers, each = np.zeros(1, np.uint32), ((0.0,) * ZONES,) * 4
    with pytest.raises(ValueError, match="power of two"):
        COMPILED.shares(np.zeros((3, 4), np.float32), numbers, *KNOWN, *each)
    with pytest.raises(ValueError, match="of each zone"):
        COMPILED.shares(np.zeros((4, 4), np.float32), numbers, *KNOWN, *each[:3], (0.0,) * (ZONES - 1))
    with pytest.raises(TypeError):
        COMPILED.shares(np.zeros((4, 4), np.float32), numbers, *KNOWN, *each[:3], ("",) * ZONES)
    with pytest.raises(ValueError, match="no such zone"):
        COMPILED.shares(np.zeros((4, 4), np.float32), numbers + (ZONES << HASH_BITS), *KNOWN, *each)


@pytest.mark.parametrize(
    "known", [(np.ones(3), SETTINGS), (KNOWN[0], SETTINGS[:-1]), (KNOWN[0], bytes(8))], ids=["a", "b", "c"]
)
def test_without_counters_and_settings_nothing_is_judged(known):
    with pytest.raises(ValueError, match="counters, settings"):
        COMPILED.judge(np.zeros((4, 4), np.float32), np.zeros(1, np.uint32), *known)
