"""How much time is left for a message."""

import time

import pytest

from lazaret.mime import message as mime
from lazaret.model.steps import Meanwhile
from lazaret.rules.run import DeadlineError, Run


def test_time_in_which_others_had_the_processor_is_not_the_messages():
    run = Run(mime.parse(b"\r\n"), 0.02, Meanwhile())
    time.sleep(0.05)  # as if the machine were busy

    run.look_at_clock()


def test_work_uses_the_time_up():
    run = Run(mime.parse(b"\r\n"), 0.02, Meanwhile())
    worked = time.thread_time() + 0.03
    while time.thread_time() < worked:
        pass

    with pytest.raises(DeadlineError):
        run.look_at_clock()
