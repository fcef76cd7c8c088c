"""A campaign on the page: one line, opened, released or deleted as a whole once its number was seen."""

import random
import re

import pytest
from tests.support.installation import ANN, BOB

LETTER = (
    "quarantine-me-please dear customer, we have looked at the account of your company and found several "
    "invoices that are not paid. Kindly send the sum to the new account of our bank which is named "
    "below before the end of this week, or we shall have to give the matter to our "
    "lawyers, which would be a pity after so many good years together."
)


def flood(site, word, *to, first=0, copies=4):
    """Copies of a letter of its own, each with another number and name."""
    words = LETTER.split()
    random.Random(word).shuffle(words)
    return [
        site.send_found(" ".join([*words, f"name{n} {n}"]), *to, subject=f"{word} invoice {n}")
        for n in range(first, first + copies)
    ]


@pytest.fixture(scope="module")
def campaign(site):
    return flood(site, "ledger", ANN)


def rows(seen):
    return re.findall(r'<tr data-id="([^"]+)"', seen.text)


def test_they_are_one_line_that_opens_to_each(site, admin, campaign):
    seen = admin.get("/mail?q=subject:ledger")

    [shown] = rows(seen)
    assert shown in campaign
    assert "4 alike" in seen.words
    assert "4 messages" in seen.words, "the number of messages, not of lines"
    path = re.search(r'class="tag many" href="([^"]+)"', seen.text)[1].replace("&amp;", "&")
    assert set(campaign) == set(rows(admin.get(path)))
    assert set(campaign) == set(rows(admin.get("/mail?q=subject:ledger&each=1")))


def test_a_message_that_is_not_like_them_stays_alone(site, admin, campaign):
    other = site.send_found(
        "quarantine-me-please and ledger: " + " ".join(f"word{chr(97 + n)}" for n in range(26)) + " ledger",
        ANN,
        subject="another ledger",
    )
    shown = rows(admin.get("/mail?q=ledger"))

    assert 2 == len(shown)
    assert other in shown


def test_ticking_the_line_acts_on_all_once_their_number_was_seen(site, admin):
    ids = flood(site, "harvest", ANN)
    page = admin.get("/mail?q=subject:harvest")
    number = re.search(r'name="campaign" value="([0-9a-f]{16})"', page.text)[1]
    form = {"q": "subject:harvest", "act": "delete", "campaign": number}
    question = admin.post("/mail/acts", form)

    assert "4 messages were found" in question.words
    assert {"quarantined"} == {str(i["state"]) for i in found(site, "subject:harvest")}
    assert "Meanwhile" in admin.post("/mail/all", form | {"seen": "3"}).words
    done = admin.post("/mail/all", form | {"seen": "4"})
    assert "4 were done." in done.words
    assert set(ids) == {i["id"] for i in found(site, "subject:harvest state:deleted")}
    before = site.hop.copies.total()
    more = flood(site, "harvest", ANN, first=4, copies=2)
    admin.post("/mail/all", form | {"act": "release", "seen": "2"})
    assert before + 2 == site.hop.copies.total()
    assert set(more) == {i["id"] for i in found(site, "subject:harvest state:released")}


def test_a_user_counts_and_acts_on_his_own_copies_alone(site, ann, bob):
    flood(site, "anchor", ANN, copies=2)
    of_bob = flood(site, "anchor", BOB, first=2, copies=3)
    page = ann.get("/mail?q=subject:anchor")
    number = re.search(r'name="campaign" value="([0-9a-f]{16})"', page.text)[1]

    assert "2 alike" in page.words
    form = {"q": "", "act": "delete", "campaign": number}
    assert "2 messages were found" in ann.post("/mail/acts", form).words
    assert "2 were done." in ann.post("/mail/all", form | {"seen": "2"}).words
    assert "3 alike" in bob.get("/mail?q=subject:anchor").words
    assert set(of_bob) == set(rows(bob.get(f"/mail?q=campaign:{number}")))


def test_what_is_no_campaign_is_nobody(admin):
    admin.get("/mail")
    for wrong in ("", "zz", "0" * 16, '" OR 1=1'):
        seen = admin.post("/mail/acts", {"q": "", "act": "delete", "campaign": wrong})
        assert seen.status in (200, 422)
        assert "were found" not in seen.words or "0 messages were found" in seen.words


def found(site, query):
    return site.rows("find", query, "--json")
