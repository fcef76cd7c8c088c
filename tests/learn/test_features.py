"""What becomes a feature, and under which secret."""

import numpy as np
from tests.learn.mail import HASHER, features, mail

from lazaret.learn.features import HASH_BITS, WORDS_OCTETS, Hasher, joined, zone_bounds
from lazaret.learn.zones import Facts, Piece, Pieces, View, Zone

OTHER = Hasher(b"another secret")


def words_of(text: bytes, zone: Zone = Zone.TEXT, name: str = "text", hasher: Hasher = HASHER) -> list[int]:
    return hasher.words(Pieces.of([Piece(zone, name, text)])).features.tolist()


def test_features_are_sorted_and_stand_once():
    found = features(mail("spam", 1))

    assert np.all(found[1:] > found[:-1])


def test_upper_and_lower_case_are_one_word():
    assert words_of(b"Viagra") == words_of(b"VIAGRA")


def test_the_same_word_in_another_place_is_another_feature():
    assert words_of(b"offer", name="subject") != words_of(b"offer", name="text")


def test_words_differ_at_every_length():
    texts = [b"x" * n for n in range(1, 17)]

    assert 16 == len({words_of(t)[0] for t in texts})


def test_words_of_more_than_16_octets_count_by_their_beginning():
    assert words_of(b"a" * 16 + b"b") == words_of(b"a" * 16 + b"c")


def test_the_octets_after_a_word_do_not_change_it():
    assert words_of(b"abc") == words_of(b"abc def")[:1]


def test_pairs_know_their_order_and_do_not_cross_pieces():
    found = HASHER.words(Pieces.of([Piece(Zone.TEXT, "text", b"a b a"), Piece(Zone.TEXT, "text", b"b")]))

    assert 2 == len(found.pairs)
    assert found.pairs[0] != found.pairs[1]


def test_places_of_words_lead_back_to_them():
    pieces = Pieces.of(
        [Piece(Zone.HEADER, "subject", b"Buy now!"), Piece(Zone.TEXT, "text", b"hello, world")]
    )
    found = HASHER.words(pieces)
    octets = joined(pieces)

    assert [b"Buy", b"now!", b"hello", b"world"] == [
        octets[start:end] for start, end in zip(found.starts, found.ends, strict=True)
    ]
    assert [0, 0, 1, 1] == found.pieces.tolist()


def test_another_secret_gives_other_features():
    mine, theirs = features(mail("ham", 1)), features(mail("ham", 1), OTHER)

    assert len(np.intersect1d(mine, theirs)) < 5


def test_the_zone_is_in_the_highest_bits():
    found = features(mail("ham", 1))
    bounds = zone_bounds(found)

    assert {int(zone) for zone in Zone if bounds[zone] < bounds[zone + 1]} == set(
        (found >> np.uint32(HASH_BITS)).tolist()
    )
    assert (0, len(found)) == (bounds[0], bounds[-1])


def test_runs_of_four_octets_tell_case_apart():
    runs = [
        HASHER.features(View(Pieces.of([]), Pieces.of([Piece(Zone.TEXT_GRAMS, "text", t)]))).tolist()
        for t in (b"FREE", b"free")
    ]

    assert 1 == len(runs[0])
    assert runs[0] != runs[1]


def test_nothing_gives_nothing():
    assert [] == HASHER.features(View(Pieces.of([]), Pieces.of([]))).tolist()


def test_a_text_without_end_is_cut():
    pieces = Pieces.of([Piece(Zone.TEXT, "text", b"word " * 100_000)])
    found = HASHER.words(pieces)

    assert found.ends[-1] <= WORDS_OCTETS


def test_a_word_that_the_limit_cuts_is_no_word():
    pieces = [
        Piece(Zone.TEXT, "text", b"a" + b" " * 9 + b"b" * WORDS_OCTETS),
        Piece(Zone.TEXT, "text", b"c d"),
    ]

    assert 1 == len(HASHER.words(Pieces.of(pieces)).features)


def test_many_different_words_hardly_collide():
    text = " ".join(f"w{n:x}" for n in range(4000)).encode()

    assert len(set(words_of(text))) >= 3990


def test_more_names_of_fields_than_are_kept_are_all_told_apart():
    hasher = Hasher(b"x")
    found = [words_of(b"word", name=f"field-{n}", hasher=hasher)[0] for n in range(3000)]

    assert len(set(found)) >= 2999
    assert found[0] == words_of(b"word", name="field-0", hasher=hasher)[0]


def test_a_word_counts_once_more_wherever_it_stands():
    subject, text, agent = (
        HASHER.words(Pieces.of([Piece(zone, name, b"offer")]))
        for zone, name in ((Zone.HEADER, "subject"), (Zone.TEXT, "text"), (Zone.HEADER, "user-agent"))
    )

    assert subject.again.tolist() == text.again.tolist()
    assert (1, 0) == (len(text.again), len(agent.again))
    assert Zone.WORDS == text.again[0] >> HASH_BITS


def test_every_two_facts_count_together():
    found = HASHER.told(Facts(Zone.BODY_FORM, (b"html=1", b"links=2", b"lines=3")))

    assert (3, 3) == (len(found.features), len(found.pairs))
    assert [(0, 1), (0, 2), (1, 2)] == list(zip(found.first.tolist(), found.second.tolist(), strict=True))


def test_the_same_fact_in_another_zone_is_another_feature():
    body, header = (HASHER.told(Facts(zone, (b"a=1",))) for zone in (Zone.BODY_FORM, Zone.HEADER_FORM))

    assert body.features[0] != header.features[0]


def test_more_facts_than_are_kept_are_all_told_apart():
    hasher = Hasher(b"x")
    found = [hasher.told(Facts(Zone.BODY_FORM, (b"fact=%d" % n,))).features[0] for n in range(6000)]

    assert len(set(found)) >= 5998
