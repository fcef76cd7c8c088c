"""Links in mails: for one purpose, one message, one recipient, for a while, and nobody else makes them."""

import base64
import stat
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.flow.links import Link, LinkExpired, LinkInvalid, Links, Purpose, link_key
from lazaret.model.errors import UserError

LINK = Link(Purpose.COPY, "ann@home.example", 2000, "7vykgLjHGVrk", 3)
LINKS = Links(b"k" * 32, "https://quarantine.example.org")


def test_a_link_comes_back_as_it_was_made():
    assert LINK == LINKS.read(LINKS.token(LINK), now=1999)
    assert f"https://quarantine.example.org/d/{LINKS.token(LINK)}" == LINKS.to(LINK)


def test_a_link_holds_until_its_time_and_no_longer():
    for now in (2000, 1e12):
        with pytest.raises(LinkExpired):
            LINKS.read(LINKS.token(LINK), now=now)


@given(st.data())
def test_a_link_of_which_one_character_is_another_is_none(data: st.DataObject):
    token = LINKS.token(LINK)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(sorted(set("ABCXYZabcxyz019-_") - {token[place]})))
    changed = token[:place] + other + token[place + 1 :]
    if _octets(changed) == _octets(token):
        return  # the last character has bits to spare
    with pytest.raises(LinkInvalid):
        LINKS.read(changed, now=0)


def _octets(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


@pytest.mark.parametrize(
    "changed",
    [
        replace(LINK, recipient="bob@home.example"),
        replace(LINK, mail_id="otherMessage"),
        replace(LINK, partition_tag=4),
        replace(LINK, expires=9999),
        replace(LINK, purpose=Purpose.DIGEST),
    ],
)
def test_the_signature_of_one_link_is_no_good_for_another(changed: Link):
    mac, octets = _octets(LINKS.token(LINK))[:20], _octets(LINKS.token(changed))[20:]
    forged = base64.urlsafe_b64encode(mac + octets).rstrip(b"=").decode()
    with pytest.raises(LinkInvalid):
        LINKS.read(forged, now=0)


def test_a_link_of_another_key_is_none():
    with pytest.raises(LinkInvalid):
        Links(b"K" * 32, LINKS.url).read(LINKS.token(LINK), now=0)


@given(st.text(max_size=2000))
def test_whatever_stands_in_the_place_of_a_link_is_refused_in_words(text: str):
    with pytest.raises(LinkInvalid):
        LINKS.read(text, now=0)


def test_the_longest_address_fits_into_a_link():
    link = replace(LINK, recipient="ä" * 64 + "@" + "d" * 190 + ".example")
    assert link == LINKS.read(LINKS.token(link), now=0)


def test_a_link_has_no_character_that_a_mail_program_breaks():
    assert set(LINKS.token(LINK)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_key_stays_is_ours_alone_and_differs_from_place_to_place(tmp_path: Path):
    (tmp_path / "other").mkdir()
    key = link_key(tmp_path)
    assert key == link_key(tmp_path)
    assert key != link_key(tmp_path / "other")
    assert 0o600 == stat.S_IMODE((tmp_path / "link.key").stat().st_mode)
    assert ["link.key", "other"] == sorted(path.name for path in tmp_path.iterdir())


def test_processes_that_want_the_first_key_at_once_get_the_same(tmp_path: Path):
    with get_context("spawn").Pool(4) as pool:
        assert 1 == len(set(pool.map(link_key, [tmp_path] * 16)))


def test_a_damaged_key_is_told_with_what_to_do(tmp_path: Path):
    (tmp_path / "link.key").write_bytes(b"short")
    with pytest.raises(UserError, match="remove it, and a new one is made"):
        link_key(tmp_path)
