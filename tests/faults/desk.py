"""What lies in the quarantine of a service that is hurt, what left it, and what its learner knows."""

from collections import Counter
from contextlib import closing

from lazaret.learn.model_file import Reader, read_secret

from .conftest import Hurt
from .traffic import Traffic, message, number_of

DAY_S = 86_400


def stored(hurt: Hurt) -> dict[int, str]:
    """Number -> id of what lies in the quarantine."""
    with closing(hurt.open()) as connection:
        rows = connection.execute("SELECT mail_id, mail_text FROM quarantine WHERE chunk_ind = 1").fetchall()
    return {number_of(bytes(text)): mail_id for mail_id, text in rows}


def nothing(hurt: Hurt, traffic: Traffic) -> None:
    pass


def released(hurt: Hurt) -> Counter[int]:
    """Number -> how many copies of it the next hop got by a release, each with its own octets."""
    found = Counter(
        number_of(got.octets) for got in hurt.hop.hop.received if b"\r\nResent-Message-ID: " in got.octets
    )
    whole = [got.octets.endswith(message(number_of(got.octets))) for got in hurt.hop.hop.received]
    assert all(whole)
    return found


def make_old(hurt: Hurt, traffic: Traffic, count: int) -> None:
    """So many stored messages are older than anything is kept."""
    old = dict(sorted(stored(hurt).items())[:count])
    traffic.aged |= set(old)
    with closing(hurt.open()) as connection:
        for mail_id in old.values():
            values = {"age": 400 * DAY_S, "id": mail_id}
            connection.execute("UPDATE msgs SET time_num = time_num - :age WHERE mail_id = :id", values)


def write_lessons(hurt: Hurt, count: int) -> None:
    """Folders `spam` and `ham` below `lessons`, of so many messages each."""
    for kind in ("spam", "ham"):
        folder = hurt.folder / "lessons" / kind
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"{number}").write_bytes(f"Subject: {kind} {number}\n\n{kind} word{number}\n".encode())


def learned(hurt: Hurt) -> tuple[int, int]:
    """Spam and ham that the model knows."""
    data = hurt.folder / "data"
    model = Reader(data, read_secret(data))
    return (model.spam, model.ham) if model.known else (0, 0)
