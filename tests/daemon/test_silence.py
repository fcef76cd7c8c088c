"""What is silence, and what is a machine that has other things to do."""

import os
import signal
import subprocess
import sys
import time

from lazaret.daemon.silence import Silence

BUSY = "import os; os.sched_setaffinity(0, {%d}); print(flush=True)\nwhile True: pass"


def test_a_process_that_is_not_let_run_is_not_silent():
    """It shares a processor with three others that go before it.

    It has a turn every few hundredths of a second all the same: only then the kernel counts what it waited.
    """
    busy = [sys.executable, "-c", BUSY % min(os.sched_getaffinity(0))]
    processes = [
        subprocess.Popen(words, stdout=subprocess.PIPE)
        for words in (["nice", "-n", "5", *busy], busy, busy, busy)
    ]
    starved = processes[0].pid
    try:
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        silence, sign = Silence(), time.monotonic()
        silence.of(starved, sign)
        time.sleep(1.5)
        assert silence.of(starved, sign) < 0.7 * (time.monotonic() - sign)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_process_that_stands_still_is_silent_until_its_next_sign():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        process.send_signal(signal.SIGSTOP)
        silence, sign = Silence(), time.monotonic()
        silence.of(process.pid, sign)
        time.sleep(0.3)
        assert silence.of(process.pid, sign) > 0.2
        assert silence.of(process.pid, time.monotonic()) < 0.2
        process.kill()


def test_of_a_process_that_has_ended_time_goes_on():
    silence = Silence()
    assert silence.of(1 << 30, time.monotonic() - 5) >= 5
    silence.forget(1 << 30)
