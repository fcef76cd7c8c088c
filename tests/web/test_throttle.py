"""Too many requests: who is refused, who is not, and what is said about it."""

import logging

import pytest
from tests.support.installation import ANN
from tests.support.ports import free_ports
from tests.web.conftest import running
from tests.web.test_api import Program

from lazaret.model.person import Person, Role
from lazaret.web.door import DEAR
from lazaret.web.throttle import MOST, Throttle, TooMany, place_of

ANNA = Person(1, "anna@home.example", Role.USER)
SIZE = 60
LIMIT = f"requests_per_minute = {SIZE}\n"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A site where everybody has 60 requests, and one more each second."""
    yield from running(tmp_path_factory.mktemp("narrow"), *free_ports(2), LIMIT)


@pytest.fixture
def lone(tmp_path):
    """The same for one test: it takes what there is for this address."""
    yield from running(tmp_path, *free_ports(2), LIMIT)


def used_up(ask):
    """The answer to the first request that was one too many."""
    for _ in range(3 * SIZE):
        if 429 == (seen := ask()).status:
            return seen
    raise AssertionError("there is no end to it")


def throttled(site):
    found = [line for line in site.get("/metrics").text.splitlines() if "requests_throttled_total " in line]
    return float(found[-1].split()[1])


def test_a_page_says_in_words_when_to_go_on_and_nobody_else_notices(narrow):
    ann, bob = narrow.person(ANN), narrow.person("bob@home.example")
    before = throttled(narrow)
    seen = used_up(lambda: ann.get("/mail?q=anything", Accept_Language="de"))

    assert "Zu viele Anfragen in kurzer Zeit. Weiter geht es in " in seen.words
    assert 1 <= int(seen.headers["Retry-After"]) <= DEAR
    assert "text/html" in seen.headers["Content-Type"]
    statuses = [ann.send("GET", "/api/v1/messages").status for _ in range(SIZE // DEAR // 2)]
    assert 429 in statuses, "a session is the same person over the API"
    assert 200 == bob.get("/mail").status
    assert 200 == Program(narrow, ANN, "read")("GET", "/messages").status, (
        "programs have a bucket of their own"
    )
    assert before + 2 <= throttled(narrow)
    assert 1 == narrow.log().count(f'too many requests: from=127.0.0.1 user="{ANN}" by=page')


def test_a_search_costs_more_than_a_message(narrow):
    narrow.person("count@home.example")
    program = Program(narrow, "count@home.example", "read", "account")
    searches = [program("GET", "/messages").status for _ in range(SIZE // DEAR + 4)]
    assert SIZE // DEAR <= searches.count(200) < len(searches)
    narrow.person("cheap@home.example")
    program = Program(narrow, "cheap@home.example", "read", "account")
    assert {200} == {program("GET", "/account/tokens").status for _ in range(SIZE - 2)}


def test_a_program_gets_a_problem(narrow):
    narrow.person("program@home.example")
    program = Program(narrow, "program@home.example", "read")
    seen = used_up(lambda: program("GET", "/messages"))

    assert "application/problem+json" == seen.headers["Content-Type"]
    assert 1 <= int(seen.headers["Retry-After"]) <= DEAR
    assert ("Too many requests", 429) == (seen.json["title"], seen.json["status"])
    assert 'user="program@home.example" by=token' in narrow.log()


def test_who_is_not_logged_in_has_the_bucket_of_his_address(lone):
    """A wrong token is nobody's; what machines watch, and what pages are made of, costs nothing."""
    ann = lone.person("inside@home.example")
    style = next(p for p in ann.get("/mail").text.split('"') if "/static/style-" in p)
    stranger = lone.browser()
    seen = used_up(lambda: stranger.send("GET", "/api/v1/messages", Authorization="Bearer lzt_none"))

    assert 429 == seen.status
    assert "Too many requests in a short time." in used_up(lambda: stranger.get("/login")).words
    assert 200 == ann.get("/mail").status
    for path in ("/healthz", "/readyz", "/metrics", "/favicon.ico", "/static/icon.svg"):
        assert {200} == {stranger.get(path).status for _ in range(SIZE + 2)}
    assert {200} == {ann.get(style).status for _ in range(SIZE + 2)}
    assert 'too many requests: from=127.0.0.1 user="" by=page' in lone.log()


def test_without_a_limit_there_is_none():
    throttle = Throttle(0)
    for _ in range(1000):
        throttle.take(DEAR, "192.0.2.1", None)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def refused(throttle, cost=1, remote="192.0.2.1", person=None, **more):
    """Seconds to wait; 0 for none."""
    try:
        throttle.take(cost, remote, person, **more)
    except TooMany as error:
        return error.wait_s
    return 0


def test_a_bucket_fills_again_and_no_further():
    clock = Clock()
    throttle = Throttle(60, clock)
    assert [0] * 12 == [refused(throttle, 5) for _ in range(12)]
    assert 5 == refused(throttle, 5)
    assert 5 == refused(throttle, 5), "who asks too early does not wait longer for it"
    clock.now += 3
    assert (0, 3) == (refused(throttle, 1), refused(throttle, 5))
    clock.now += 86_400
    assert [0] * 12 + [5] == [refused(throttle, 5) for _ in range(13)]


def test_what_costs_more_than_a_bucket_holds_is_let_through_when_it_is_full():
    clock = Clock()
    throttle = Throttle(2, clock)
    assert (0, 60) == (refused(throttle, 5), refused(throttle, 5))
    clock.now += 60
    assert 0 == refused(throttle, 5)


def test_person_program_and_address_have_one_each():
    throttle = Throttle(1, Clock())
    asks = [{"person": ANNA}, {"person": ANNA, "by_token": True}, {"person": None}]
    assert [0, 0, 0] == [refused(throttle, **ask) for ask in asks]
    assert [60, 60, 60] == [refused(throttle, **ask) for ask in asks]
    assert 60 == refused(throttle, person=ANNA, remote="2001:db8::1"), "wherever he asks from"


def test_an_address_of_version_6_is_as_good_as_its_network():
    assert place_of("2001:db8:1:2::7") == place_of("2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert place_of("2001:db8:1:2::7") != place_of("2001:db8:1:3::7")
    assert "192.0.2.7" == place_of("::ffff:192.0.2.7")
    assert place_of("192.0.2.7") != place_of("192.0.2.8")
    assert "testclient" == place_of("testclient")


def test_a_flood_of_addresses_takes_no_memory_and_nothing_from_any_account():
    throttle = Throttle(1, Clock())
    assert (0, 60) == (refused(throttle, person=ANNA), refused(throttle, person=ANNA))
    for number in range(MOST + 50):
        refused(throttle, remote=f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1")

    assert MOST == len(throttle._places._buckets)
    assert 60 == refused(throttle, person=ANNA)
    assert 60 == refused(throttle, remote=f"2001:db8:0:{MOST + 49:x}::1"), "the last ones are remembered"


def test_the_log_is_told_once_a_minute(caplog):
    clock = Clock()
    throttle = Throttle(1, clock)
    with caplog.at_level(logging.WARNING, "lazaret.web"):
        for _ in range(40):
            refused(throttle, person=Person(2, 'o"dd', Role.USER), remote="192.0.2.9")
        clock.now += 61
        for _ in range(40):
            refused(throttle, person=Person(2, 'o"dd', Role.USER), remote="192.0.2.9")
    assert ['too many requests: from=192.0.2.9 user="o?dd" by=page'] * 2 == [
        r.message for r in caplog.records
    ]
