"""Values of options: what is taken, what is refused, and that writing gives back what was read."""

import math

import pytest

from lazaret.config.kinds import Number, Several, Size, Switch, Text, Whole, Word, network, write_network
from lazaret.config.options import CHECK_OPTIONS, OPTIONS
from lazaret.config.problems import Unfit
from lazaret.config.words import KillAction


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, 0),
        (1000, 1000),
        ("1 GiB", 2**30),
        ("10MB", 10_000_000),
        ("1.5 KiB", 1536),
        ("512 mib", 512 * 2**20),
        ("7 B", 7),
    ],
)
def test_a_size_is_octets_or_a_text_with_a_unit(value, octets):
    assert octets == Size().read(value)


@pytest.mark.parametrize("value", ["1 G", "GiB", "-1 MiB", "1e3 B", -1, 1.5, True, [], "1 GiB 2"])
def test_what_is_no_size_is_refused(value):
    with pytest.raises(Unfit):
        Size().read(value)


@pytest.mark.parametrize("octets", [0, 1, 1000, 1024, 2**20, 2**30 + 1, 5 * 2**40])
def test_a_size_is_written_so_that_it_reads_the_same(octets):
    shown = Size().show(octets)

    assert octets == Size().read(int(shown) if shown.isdigit() else shown.strip('"'))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "3", True, None])
def test_a_number_is_finite_and_no_text(value):
    with pytest.raises(Unfit):
        Number().read(value)


def test_a_number_may_be_negative():
    assert -999.0 == Number().read(-999)


@pytest.mark.parametrize("value", [0, 0.0, -1])
def test_a_number_that_must_be_above_zero_is(value):
    with pytest.raises(Unfit, match="above 0"):
        Number(above=0).read(value)


@pytest.mark.parametrize("value", [1.0, True, "1", -1, 11])
def test_a_whole_number_has_its_bounds(value):
    with pytest.raises(Unfit):
        Whole(0, 10).read(value)


@pytest.mark.parametrize("value", [0, 1, "true", "yes"])
def test_a_switch_is_true_or_false_alone(value):
    with pytest.raises(Unfit, match="true or false"):
        Switch().read(value)


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "\x7f"])
def test_a_text_has_no_control_characters(value):
    """They would come out again in a header field or a log line."""
    with pytest.raises(Unfit):
        Text().read(value)


def test_a_word_that_is_near_is_suggested():
    with pytest.raises(Unfit, match=r'did you mean "discard"\?'):
        Word(KillAction).read("discrad")


def test_a_list_says_how_a_single_text_is_written():
    with pytest.raises(Unfit, match=r'write \["a"\]'):
        Several(Text()).read("a")


def test_a_network_with_host_bits_says_what_was_meant():
    with pytest.raises(Unfit, match=r'write "10\.0\.0\.0/8"'):
        network("10.1.2.3/8")


def test_a_network_of_one_address_is_written_as_the_address():
    assert ["::1", "10.0.0.0/8"] == [write_network(network(n)) for n in ("::1", "10.0.0.0/8")]


@pytest.mark.parametrize("option", [*OPTIONS.values(), *CHECK_OPTIONS.values()])
def test_every_default_is_a_value_that_its_own_option_takes(option):
    import tomllib

    shown = tomllib.loads(f"value = {option.kind.show(option.default)}")["value"]

    assert option.default == option.kind.read(shown)


@pytest.mark.parametrize("option", [*OPTIONS.values(), *CHECK_OPTIONS.values()])
def test_every_option_says_what_it_does(option):
    assert option.text.endswith(".")
