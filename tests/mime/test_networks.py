"""Which addresses a list of networks holds."""

import pytest

from lazaret.mime.networks import parse_list


@pytest.mark.parametrize(
    ("words", "address", "ours"),
    [
        (["192.0.2.0/24"], "192.0.2.9", True),
        (["192.0.2"], "192.0.2.9", True),
        (["192.0."], "192.0.77.1", True),
        (["10/8"], "10.9.8.7", True),
        (["192.0.2.1-192.0.2.4"], "192.0.2.3", True),
        (["192.0.2.1-192.0.2.4"], "192.0.2.5", False),
        (["[2001:db8::]/32"], "2001:db8:1::9", True),
        (["!192.0.2.5", "192.0.2/24"], "192.0.2.5", False),
        (["!192.0.2.5", "192.0.2/24"], "192.0.2.6", True),
        (["192.0.2/24", "!192.0.2.5"], "192.0.2.5", True),
        ([], "127.0.0.1", True),
        (["!127/8"], "127.0.0.1", True),
        (["192.0.2/24"], "no address", False),
    ],
)
def test_the_first_network_that_holds_an_address_decides(words: list[str], address: str, ours: bool) -> None:
    assert ours == (address in parse_list(words))


def test_a_word_that_is_no_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"'192\.0\.2\.1/99' is no network"):
        parse_list(["192.0.2.1/99"])
