"""What each field of a query finds, and what it does not."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from tests.support.databases import PASSWORD, Servers

from lazaret.model.envelope import Session
from lazaret.model.verdict import Category, ScoredHit
from lazaret.store.opening import Store, open_store
from lazaret.store.query import QueryError
from lazaret.store.reader import Reader, SearchStopped

from .conftest import KINDS, URL
from .entries import NOW, delivered, quarantined, recipient

PRIZES = quarantined(mail_id="prizes111111")
OTHER = quarantined(
    mail_id="other2222222",
    time=NOW - 86_400,
    session=Session(
        client_ip="198.51.100.9", client_name="", helo="relay.elsewhere.example", queue_id="4dABC"
    ),
    sender="",
    recipients=(recipient("carl.smith@away.example", action="discard", category=Category.VIRUS),),
    size=3_000_000,
    category=Category.VIRUS,
    score=-2.5,
    hits=(ScoredHit("CLAM_VIRUS", 0.0, "a virus"),),
    message_id="<other@elsewhere.example>",
    from_header="王小明 <robot@notspam.example>",
    reply_to="",
    subject="Ihre Rechnung für März",
    to_header="Carl <carl.smith@away.example>",
    body_text="Die Rechnung liegt bei. golden hour, ticket office",
    attachments=("Rechnung.pdf.exe",),
)
HISTORY = delivered(mail_id="history33333", time=NOW - 3 * 86_400)


@pytest.fixture(scope="module", params=KINDS)
def filled(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("search")
    url = URL if request.param == "sqlite" else servers.new(request.param)
    store = open_store(url, folder, create=True, password=PASSWORD)

    async def fill() -> None:
        await asyncio.gather(*(store.journal.keep(entry) for entry in (PRIZES, OTHER)))
        await store.writer.keep(HISTORY)

    asyncio.run(fill())
    yield store
    store.close()


def found(store: Store, query: str, everything: bool = True) -> str:
    """The first letters of the ids of what is found, newest first."""

    async def search() -> str:
        items = [item async for item in store.quarantine.find(query, everything=everything, now=NOW + 60)]
        assert len(items) == await store.quarantine.count(query, everything=everything, now=NOW + 60)
        return "".join(item.mail_id[0] for item in items)

    return asyncio.run(search())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "poh"),
        ("golden", "po"),
        ('"golden ticket"', "p"),
        ("golden -claim", "o"),
        ("lunch", "h"),
        ('"lunch on"', "h"),
        ('"on lunch"', ""),
        ("rechnung MÄRZ", "o"),
        ("prizes.example", "p"),
        ("friend.example", "h"),
        ("bob", "h"),
        ("王小", "o"),
        ("明", "o"),
        ("from:spam.example", "p"),
        ("from:notspam.example", "o"),
        ("from:am.example", ""),
        ("from:prizes.example", "p"),
        ("from:@news.spam.example", "p"),
        ("from:PROMO@news.spam.example", "p"),
        ("from:claims@other.example", "p"),
        ("from:<>", "o"),
        ("from:prom", "p"),
        ("from:prize", "p"),
        ("from:news", ""),
        ("from:小明", "o"),
        ("envelope-from:spam.example", "p"),
        ("envelope-from:prizes.example", ""),
        ("header-from:prizes.example", "p"),
        ("header-from:win@prizes.example", "p"),
        ("header-from:spam.example", ""),
        ("header-from:other.example", ""),
        ("header-from:bob@friend.example", "h"),
        ("header-from:friend", "h"),
        ("to:home.example", "ph"),
        ("to:ann@home.example", "ph"),
        ("to:team@list.example", "ph"),
        ("to:lee", "ph"),
        ("to:carl", "o"),
        ("-to:carl", "ph"),
        ("subject:won", "p"),
        ("subject:lunch", "h"),
        ("subject:golden", ""),
        ("body:golden", "po"),
        ("body:won", ""),
        ("rule:BAYES_99", "p"),
        ("rule:bayes_99", "p"),
        ("rule:BAYES", ""),
        ("rule:HTML*", "ph"),
        ("rule:BAYES%99", ""),
        ("score:>6", "p"),
        ("score:>=6.001", "p"),
        ("score:6.001", "p"),
        ("score:<0", "o"),
        ("score:<=-2.5", "o"),
        ("size:>1M", "o"),
        ("size:<1k", "ph"),
        ("category:spam", "p"),
        ("category:V", "o"),
        ("category:clean", "h"),
        ("state:quarantined", "po"),
        ("state:delivered", "h"),
        ("state:released", ""),
        ("state:uncertain", ""),
        ("state:refused", ""),
        ("since:2h", "p"),
        ("since:2d", "po"),
        ("before:2d", "h"),
        ("-since:2d", "h"),
        ("client:192.0.2.7", "ph"),
        ("client:198.51.", "o"),
        ("client:spam.example", "ph"),
        ("client:elsewhere.example", "o"),
        ("id:prizes111111", "p"),
        ("id:prizes111111[0]", "p"),
        ("id:prizes111111[7]", ""),
        ("id:PRIZES111111", ""),
        ("message-id:won-1@prizes.example", "ph"),
        ("message-id:<other@elsewhere.example>", "o"),
        ("queue-id:4dABC", "o"),
        ("attachment:rechnung.pdf", "o"),
        ("attachment:exe", "o"),
        ("attachment:doc", ""),
        ("action:quarantine", "p"),
        ("action:discard", "o"),
        ("action:deliver", "h"),
        ("from:spam.example to:ann@home.example rule:BAYES_99 golden", "p"),
    ],
)
def test_a_query_finds_exactly_this(filled: Store, query: str, expected: str) -> None:
    assert expected == found(filled, query)


def test_without_everything_only_the_quarantine_is_searched(filled: Store) -> None:
    assert "po" == found(filled, "", everything=False)
    assert "" == found(filled, "lunch", everything=False)


@pytest.mark.parametrize(
    "query",
    [
        "score:high",
        "size:big",
        "since:someday",
        "before:2026-13-45",
        "category:bacon",
        "state:gone",
        "action:eat",
        "...",
    ],
)
def test_a_value_that_makes_no_sense_is_pointed_at(filled: Store, query: str) -> None:
    with pytest.raises(QueryError) as caught:
        found(filled, query)
    assert query.find(":") + 1 == caught.value.position


@pytest.mark.parametrize(
    "value",
    [
        "'",
        '" OR 1=1 --',
        "'; DROP TABLE msgs; --",
        ":value",
        "?",
        "%",
        "_",
        "a* OR b",
        "NEAR(a b)",
        "\x00",
        "}{",
    ],
)
def test_what_looks_like_sql_is_only_text(filled: Store, value: str) -> None:
    quoted = '"' + value.replace('"', "") + ' x"'
    for field in (
        "",
        "from:",
        "to:",
        "subject:",
        "body:",
        "rule:",
        "client:",
        "id:",
        "message-id:",
        "attachment:",
    ):
        assert "" == found(filled, field + quoted)
    assert "poh" == found(filled, "")


def test_a_date_without_zone_is_in_the_local_one(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # NOW is 2026-02-02T02:40:00Z: in Tokyo it is almost noon, in Los Angeles still the first of February.
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert "p" == found(filled, "since:2026-02-02")
        assert "oh" == found(filled, "before:2026-02-02")
        assert "p" == found(filled, "since:2026-02-02T11:40:00")
        assert "" == found(filled, "since:2026-02-02T11:40:01")
        assert "p" == found(filled, "since:2026-02-02T02:40:00+00:00")
        monkeypatch.setenv("TZ", "America/Los_Angeles")
        time.tzset()
        assert "" == found(filled, "since:2026-02-02")
        assert "p" == found(filled, "since:today")
        assert "po" == found(filled, "since:yesterday -before:yesterday")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_pages_follow_each_other_without_gap_or_overlap(store: Store) -> None:
    entries = [quarantined(mail_id=f"page{number:08}", time=NOW + number // 3) for number in range(10)]

    async def in_pages() -> list[str]:
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))
        ids, after = [], ""
        while page := [item async for item in store.quarantine.find("", limit=3, after=after)]:
            ids += [item.mail_id for item in page]
            after = page[-1].cursor
        return ids

    assert [entry.mail_id for entry in reversed(entries)] == asyncio.run(in_pages())


def test_a_search_that_takes_too_long_is_stopped_and_says_so(store: Store) -> None:
    slow = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        " SELECT count(*) FROM n a, n b, n c WHERE (a.i + b.i) % 7 = c.i % 7"
    )
    reader = Reader(store.database, search_s=0.1)
    start = time.monotonic()
    with pytest.raises(SearchStopped, match=r"longer than 0\.1 s.*since:"):
        asyncio.run(reader.run(lambda connection: connection.execute(slow).fetchone(), limited=True))
    assert time.monotonic() - start < 5
    reader.close()
