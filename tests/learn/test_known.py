"""The model as a process sees it that has no database."""

from tests.learn.mail import mail

from lazaret.learn import known, zones
from lazaret.learn.features import Hasher
from lazaret.learn.known import Shared
from lazaret.learn.model import Model, Private
from lazaret.learn.model_file import Writer
from lazaret.mime import message

SECRET = b"s" * 32


def score(shared, kind):
    shared.refresh()
    found = shared.hasher.features(zones.view(message.parse(mail(kind, 999))))
    return Model(shared.memory).judge(found).score


def teach(memory, secret, each=30):
    model, hasher = Model(memory), Hasher(secret)
    for seed in range(each):
        for kind in ("spam", "ham"):
            found = hasher.features(zones.view(message.parse(mail(kind, seed))))
            model.learn(found, spam=kind == "spam")


def test_nothing_is_known_without_a_model(tmp_path):
    assert 0.0 == score(Shared(tmp_path), "spam")


def test_the_model_is_found_when_it_comes_with_its_secret(tmp_path):
    shared = Shared(tmp_path)
    writer = Writer.open(tmp_path, SECRET, bits=16)
    teach(writer, SECRET)

    assert score(shared, "spam") > 1 > -1 > score(shared, "ham")
    writer.close()


def test_a_model_that_was_made_anew_takes_the_place_of_the_old_one(tmp_path):
    writer = Writer.open(tmp_path, SECRET, bits=16)
    shared = Shared(tmp_path)
    fresh = Private(16)
    teach(fresh, SECRET)
    writer.replace(fresh, 60)

    assert score(shared, "spam") > 1
    assert (60, 30) == (writer.lesson, int(shared.memory.counters[2]))
    teach(writer, SECRET, each=31)
    assert 61 == int(shared.memory.counters[2])
    writer.close()


def test_a_model_of_a_new_site_is_read_under_its_own_secret(tmp_path):
    Writer.open(tmp_path, SECRET, bits=16).close()
    shared = Shared(tmp_path)
    (tmp_path / "learner.model").unlink()
    other = b"o" * 32
    writer = Writer.open(tmp_path, other, bits=16)
    teach(writer, other)

    assert score(shared, "spam") > 1
    writer.close()


def test_a_new_model_is_looked_for_now_and_then(tmp_path, monkeypatch):
    shared = Shared(tmp_path, every_s=3600)
    writer = Writer.open(tmp_path, SECRET, bits=16)
    teach(writer, SECRET)

    assert 0.0 == score(shared, "spam")
    monkeypatch.setattr(known.time, "monotonic", lambda: 1e12)
    assert score(shared, "spam") > 1
    writer.close()
