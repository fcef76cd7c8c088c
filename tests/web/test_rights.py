"""The matrix of the configuration on pages and in the API: what is not granted is refused everywhere."""

import sqlite3

import pytest
from tests.support.installation import ANN, QUARANTINE
from tests.web.test_api import Program


def test_what_is_not_granted_is_neither_offered_nor_done(careful_site):
    site = careful_site
    mail_id = site.send_found(QUARANTINE, ANN, subject="to be asked for")
    ann = site.person(ANN)
    page = ann.get(f"/mail/{mail_id}")
    shown = page.words
    token = Program(site, ANN, "read", "bodies", "act")

    assert "Ask for release" in shown
    assert f'action="/mail/{mail_id}/delete"' not in page.text
    assert f'action="/mail/{mail_id}/release"' not in page.text
    assert QUARANTINE in ann.get(f"/mail/{mail_id}/frame").text + ann.get(f"/mail/{mail_id}").text
    ann.get(f"/mail/{mail_id}")
    for act, form in (("release", {}), ("delete", {}), ("learn", {"as": "ham"})):
        assert 403 == ann.post(f"/mail/{mail_id}/{act}", form).status
        assert 403 == token("POST", f"/messages/{mail_id}/{act}", {"spam": False} if form else {}).status
    assert 403 == ann.get(f"/mail/{mail_id}/raw").status
    assert 403 == token("GET", f"/messages/{mail_id}/raw").status
    ann.get("/mail")
    assert "you may not delete here" in ann.post("/mail/acts", {"act": "delete", "id": mail_id}).words
    assert [(" ",)] == site.query("SELECT rs FROM msgrcpt WHERE mail_id = ?", mail_id)
    assert 0 == site.hop.copies.total()

    lists = ann.get("/lists")
    assert '<option value="block">' in lists.text
    assert '<option value="allow">' not in lists.text
    assert 403 == ann.post("/lists", {"kind": "allow", "sender": "a@b.example", "owner": ANN}).status
    allow = {"kind": "allow", "sender": "a@b.example", "owner": ANN}
    assert 403 == token("POST", "/lists/add", allow).status
    assert 200 == token("POST", "/lists/add", allow | {"kind": "block"}).status
    ann.get(f"/mail/{mail_id}")
    assert "An admin has been asked" in ann.post(f"/mail/{mail_id}/request").words
    assert "Ask for release" not in ann.get(f"/mail/{mail_id}").words, "once is enough"

    with sqlite3.connect(site.database) as database:
        database.execute("UPDATE msgs SET content = 'V' WHERE mail_id = ?", (mail_id,))
    assert 403 == ann.post(f"/mail/{mail_id}/request").status
    boss = site.person("boss@home.example", "--domain", "home.example")
    boss.get(f"/mail/{mail_id}")
    assert 403 == boss.post(f"/mail/{mail_id}/release").status
    assert "An admin has been asked" in boss.post(f"/mail/{mail_id}/request").words


@pytest.mark.parametrize("wrong", ['user = ["releas"]', 'user_virus = "request"', "user_vires = []"])
def test_a_word_that_is_none_is_told_at_the_start(tmp_path, wrong):
    from lazaret.config.load import load
    from lazaret.config.problems import ConfigError

    file = tmp_path / "lazaret.toml"
    file.write_text(f"[rights]\n{wrong}\n")
    with pytest.raises(ConfigError, match=r"lazaret\.toml:2"):
        load(file, [], environment={}, euid=1)
