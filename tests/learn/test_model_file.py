"""A model that workers map: one writer, no locks, and a kill -9 at any moment."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tests.learn.mail import features, mail

from lazaret.learn.model import Model
from lazaret.learn.model_file import LIVE, SNAPSHOT, ModelBusy, ModelDamaged, Reader, Writer

SECRET = b"x" * 32
BITS = 14


def teach(writer, first, last):
    """Lessons `first` to `last` - 1, each twice: a spam and a ham."""
    model = Model(writer)
    for lesson in range(first, last):
        model.learn(features(mail("spam", lesson)), spam=True)
        model.learn(features(mail("ham", lesson)), spam=False)
        writer.done(lesson)
    return model


def score_of(memory):
    return Model(memory).judge(features(mail("spam", 777))).score


def test_a_reader_sees_what_the_writer_learns(tmp_path):
    writer = Writer.open(tmp_path, SECRET, bits=BITS)
    reader = Reader(tmp_path, SECRET)
    teach(writer, 1, 20)

    assert score_of(writer) == score_of(reader) > 0
    writer.close()


def test_a_reader_without_a_file_knows_nothing_and_finds_it_later(tmp_path):
    reader = Reader(tmp_path, SECRET)
    assert 0.0 == score_of(reader)
    writer = Writer.open(tmp_path, SECRET, bits=BITS)
    teach(writer, 1, 10)

    assert reader.refresh()
    assert score_of(reader) > 0
    writer.close()


def test_after_a_good_end_the_next_writer_goes_on(tmp_path):
    writer = Writer.open(tmp_path, SECRET, bits=BITS)
    teach(writer, 1, 10)
    expected = score_of(writer)
    writer.close()
    again = Writer.open(tmp_path, SECRET, bits=BITS)

    assert (9, expected) == (again.lesson, score_of(again))
    again.close()


def test_there_is_one_writer(tmp_path):
    writer = Writer.open(tmp_path, SECRET, bits=BITS)
    with pytest.raises(ModelBusy):
        Writer.open(tmp_path, SECRET, bits=BITS)
    writer.close()


def test_a_model_of_another_secret_is_not_read(tmp_path):
    Writer.open(tmp_path, SECRET, bits=BITS).close()

    assert 1 == len(Reader(tmp_path, b"y" * 32).table)


def test_a_damaged_snapshot_is_noticed(tmp_path):
    writer = Writer.open(tmp_path, SECRET, bits=BITS)
    teach(writer, 1, 5)
    writer.snapshot()
    writer.close()
    octets = bytearray((tmp_path / SNAPSHOT).read_bytes())
    octets[5000] ^= 1
    (tmp_path / SNAPSHOT).write_bytes(octets)
    (tmp_path / LIVE).unlink()

    with pytest.raises(ModelDamaged, match="checksum"):
        Writer.open(tmp_path, SECRET, bits=BITS)


def test_a_live_file_that_is_cut_off_is_built_anew(tmp_path):
    writer = Writer.open(tmp_path, SECRET, bits=BITS)
    teach(writer, 1, 5)
    writer.snapshot()
    expected = score_of(writer)
    writer.close()
    os.truncate(tmp_path / LIVE, 10_000)
    again = Writer.open(tmp_path, SECRET, bits=BITS)

    assert (4, expected) == (again.lesson, score_of(again))
    again.close()


WRITES = """
import sys
from pathlib import Path
from tests.learn.test_model_file import BITS, SECRET, teach
from lazaret.learn.model_file import Writer
writer = Writer.open(Path(sys.argv[1]), SECRET, bits=BITS)
lesson = writer.lesson
while True:
    teach(writer, lesson + 1, lesson + 2)
    lesson += 1
    if lesson % 5 == 0:
        writer.snapshot()
    print(lesson, flush=True)
"""


def test_kill_9_of_the_writer_tears_no_model_and_loses_no_lesson_that_is_taught_again(tmp_path, pytestconfig):
    """Readers go on reading all the while; the model after it equals one that was never disturbed."""
    reader = Reader(tmp_path, SECRET)
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE, cwd=pytestconfig.rootpath
        ) as process:
            assert process.stdout is not None
            until = time.monotonic() + 20
            for _ in range(12):
                acknowledged = int(process.stdout.readline())
                reader.refresh()
                assert np.isfinite(score_of(reader))
                assert time.monotonic() < until
            process.send_signal(signal.SIGKILL)
    writer = Writer.open(tmp_path, SECRET, bits=BITS)
    assert writer.lesson >= acknowledged - 5
    teach(writer, writer.lesson + 1, acknowledged + 1)
    last = writer.lesson  # the writer may have come further than it had time to say
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    other = Writer.open(undisturbed, SECRET, bits=BITS)
    teach(other, 1, last + 1)

    assert np.array_equal(other.table, writer.table)
    writer.close()
    other.close()
