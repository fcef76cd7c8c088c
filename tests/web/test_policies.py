"""Policies over page and API: by an admin for all, by a domain admin for his domains; and who set what."""

import pytest
from tests.support.installation import ANN, BOB
from tests.web.test_api import Program

SUBDOMAINS = ".tree.example"


@pytest.fixture(scope="module")
def chief(site, admin):
    return Program(site, "chief@home.example", "read", "admin")


@pytest.fixture(scope="module")
def boss(site):
    """A domain admin's browser."""
    return site.person("policy-boss@home.example", "--domain", "home.example", "--domain", SUBDOMAINS)


@pytest.fixture(scope="module")
def of_boss(site, boss):
    return Program(site, "policy-boss@home.example", "read", "admin")


def level(program, address, key="levels.quarantine"):
    told = program("GET", f"/policy?address={address}").json
    return next(one for one in told["settings"] if one["key"] == key)


def listed(program):
    return {one["for"]: one["settings"] for one in program("GET", "/policies?limit=500").json["policies"]}


def test_what_is_set_holds_is_listed_and_says_who_set_it(site, chief):
    wish = {"for": "Set@Home.example", "settings": {"quarantine": "6.5", "spam_lover": "yes", "local": "yes"}}
    answer = chief("POST", "/policies/set", wish).json

    assert "set@home.example" == answer["policy"]["for"]
    assert {"quarantine": "6.5", "spam_lover": "yes", "local": "yes"} == answer["policy"]["settings"]
    assert [] == answer["notes"]
    assert answer["policy"]["settings"] == listed(chief)["set@home.example"]
    assert {"value": "6.5", "origin": 'policy "set@home.example" for set@home.example'}.items() <= level(
        chief, "set@home.example"
    ).items()
    [change] = chief("GET", "/policy?address=set@home.example").json["changes"]
    assert ("web:chief@home.example", "policy set") == (change["who"], change["act"])
    assert "set@home.example: quarantine=6.5 spam_lover=yes local=yes" == change["detail"]
    assert change["detail"] in site.output("policy", "explain", "set@home.example")
    assert "policy set" in chief("GET", "/audit?limit=5").text

    gone = {"for": "set@home.example", "names": ["spam_lover"]}
    assert gone == chief("POST", "/policies/unset", gone).json
    assert {"quarantine": "6.5", "local": "yes"} == listed(chief)["set@home.example"]
    assert 200 == chief("POST", "/policies/unset", {"for": "set@home.example"}).status
    assert "set@home.example" not in listed(chief)
    acts = [one["act"] for one in chief("GET", "/policy?address=set@home.example").json["changes"]]
    assert ["policy unset", "policy unset", "policy set"] == acts
    assert 422 == chief("POST", "/policies/unset", {"for": "set@home.example"}).status


def test_what_one_should_know_is_said_and_what_is_wrong_is_refused(chief):
    notes = chief("POST", "/policies/set", {"for": BOB, "settings": {"quarantine": "1"}}).json["notes"]
    assert ["nothing is marked below quarantine 1.0: mark is 3.0"] == notes
    assert 200 == chief("POST", "/policies/unset", {"for": BOB}).status
    for wrong in (
        {"for": "no address@@", "settings": {"mark": "1"}},
        {"for": ANN, "settings": {"mark": "many"}},
        {"for": ANN, "settings": {"no_such": "1"}},
        {"for": ANN, "settings": {"policy": "nobody has it"}},
    ):
        refused = chief("POST", "/policies/set", wrong)
        assert 422 == refused.status, wrong
        assert "application/problem+json" == refused.headers["Content-Type"]
    assert 400 == chief("POST", "/policies/set", {"for": ANN, "settings": {}}).status
    assert 400 == chief("POST", "/policies/set", {"whom": ANN, "settings": {"mark": "1"}}).status


def test_a_policy_of_several_is_set_for_all_who_have_it(chief):
    assert (
        []
        == chief("POST", "/policies/named/set", {"name": "mild", "settings": {"quarantine": "7.5"}}).json[
            "notes"
        ]
    )
    for address in ("a@mild.example", "b@mild.example"):
        assert 200 == chief("POST", "/policies/set", {"for": address, "settings": {"policy": "mild"}}).status
    chief("POST", "/policies/named/set", {"name": "mild", "settings": {"quarantine": "7"}})

    assert "7.0" == level(chief, "a@mild.example")["value"]
    [found] = [one for one in chief("GET", "/policies/named").json["policies"] if one["name"] == "mild"]
    assert (2, {"quarantine": "7.0"}) == (found["users"], found["settings"])
    details = [one["detail"] for one in chief("GET", "/policy?address=a@mild.example").json["changes"]]
    assert [
        'policy "mild": quarantine=7',
        "a@mild.example: policy=mild",
        'policy "mild": quarantine=7.5',
    ] == details
    wrong = {"name": "mild", "settings": {"local": "yes"}}
    assert 422 == chief("POST", "/policies/named/set", wrong).status


def test_pages_of_the_list_go_on_where_the_last_one_ended(chief):
    for n in range(3):
        chief("POST", "/policies/set", {"for": f"page{n}@paged.example", "settings": {"mark": "2"}})
    everything, after = [], ""
    while True:
        page = chief("GET", f"/policies?limit=2&after={after}").json
        everything += [one["for"] for one in page["policies"]]
        assert len(page["policies"]) <= 2
        if page["next"] is None:
            break
        after = page["next"]

    assert sorted(listed(chief)) == sorted(everything)
    assert {f"page{n}@paged.example" for n in range(3)} <= set(everything)


OTHERS = [
    "everybody",
    "@.",
    "away.example",
    "ann@away.example",
    ".home.example",
    "@.home.example",
    "ann@sub.home.example",
    "ann@nothome.example",
    "tree.example.org",
    "ann@nottree.example",
    ".example",
    "example",
]
OWN = [
    "home.example",
    "ann@home.example",
    "tree.example",
    ".tree.example",
    "a@b.tree.example",
    ".b.tree.example",
]


@pytest.mark.parametrize("whom", OTHERS)
def test_a_domain_admin_neither_sets_nor_takes_back_what_is_of_others(site, chief, of_boss, boss, whom):
    before = listed(chief)
    set_, unset = {"for": whom, "settings": {"quarantine": "99"}}, {"for": whom}
    for path, wish in (("/policies/set", set_), ("/policies/unset", unset)):
        assert 403 == of_boss("POST", path, wish).status
    boss.get("/policies")
    assert 403 == boss.post("/policies", {"whom": whom, "quarantine": "99"}).status
    assert 403 == boss.post("/policies", {"whom": whom, "act": "remove"}).status
    if whom[1:].count("@"):
        assert 403 == of_boss("GET", f"/policy?address={whom}").status
        assert 403 == boss.get(f"/policies?address={whom}").status

    assert before == listed(chief)


@pytest.mark.parametrize("whom", OWN)
def test_a_domain_admin_sets_and_takes_back_what_is_of_his_domains(chief, of_boss, whom):
    assert 200 == of_boss("POST", "/policies/set", {"for": whom, "settings": {"quarantine": "6"}}).status
    assert {"quarantine": "6.0"} == listed(of_boss)[whom] == listed(chief)[whom]
    assert 200 == of_boss("POST", "/policies/unset", {"for": whom}).status
    assert whom not in listed(chief)


def test_a_domain_admin_sees_no_policy_of_others_nor_who_set_it(chief, of_boss, boss):
    for whom in ("everybody", "ann@away.example", "ann@home.example"):
        chief("POST", "/policies/set", {"for": whom, "settings": {"tag": "-5"}})
    told = of_boss("GET", "/policy?address=ann@home.example").json["changes"]

    assert ["ann@home.example"] == [key for key in listed(of_boss) if "ann@" in key or key == "everybody"]
    assert {"ann@home.example", "home.example"} >= {one["detail"].partition(":")[0] for one in told}
    assert {"everybody", "ann@home.example"} <= {
        one["detail"].partition(":")[0]
        for one in chief("GET", "/policy?address=ann@home.example").json["changes"]
    }
    assert 403 == of_boss("GET", "/policies/named").status
    assert 403 == of_boss("POST", "/policies/named/set", {"name": "mild", "settings": {"mark": "99"}}).status
    assert 403 == of_boss("POST", "/policies/set", {"for": ANN, "settings": {"policy": "mild"}}).status
    shown = boss.get("/policies").words
    assert "away.example" not in shown
    assert "Policies that several have" not in shown
    assert 403 == boss.post("/policies", {"name": "mild", "mark": "99"}).status
    for whom in ("everybody", "ann@away.example", "ann@home.example"):
        chief("POST", "/policies/unset", {"for": whom})


def test_users_and_auditors_change_nothing(site, chief):
    site.person("policy-user@home.example")
    site.person("policy-auditor", "--auditor")
    user = Program(site, "policy-user@home.example", "read", "act", "figures", "admin")
    auditor = Program(site, "policy-auditor", "read", "figures", "admin")

    for path in ("/policies", "/policies/named", f"/policy?address={ANN}"):
        assert 403 == user("GET", path).status
        assert 200 == auditor("GET", path).status
    for path, wish in (
        ("/policies/set", {"for": "policy-user@home.example", "settings": {"mark": "99"}}),
        ("/policies/unset", {"for": "policy-user@home.example"}),
        ("/policies/named/set", {"name": "mild", "settings": {"mark": "99"}}),
    ):
        assert 403 == user("POST", path, wish).status
        assert 403 == auditor("POST", path, wish).status


def test_a_session_without_the_token_of_the_page_changes_nothing(site, admin, chief):
    wish = {"for": "forged@home.example", "settings": {"mark": "99"}}
    assert 403 == admin.send("POST", "/api/v1/policies/set", wish).status
    assert 403 == admin.post("/policies", {"whom": "forged@home.example", "mark": "99"}, csrf="x").status
    assert "forged@home.example" not in listed(chief)
    admin.get("/policies")
    assert 200 == admin.send("POST", "/api/v1/policies/set", wish, X_CSRF_Token=admin.csrf).status
    assert 200 == chief("POST", "/policies/unset", {"for": "forged@home.example"}).status


def test_the_page_sets_what_the_command_sets(site, admin, chief):
    admin.get("/policies")
    one = {"whom": "form@home.example", "quarantine": "6,5", "setting": "subject_tag", "value": "[?] "}
    seen = admin.post("/policies", one)
    assert "levels.quarantine 6.5" in seen.words
    assert "web:chief@home.example: form@home.example: quarantine=6.5 subject_tag=[?]" in seen.words
    assert {"quarantine": "6.5", "subject_tag": "[?] "} == listed(chief)["form@home.example"]
    noted = admin.post("/policies", {"whom": "form@home.example", "mark": "8"})
    assert "nothing is marked below quarantine 6.5: mark is 8.0" in noted.words
    admin.post("/policies", {"name": "form", "setting": "size_limit", "value": "20M"})
    admin.post("/policies", {"whom": "form@home.example", "setting": "policy", "value": "form"})
    assert {"size_limit": "20971520"} == listed(chief)["form@home.example"]
    assert "size_limit=20971520" in admin.get("/policies").words
    admin.post("/policies", {"whom": "form@home.example", "mark": "2"})
    admin.post("/policies", {"whom": "form@home.example", "act": "remove", "setting": "size_limit"})
    assert {"mark": "2.0"} == listed(chief)["form@home.example"]
    admin.post("/policies", {"whom": "form@home.example", "act": "remove"})
    assert "form@home.example" not in listed(chief)
