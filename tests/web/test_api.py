"""The API: what pages do, for programs; with tokens, cursors, problems and keys against acting twice."""

import json

import pytest
from tests.support.installation import ANN, BOB, QUARANTINE

V1 = "/api/v1"


class Program:
    """Asks with a token."""

    def __init__(self, site, name, *scopes):
        options = [word for scope in scopes for word in ("--scope", scope)]
        self.token = site.output("user", "token", name, *options).strip()
        self._browser = site.browser()

    def __call__(self, method, path, body=None, **headers):
        named = {"Authorization": f"Bearer {self.token}"} | headers
        return self._browser.send(method, V1 + path, body, **named)


@pytest.fixture(scope="module")
def program(site, admin):
    """May do everything."""
    return Program(site, "chief@home.example", "read", "bodies", "act", "figures", "admin")


@pytest.fixture
def kept(site, request):
    return site.send_found(QUARANTINE, ANN, subject=f"api {request.node.name}")


def test_a_message_is_found_read_and_released(site, program, kept):
    [found] = program("GET", f"/messages?q=id:{kept}").json["messages"]
    detail = program("GET", f"/messages/{kept}").json

    assert (kept, [ANN], 6.0, "quarantined") == (found["id"], found["to"], found["score"], found["state"])
    assert "score 6.0 is 1.0 above the quarantine level 5.0" == detail["recipients"][0]["reason"]
    assert QUARANTINE in program("GET", f"/messages/{kept}/text").json["text"]
    raw = program("GET", f"/messages/{kept}/raw").octets
    done = program("POST", f"/messages/{kept}/release", {})
    assert (200, True) == (done.status, done.json["ok"])
    assert "queued as" in done.json["results"][0]["words"]
    assert site.hop.of(ANN)[-1].endswith(raw)


def test_pages_go_on_by_cursor_and_have_each_message_once(site, program):
    for n in range(5):
        site.send_found(QUARANTINE, ANN, subject=f"cursor test {n}")
    seen, after = [], ""
    while after is not None:
        page = program("GET", f"/messages?q=subject:cursor&limit=2&after={after}").json
        seen += [m["subject"] for m in page["messages"]]
        after = page["next"]

    assert 5 == len(seen) == len(set(seen))
    assert {"count": 5, "more": False} == program("GET", "/messages/count?q=subject:cursor").json


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/messages?q=nofield:x", 400),
        ("/messages?limit=0", 400),
        ("/messages?limit=many", 400),
        ("/messages?in=attic", 400),
        ("/messages?after=nonsense", 422),
        ("/messages/AAAAAAAAAAAA", 404),
    ],
)
def test_an_error_is_a_problem_with_words(program, path, status):
    seen = program("GET", path)

    assert (status, "application/problem+json") == (seen.status, seen.headers["Content-Type"])
    assert status == seen.json["status"]


def test_the_script_of_a_page_is_told_in_its_readers_language_and_a_program_in_english(program, admin):
    path, german = "/messages/AAAAAAAAAAAA", {"Accept-Language": "de"}
    in_page = admin.send("GET", f"/api/v1{path}", **german).json
    limit = admin.send("GET", "/api/v1/messages?q=nofield:x", **german).json

    assert (404, "So etwas gibt es nicht") == (in_page["status"], in_page["title"])
    assert "es gibt kein Feld nofield:" in limit["detail"]
    assert "There is nothing like that" == program("GET", path).json["title"]


def test_a_query_error_says_where(program):
    seen = program("GET", "/messages?q=hello+nofield:x").json

    assert (6, "there is no field nofield: (put it into quotes to search for it as text)") == (
        seen["position"],
        seen["detail"],
    )


def test_the_same_key_acts_once_and_gets_the_same_answer(site, program, kept):
    before = site.hop.copies[ANN]
    first = program("POST", f"/messages/{kept}/release", {"again": True}, Idempotency_Key="one")
    again = program("POST", f"/messages/{kept}/release", {"again": True}, Idempotency_Key="one")

    assert (200, first.octets, "true") == (again.status, again.octets, again.headers["Idempotency-Replayed"])
    assert before + 1 == site.hop.copies[ANN]
    other = program("POST", f"/messages/{kept}/release", {"again": False}, Idempotency_Key="one")
    assert 422 == other.status
    program("POST", f"/messages/{kept}/release", {"again": True}, Idempotency_Key="two")
    assert before + 2 == site.hop.copies[ANN]


def test_many_have_a_result_each(program, site):
    ids = [site.send_found(QUARANTINE, ANN, subject=f"api bulk {n}") for n in range(2)]
    seen = program("POST", "/acts", {"act": "delete", "ids": [*ids, "AAAAAAAAAAAA"]}).json["outcomes"]

    assert [(ids[0], True), (ids[1], True), ("AAAAAAAAAAAA", False)] == [(o["id"], o["ok"]) for o in seen]


def test_a_scope_is_all_that_a_token_is_good_for(site, program, kept):
    reader = Program(site, "chief@home.example", "read")

    assert 200 == reader("GET", f"/messages/{kept}").status
    assert 403 == reader("GET", f"/messages/{kept}/text").status
    assert 403 == reader("POST", f"/messages/{kept}/release", {}).status
    assert 403 == reader("GET", "/audit").status
    assert 400 == reader("GET", f"/messages?q=body:{QUARANTINE}").status
    assert "" == reader("GET", f"/messages/{kept}").json["hits"][0]["detail"]


def test_a_token_gives_no_more_than_its_owner_has(site, bob, kept):
    program = Program(site, BOB, "read", "bodies", "act", "figures", "admin")

    assert 404 == program("GET", f"/messages/{kept}").status
    assert 403 == program("GET", "/overview").status
    assert [] == program("GET", f"/messages?q=id:{kept}").json["messages"]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer lzt_no", "Basic YTpi", "Bearer " + "x" * 5000])
def test_without_a_token_there_is_nothing(site, token):
    headers = {"Authorization": token} if token else {}
    seen = site.browser().send("GET", f"{V1}/messages", **headers)

    assert 401 == seen.status
    assert seen.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_alone_does_not_act_over_the_api(site, admin, kept):
    """Or any site could make a browser act: a cookie comes along by itself, the page's token does not."""
    admin.get("/mail")
    path = f"{V1}/messages/{kept}/delete"

    assert 403 == admin.send("POST", path, {}).status
    assert 200 == admin.send("POST", path, {}, X_CSRF_Token=admin.csrf).status


def test_figures_and_the_record_are_there(program, kept):
    program("GET", f"/messages/{kept}/text")
    figures = program("GET", "/overview?hours=1").json
    [act] = program("GET", f"/audit?id={kept}").json["acts"]

    assert figures["messages"] > 0
    assert ("web:chief@home.example", "read", kept) == (act["who"], act["act"], act["mail_id"])


def test_the_document_needs_no_login_and_has_every_operation(site):
    from lazaret.web.api.routes import OPERATIONS

    seen = site.browser().send("GET", f"{V1}/openapi.json")
    paths = json.loads(seen.octets)["paths"]

    assert {(o.page.path, o.page.methods[0].lower()) for o in OPERATIONS} == {
        (path, method) for path, methods in paths.items() for method in methods
    }


def test_an_attachment_is_saved_and_the_saving_written_down(site, program):
    header = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    text = (
        f"--b\r\nContent-Type: text/plain\r\n\r\n{QUARANTINE}\r\n--b\r\nContent-Type: text/html\r\n"
        "Content-Disposition: attachment; filename*=utf-8''R%C3%A4tsel.html\r\n\r\n"
        "<script>1</script>\r\n--b--"
    )
    mail_id = site.send_found(text, ANN, subject="with a file", header=header)
    [file] = program("GET", f"/messages/{mail_id}/text").json["attachments"]
    path = f"/messages/{mail_id}/attachments/{file['number']}"
    saved = program("GET", path)

    assert (200, b"<script>1</script>") == (saved.status, saved.octets)
    assert "application/octet-stream" == saved.headers["Content-Type"]
    assert "nosniff" == saved.headers["X-Content-Type-Options"]
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="R_tsel.html"')
    assert 2 == len([a for a in program("GET", f"/audit?id={mail_id}").json["acts"] if a["act"] == "read"])
    for number in ("0", "1", "9", "999999999999999", "x"):
        assert 404 == program("GET", f"/messages/{mail_id}/attachments/{number}").status
    assert 403 == Program(site, "chief@home.example", "read", "act")("GET", path).status


def test_the_record_is_proven(own_site):
    own_site.person("chief@home.example", "--admin")
    program = Program(own_site, "chief@home.example", "admin")

    assert {"whole": True, "faults": []} == program("GET", "/audit/check").json
    own_site.write("UPDATE lz_audit SET who = 'somebody else' WHERE id = 2")
    seen = program("GET", "/audit/check").json
    assert not seen["whole"]
    assert "the record of acts was changed at or before number" in seen["faults"][0]
    assert 403 == Program(own_site, "chief@home.example", "read")("GET", "/audit/check").status


def test_all_that_the_page_says_of_a_message_is_told(site, program):
    header = (
        "MIME-Version: 1.0\r\nContent-Type: text/html\r\nSubject-Two: =?utf-8?Q?R=C3=A4tsel?=\r\n"
        "Received: from mail.pest.example (unknown [192.0.2.9]) by mx.home.example;"
        " Mon, 1 Jan 2024 00:00:00 +0000\r\n"
        "Authentication-Results: mx.home.example; spf=fail; dkim=none\r\n"
    )
    text = f"<p>{QUARANTINE}</p><a href='http://pest.example/x'>www.bank.example</a><script>1</script>"
    mail_id = site.send_found(text, ANN, subject="all of it", header=header)
    detail = program("GET", f"/messages/{mail_id}").json
    read = program("GET", f"/messages/{mail_id}/text").json
    html = program("GET", f"/messages/{mail_id}/html")

    assert {"release", "delete", "download", "learn", "decide"} <= set(detail["may"])
    assert (5.0, True) == (detail["levels"]["quarantine"], detail["stored"])
    [link] = read["links"]
    assert ("www.bank.example", "http://pest.example/x", True) == tuple(link.values())
    assert {"name": "Subject-Two", "value": "R\u00e4tsel"} in read["header"]
    station = {"by": "mx.home.example", "ip": "192.0.2.9", "helo": "mail.pest.example", "rdns": ""}
    assert station in read["path"]
    assert {"method": "SPF", "result": "fail"} in read["authentication"]
    assert (200, "text/html; charset=utf-8") == (html.status, html.headers["Content-Type"])
    assert "sandbox" in html.headers["Content-Security-Policy"]
    assert QUARANTINE in html.text
    assert "<script" not in html.text
    assert 400 == program("GET", f"/messages/{mail_id}/html?remote=yes").status
    assert 403 == Program(site, "chief@home.example", "read")("GET", f"/messages/{mail_id}/html").status
    assert [] == Program(site, "chief@home.example", "read")("GET", f"/messages/{mail_id}").json["may"]


def test_what_a_user_may_do_depends_on_the_kind_of_message(site, ann, kept):
    program = Program(site, ANN, "read", "bodies", "act")

    assert "release" in program("GET", f"/messages/{kept}").json["may"]
    site.write("UPDATE msgs SET content = 'V' WHERE mail_id = ?", kept)
    virus = program("GET", f"/messages/{kept}").json["may"]
    assert "request" in virus
    assert not {"release", "preview", "download", "decide"} & set(virus)
