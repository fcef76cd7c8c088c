"""What is sealed opens with its key, for its person, and for nobody else."""

import pytest

from lazaret.flow.sealing import Seal, WrongKey, is_sealed

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_it_opens_again_and_is_another_text_each_time():
    seal = Seal(bytes(32))
    first, second = seal.close(7, SECRET), seal.close(7, SECRET)

    assert SECRET == seal.open(7, first) == seal.open(7, second)
    assert first != second
    assert SECRET not in first
    assert is_sealed(first)
    assert len(first) < 255, "the column ends there"


def test_what_was_kept_before_is_given_as_it_is():
    assert not is_sealed(SECRET)
    assert SECRET == Seal(bytes(32)).open(7, SECRET)


@pytest.mark.parametrize(
    "change", [lambda s: s[:-8] + "AAAAAAA=", lambda s: s[:20], lambda s: "1.%%%", lambda s: "1."]
)
def test_what_is_damaged_does_not_open(change):
    seal = Seal(bytes(32))
    with pytest.raises(WrongKey):
        seal.open(7, change(seal.close(7, SECRET)))


def test_neither_another_person_nor_another_key_opens_it():
    sealed = Seal(bytes(32)).close(7, SECRET)
    with pytest.raises(WrongKey):
        Seal(bytes(32)).open(8, sealed)
    with pytest.raises(WrongKey):
        Seal(b"k" * 32).open(7, sealed)
