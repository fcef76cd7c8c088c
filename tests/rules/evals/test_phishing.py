"""Links on lists of phishing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet

Values = Callable[..., dict[str, float]]
Call = Callable[..., float | str]

PHISHTANK = (
    "phish_id,url,phish_detail_url\n"
    '1,"http://tank.example.com/a,b?c",http://x.example/1\n'
    "# 2,http://comment.example.com/,x\n"
    "broken\n"
)
PHISHSTATS = (
    '#\n"d","7.5","http://stats.example.com/high","1.2.3.4"\n"d","6","http://stats.example.com/low","x"\n'
)


@pytest.fixture
def feeds(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    (tmp_path / "open.txt").write_text(
        "# x\nhttps://open.example.com/login?u=1\r\nhttp://open.example.com/\n"
    )
    (tmp_path / "tank.csv").write_text(PHISHTANK)
    (tmp_path / "stats.csv").write_text(PHISHSTATS)
    return {
        "phishing_openphish_feed": (str(tmp_path / "open.txt"),),
        "phishing_phishtank_feed": (str(tmp_path / "tank.csv"),),
        "phishing_phishstats_feed": (str(tmp_path / "stats.csv"),),
    }


def mail(link: str) -> bytes:
    return f"Subject: s\nContent-Type: text/html\n\n<a href='{link}'>here</a>\n".encode()


@pytest.mark.parametrize(
    ("expected", "link"),
    [
        ("OpenPhish (example.com)", "https://open.example.com/login?u=1"),
        ("PhishTank (example.com)", "http://tank.example.com/a,b?c"),
        ("PhishStats (example.com)", "http://stats.example.com/high"),
        ("", "http://stats.example.com/low"),
        ("", "https://open.example.com/login?u=2"),
        ("", "http://comment.example.com/"),
        ("", "mailto:a@open.example.com"),
    ],
)
def test_a_link_on_a_list_is_found(
    call: Call, feeds: dict[str, tuple[str, ...]], expected: str, link: str
) -> None:
    assert expected == call(mail(link), "check_phishing", settings=feeds)


@pytest.mark.parametrize(
    ("expected", "link"),
    [
        ("OpenPhish (example.com)", "https://open.example.com/login/?u=2"),
        ("", "https://open.example.com/login?u=1"),
    ],
)
def test_parameters_may_not_count(
    call: Call, feeds: dict[str, tuple[str, ...]], tmp_path: Path, expected: str, link: str
) -> None:
    """A link with one name after the host alone is too little to go by."""
    (tmp_path / "open.txt").write_text(
        "https://open.example.com/login/?u=1\nhttps://open.example.com/login\n"
    )
    settings = {**feeds, "phishing_uri_noparam": ("1",)}
    assert expected == call(mail(link), "check_phishing", settings=settings)


def test_an_image_is_no_link(call: Call, feeds: dict[str, tuple[str, ...]]) -> None:
    raw = b"Subject: s\nContent-Type: text/html\n\n<img src='http://stats.example.com/high'>\n"
    assert "" == call(raw, "check_phishing", settings=feeds)


def test_a_renewed_list_counts_and_a_missing_one_costs_nothing(
    rules: Callable[[str], RuleSet], tmp_path: Path
) -> None:
    ruleset = rules("body X eval:check_phishing()\nphishing_openphish_feed feed.txt\n")

    def hits() -> set[str]:
        return set(ruleset.evaluate(message.parse(mail("http://new.example.com/x")), 0).values)

    assert set() == hits()
    (tmp_path / "feed.txt").write_text("http://old.example.com/x\n")
    assert set() == hits()
    (tmp_path / "new.txt").write_text("http://new.example.com/x\n")
    os.replace(tmp_path / "new.txt", tmp_path / "feed.txt")
    assert {"X"} == hits()
