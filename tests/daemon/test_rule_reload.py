"""Rules that change under a running service: no client notices, and no bad set comes into force."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.next_hop import HopThread
from tests.support.service import RULES, Client, Service, send, service, until

from lazaret.daemon import compiling

LOW_SCORE = RULES.replace("6.0", "1.0")


@pytest.fixture
def watching(tmp_path: Path, hop: HopThread, free_port: Callable[[], int]) -> Iterator[Service]:
    with service(tmp_path, smtp=free_port(), hop=hop.port, rules="watch_s = 1") as running:
        yield running


def rule_file(running: Service) -> Path:
    return running.folder / "rules" / "test.cf"


def test_changed_rules_come_into_force_by_themselves_and_no_client_is_refused(watching: Service):
    before = watching.children()
    under_way = Client(watching.smtp)
    assert under_way.mail("wonder pills").startswith("250 2.7.0 Ok, discarded")
    rule_file(watching).write_text(LOW_SCORE)
    replies = []
    until(lambda: replies.append(send(watching.smtp, "wonder pills")) or "from MTA" in replies[-1])
    watching.wait_for_log("reload: done")

    assert all(reply.startswith("250") for reply in replies)
    assert f"rules: {rule_file(watching)} has changed" in watching.log()
    assert "the rules are being compiled, the old ones serve meanwhile" in watching.log()
    assert "reload: rules: 0 new, 0 gone, 1 with another score; 1 are run" in watching.log()
    until(lambda: not set(before) & set(watching.children()))
    assert 4 == len(watching.children())
    assert "421 4.3.2 Service shutting down, closing channel" == under_way.reply()
    under_way.close()


def test_a_line_that_cannot_be_used_is_logged_and_the_others_count(watching: Service):
    rule_file(watching).write_text(LOW_SCORE + "body BROKEN /unclosed\n")
    watching.wait_for_log("reload: done")

    assert f"rules: {rule_file(watching)}:5: " in watching.log()
    assert "from MTA" in send(watching.smtp, "wonder pills")


def test_rules_that_cannot_be_read_leave_the_old_ones_in_force(watching: Service):
    children = watching.children()
    rules = watching.folder / "rules"
    rules.rename(watching.folder / "elsewhere")
    watching.wait_for_log(f"the old configuration stays in force: {rules}: No such file or directory")

    assert "Ok, discarded" in send(watching.smtp, "wonder pills")
    assert children == watching.children()

    (watching.folder / "elsewhere").rename(rules)
    rule_file(watching).write_text(LOW_SCORE)
    watching.wait_for_log("reload: done")
    assert "from MTA" in send(watching.smtp, "wonder pills")


def test_a_cache_that_cannot_be_written_leaves_the_old_rules_in_force(watching: Service):
    cache = watching.folder / "data" / "rules-cache"
    cache.rename(cache.with_name("away"))
    cache.touch()
    rule_file(watching).write_text(LOW_SCORE)
    watching.wait_for_log("reload refused, the old configuration stays in force: the rules were not compiled")

    assert "the compiled rules cannot be kept in " in watching.log()
    assert "Ok, discarded" in send(watching.smtp, "wonder pills")


def test_workers_are_watched_while_rules_are_compiled(watching: Service):
    before = watching.children()
    many = "".join(f"body R{n} /(?:some|other){n}[a-z]{{2,9}} ?(?:word|thing)s{{0,3}}/\n" for n in range(400))
    rule_file(watching).write_text(LOW_SCORE + many)
    until(lambda: len(watching.children()) == 5)
    (compiler,) = set(watching.children()) - set(before)
    os.kill(compiler, signal.SIGSTOP)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    # The compiling process stands still: whoever waited for it would wait for ever.
    assert "Ok, discarded" in send(watching.smtp, "wonder pills")
    until(lambda: len(watching.children()) == 5)

    os.kill(compiler, signal.SIGCONT)
    watching.wait_for_log("401 are run")
    watching.wait_for_log("reload: done")
    assert "from MTA" in send(watching.smtp, "wonder pills")


def test_rules_that_change_while_they_are_compiled_are_compiled_again(watching: Service):
    before = watching.children()
    many = "".join(f"body R{n} /(?:some|other){n}[a-z]{{2,9}} ?(?:word|thing)s{{0,3}}/\n" for n in range(400))
    rule_file(watching).write_text(RULES + many)
    until(lambda: len(watching.children()) == 5)
    (compiler,) = set(watching.children()) - set(before)
    os.kill(compiler, signal.SIGSTOP)
    rule_file(watching).write_text(LOW_SCORE)
    watching.wait_for_log("reload: done")

    assert "from MTA" in send(watching.smtp, "wonder pills")
    assert compiler not in watching.children()


@pytest.mark.parametrize(("status", "said"), [(9, "ended by signal 9"), (73 << 8, "not compiled")])
def test_a_compiling_process_that_fails_is_told(status: int, said: str):
    with pytest.raises(compiling.UserError, match=said):
        compiling.check(status)
    compiling.check(0)
