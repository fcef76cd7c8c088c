"""The learner as a check: silent until it knows both classes, then one symbol with its words."""

import pytest
from tests.learn.mail import HASHER, features, mail

from lazaret.checks import Scan
from lazaret.checks.learn import HAM, SPAM, LearnCheck
from lazaret.learn.features import Hasher
from lazaret.learn.known import Fixed, Shared
from lazaret.learn.model import Model, Private
from lazaret.learn.model_file import Writer
from lazaret.mime import message
from lazaret.model.envelope import Envelope, Session
from lazaret.model.verdict import Hit


def scan_of(raw):
    return Scan(message.parse(raw), Session(), Envelope("", ()), 0.0)


def hits(memory, raw):
    return found(LearnCheck(Fixed(memory, HASHER)), scan_of(raw))


def found(check, scan):
    return [hit for hit in check.run(scan) if isinstance(hit, Hit)]


def memory_of(each):
    memory = Private(18)
    model = Model(memory)
    for seed in range(each):
        model.learn(features(mail("spam", seed)), spam=True)
        model.learn(features(mail("ham", seed)), spam=False)
    return memory


@pytest.fixture(scope="module")
def full():
    return memory_of(220)


def test_it_says_nothing_while_it_knows_little():
    assert [] == hits(memory_of(20), mail("spam", 999))


def test_spam_gets_points_that_alone_do_not_quarantine(full):
    (hit,) = hits(full, mail("spam", 999))

    assert SPAM == hit.symbol
    assert 2 < hit.weight * LearnCheck.symbols[SPAM].score < 5


def test_ham_gets_negative_points(full):
    (hit,) = hits(full, mail("ham", 999))

    assert HAM == hit.symbol
    assert hit.weight * LearnCheck.symbols[HAM].score < -2


def test_the_words_that_pushed_can_be_had_for_the_message_that_was_judged_and_for_others(full):
    check = LearnCheck(Fixed(full, HASHER))
    judged, other = scan_of(mail("spam", 999)), scan_of(mail("ham", 998))
    (hit,) = found(check, judged)

    assert "" == hit.detail
    assert check.explain(judged).startswith("towards spam: ")
    assert "\n" not in check.explain(judged)
    assert check.explain(other) != check.explain(judged)


def test_a_check_that_was_there_before_the_model_finds_it(tmp_path):
    secret = b"s" * 32
    check = LearnCheck(Shared(tmp_path))
    assert [] == found(check, scan_of(mail("spam", 999)))
    writer = Writer.open(tmp_path, secret, bits=16)
    model, hasher = Model(writer), Hasher(secret)
    for seed in range(40):
        model.learn(features(mail("spam", seed), hasher), spam=True)
        model.learn(features(mail("ham", seed), hasher), spam=False)

    assert [SPAM] == [hit.symbol for hit in found(check, scan_of(mail("spam", 999)))]
    assert not check.is_ready
    writer.close()


def test_it_is_ready_once_it_has_its_full_say(full):
    assert LearnCheck(Fixed(full, HASHER)).is_ready
    assert not LearnCheck(Fixed(memory_of(50), HASHER)).is_ready


def test_ham_is_explained_where_it_is_asked_for(full):
    check = LearnCheck(Fixed(full, HASHER), always_explains=True)
    (hit,) = found(check, scan_of(mail("ham", 999)))

    assert "ham: " in hit.detail
    assert "" == hits(full, mail("ham", 999))[0].detail


def test_the_words_for_ham_can_be_had_afterwards(full):
    check = LearnCheck(Fixed(full, HASHER))
    scan = scan_of(mail("ham", 999))
    (hit,) = found(check, scan)

    assert "" == hit.detail
    assert "towards ham: " in check.explain(scan)


def test_it_takes_steps_only_where_others_take_the_same_ones(full):
    alone, among_others = scan_of(mail("spam", 901)), scan_of(mail("spam", 901))
    among_others.meanwhile.until = -1
    check = LearnCheck(Fixed(full, HASHER))
    [hit] = check.run(alone)
    assert [0, 1, 2, hit] == list(check.run(among_others))
