"""What comes in while somebody looks at a list: nothing is missed, nothing comes twice, or back."""

import re
import time

import pytest
from tests.support.installation import ANN, QUARANTINE
from tests.web.test_campaigns import LETTER

from lazaret.web.search_pages import OVERLAP_S


def newest(seen):
    return re.search(r'data-newest="([^"]*)"', seen.text)[1]


def rows(seen):
    return re.findall(r'<tr data-id="([^"]+)"', seen.text)


@pytest.fixture(scope="module")
def fresh(admin):
    def look(query, known):
        return admin.get(f"/mail/fresh?q=subject:{query}&newer={known}")

    return look


def moved(site, mail_id, *, seconds_ago=None, like=None, name=None):
    """Gives a message another moment and another id, in all tables."""
    when = (like and site.query("SELECT time_num FROM msgs WHERE mail_id = ?", like)[0][0]) or (
        time.time() - seconds_ago
    )
    site.write("UPDATE msgs SET time_num = ? WHERE mail_id = ?", int(when), mail_id)
    for table in ("msgs", "msgrcpt", "quarantine", "lz_msgs") if name else ():
        site.write(f"UPDATE {table} SET mail_id = ? WHERE mail_id = ?", name, mail_id)  # noqa: S608
    return name or mail_id


def test_what_sorts_below_in_the_same_second_is_not_missed(site, admin, fresh):
    first = site.send_found(QUARANTINE, ANN, subject="second of hazel")
    known = newest(admin.get("/mail?q=subject:hazel"))
    assert 204 == fresh("hazel", known).status

    other = site.send_found(QUARANTINE, ANN, subject="again of hazel")
    below = moved(site, other, like=first, name="-" + other[1:])
    seen = fresh("hazel", known)

    assert [first, below] == rows(seen)
    assert 204 == fresh("hazel", newest(seen)).status


def test_what_was_stored_late_is_not_missed(site, admin, fresh):
    first = site.send_found(QUARANTINE, ANN, subject="first of alder")
    known = newest(admin.get("/mail?q=subject:alder"))
    late = moved(site, site.send_found("quarantine-me-please", ANN, subject="alder late"), seconds_ago=45)

    assert [first, late] == rows(fresh("alder", known))


def test_nothing_of_before_is_looked_at_again(site, admin, fresh):
    for number in range(3):
        old = site.send_found(QUARANTINE, ANN, subject=f"willow {number}")
        moved(site, old, seconds_ago=3 * OVERLAP_S)
    first = site.send_found(QUARANTINE, ANN, subject="willow of now")
    known = newest(admin.get("/mail?q=subject:willow&each=1"))
    moved(site, first, seconds_ago=5)
    new = site.send_found(QUARANTINE, ANN, subject="one more willow")

    assert [new, first] == rows(admin.get(f"/mail/fresh?q=subject:willow&each=1&newer={known}"))


def test_a_member_of_a_campaign_is_the_line_of_the_campaign(site, admin, fresh):
    def send(number):
        return site.send_found(f"{LETTER} name{number}", ANN, subject=f"rowan {number}")

    send(1), send(2)
    page = admin.get("/mail?q=subject:rowan")
    line = re.search(r'data-line="([0-9a-f]{16})"', page.text)[1]
    send(3)
    seen = fresh("rowan", newest(page))

    assert 1 == len(rows(seen))
    assert f'data-line="{line}" data-members="3"' in seen.text
    assert "3 alike" in seen.words
    assert 3 == len(rows(admin.get(f"/mail/fresh?q=subject:rowan&each=1&newer={newest(page)}")))


def test_what_was_deleted_is_gone(site, admin, fresh):
    kept, gone = (site.send_found(QUARANTINE, ANN, subject=f"aspen {word}") for word in ("a", "b"))
    admin.get("/mail")
    known = newest(admin.get("/mail?q=subject:aspen&each=1"))
    admin.post("/mail/acts", {"q": "", "act": "delete", "id": gone})

    seen = admin.get(f"/mail/fresh?q=subject:aspen&each=1&newer={known}")
    assert [kept] == rows(seen)
    admin.get("/mail")
    admin.post("/mail/acts", {"q": "", "act": "delete", "id": kept})
    assert 204 == fresh("aspen", newest(seen)).status


def test_a_list_that_was_empty_hears_of_the_first(site, admin, fresh):
    known = newest(admin.get("/mail?q=subject:linden"))
    assert 204 == fresh("linden", known).status
    mail_id = site.send_found(QUARANTINE, ANN, subject="linden")

    assert [mail_id] == rows(fresh("linden", known))


@pytest.mark.parametrize("wrong", ["", "x", "-", "9" * 40, "%C2%B2", "1-1-1-1", "-5-0"])
def test_a_place_that_is_none_is_the_beginning(site, admin, fresh, wrong):
    site.send_found(QUARANTINE, ANN, subject="cherry")
    assert 200 == fresh("cherry", wrong).status
