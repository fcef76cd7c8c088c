"""Under which keys an address is looked up."""

import pytest

from lazaret.policy import keys as k

ANN = "Ann+Shop@mail.example.org"


def test_the_keys_of_an_address_are_amavis_own_in_its_order():
    expected = (
        *("Ann+Shop@mail.example.org", "ann+shop@mail.example.org", "ann@mail.example.org"),
        *("ann+shop", "ann", "@mail.example.org"),
        *("@.mail.example.org", "@.example.org", "@.org", "@."),
    )
    assert expected == k.keys(ANN, delimiter="+", bare_user=True)


def test_without_a_delimiter_an_address_has_no_extension():
    assert ("a+b@x.example", "@x.example", "@.x.example", "@.example", "@.") == k.keys("a+b@x.example")


def test_the_bare_user_is_asked_for_our_own_domains_alone():
    assert "ann" not in k.keys(ANN, delimiter="+")


def test_an_address_literal_lies_below_nothing():
    assert ("a@[192.0.2.1]", "@[192.0.2.1]", "@.") == k.keys("a@[192.0.2.1]")


def test_the_null_sender_has_keys_of_its_own():
    assert ("", "@", "@.") == k.keys("")


def test_a_quoted_local_part_is_looked_up_without_its_quotes():
    assert "two words@x.example" == k.keys('"two words"@x.example')[0]


def test_a_domain_of_many_labels_has_a_bounded_number_of_keys():
    assert 23 >= len(k.keys("a@" + "a." * 1000 + "example"))


@pytest.mark.parametrize(
    ("key", "priority"),
    [
        ("a+b@x.example", 9),
        ("a@x.example", 8),
        ("a+b", 7),
        ("a", 6),
        ("@sub.x.example", 5),
        ("@.sub.x.example", 3),
        ("@.x.example", 2),
        ("@.example", 1),
        ("@.", 0),
    ],
)
def test_priorities_are_those_of_amavis_tables(key: str, priority: int):
    assert priority == k.priority(key)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Ann@X.example", "ann@x.example"),
        ("x.example", "@x.example"),
        ("@x.example", "@x.example"),
        (".x.example", "@.x.example"),
        ("@.x.example", "@.x.example"),
        ("everybody", "@."),
        ("@.", "@."),
        ("<>", ""),
        ("b\u00fccher.example", "@xn--bcher-kva.example"),
    ],
)
def test_people_write_addresses_and_domains(text: str, key: str):
    assert key == k.from_words(text)
    assert key == k.from_words(k.in_words(key))


@pytest.mark.parametrize("text", ["", "@", "a b", "a@", "x..example", "a@@b", "a@b@c.example"])
def test_what_is_no_address_is_refused_with_what_to_write(text: str):
    with pytest.raises(ValueError, match=r"write \"ann@example\.org\""):
        k.from_words(text)


@pytest.mark.parametrize(
    ("key", "within"),
    [
        ("@a.example", True),
        ("ann@a.example", True),
        ('"x@y"@a.example', True),
        ("@.a.example", False),
        ("@sub.a.example", False),
        ("ann@ba.example", False),
        ("@.b.example", True),
        ("@b.example", True),
        ("ann@deep.b.example", True),
        ("@.deep.b.example", True),
        ("@xb.example", False),
        ("@.example", False),
        ("@.", False),
        ("@", False),
        ("", False),
        ("ann", False),
    ],
)
def test_a_key_is_for_whoever_has_its_domain(key: str, within: bool):
    """`.b.example` is a tree, `a.example` is not."""
    assert within is k.lies_within(key, ["a.example", ".B.example"])
    assert not k.lies_within(key, [])
