"""Lists and figures as the page has them, by a program: what is alike, what is new, what plots show."""

import time
from string import ascii_lowercase

import pytest
from tests.support.installation import ANN, BOB, KILL, QUARANTINE
from tests.web.test_api import Program
from tests.web.test_campaigns import flood


@pytest.fixture(scope="module")
def chief(site, admin):
    return Program(site, "chief@home.example", "read", "act", "figures")


@pytest.fixture(scope="module")
def of_ann(site, ann):
    return Program(site, ANN, "read", "act", "figures")


def ids(seen):
    return [line["id"] for line in seen.json["lines"]]


def test_what_is_alike_is_one_line_that_opens_to_each(site, chief, of_ann):
    of_both = flood(site, "gravel", ANN, copies=3)
    of_bob = flood(site, "gravel", BOB, first=3, copies=2)
    [line] = chief("GET", "/messages/grouped?q=subject:gravel").json["lines"]
    [own] = of_ann("GET", "/messages/grouped?q=subject:gravel").json["lines"]

    assert (5, False) == (line["members"], line["more"])
    assert line["id"] in of_both + of_bob
    assert 3 == own["members"], "one's own copies alone are counted"
    assert own["id"] in of_both
    each = f"/messages/grouped?q=campaign:{line['campaign']}"
    assert {*of_both, *of_bob} == set(ids(chief("GET", each)))
    assert set(of_both) == set(ids(of_ann("GET", each)))
    assert {line["campaign"]} == {
        found["campaign"] for found in chief("GET", "/messages?q=subject:gravel").json["messages"]
    }


def test_pages_of_lines_go_on_by_cursor(site, chief):
    sent = []
    for kind in ("grey", "red", "round"):
        text = " ".join(f"{kind}{letter}" for letter in ascii_lowercase)
        sent.append(site.send_found(f"{QUARANTINE} {text}", ANN, subject=f"{kind} pebble"))
    seen, after = [], ""
    while after is not None:
        page = chief("GET", f"/messages/grouped?q=subject:pebble&limit=2&after={after}")
        seen += ids(page)
        after = page.json["next"]

    assert sorted(sent) == sorted(seen)


def test_what_came_in_meanwhile_is_told_once(site, chief, of_ann):
    first = site.send_found(QUARANTINE, ANN, subject="mortar one")
    start = chief("GET", "/messages/fresh?q=subject:mortar").json
    path = f"/messages/fresh?q=subject:mortar&newer={start['newest']}"

    assert [first] == [line["id"] for line in start["lines"]]
    assert {"lines": [], "newest": start["newest"], "full": False} == chief("GET", path).json
    second = site.send_found(QUARANTINE, BOB, subject="mortar two")
    news = chief("GET", path)
    assert {first, second} == set(ids(news))
    assert [] == ids(chief("GET", f"/messages/fresh?q=subject:mortar&newer={news.json['newest']}"))
    assert chief("GET", "/messages/fresh?q=subject:mortar&limit=1").json["full"]
    assert [first] == ids(of_ann("GET", "/messages/fresh?q=subject:mortar"))
    assert [] == ids(chief("GET", f"/messages/fresh?q=subject:mortar&newer={time.time() + 3600:.0f}"))
    assert [] == ids(chief("GET", "/messages/fresh?q=subject:nowhere-at-all"))


def test_figures_have_the_copies_of_each_span_and_the_top_senders(site, chief):
    site.send_found(KILL, ANN, BOB, subject="counted over the api")
    spans = chief("GET", "/overview/volume?hours=48&step=24").json
    top = chief("GET", "/overview/senders?limit=1").json["senders"]

    assert 24 == spans["step"]
    assert len(spans["spans"]) in (2, 3)
    assert spans["spans"][-1]["actions"]["discard"] >= 2
    assert {} == spans["spans"][0]["actions"], "an empty span is there"
    assert 1 == len(top)
    assert top[0]["messages"] >= 1
    assert "@" in top[0]["address"]


def test_figures_are_those_of_ones_own_domains(site, chief):
    site.person("head@far.example", "--domain", "far.example")
    boss = Program(site, "head@far.example", "figures")
    site.send_found(KILL, ANN, subject="not of this domain")

    assert [] == boss("GET", "/overview/senders").json["senders"]
    assert {} == {
        k: v for span in boss("GET", "/overview/volume").json["spans"] for k, v in span["actions"].items()
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/overview/volume?hours=8784&step=1", 422),
        ("/overview/volume?hours=8784&step=9", 200),
        ("/overview/volume?step=0", 400),
        ("/overview/senders?limit=501", 400),
        ("/messages/grouped?limit=201", 400),
        ("/messages/grouped?q=nofield:x", 400),
        ("/messages/grouped?after=nonsense", 422),
        ("/messages/fresh?each=2", 400),
        ("/messages/fresh?newer=nonsense", 200),
    ],
)
def test_parameters_have_bounds(chief, path, status):
    assert status == chief("GET", path).status


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/messages/grouped", "read"),
        ("/messages/fresh", "read"),
        ("/overview/volume", "figures"),
        ("/overview/senders", "figures"),
    ],
)
def test_each_needs_its_scope(site, admin, path, scope):
    others = [s for s in ("read", "bodies", "act", "figures", "admin") if s != scope]

    assert 403 == Program(site, "chief@home.example", *others)("GET", path).status
