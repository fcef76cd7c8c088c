"""Attributes that are made when somebody first asks for them."""

from lazaret.model.lazy import lazy


class Stone:
    """Counts how often it is weighed."""

    weighed = 0

    @lazy
    def weight(self) -> int:
        """In grams."""
        self.weighed += 1
        return 5


def test_it_is_made_once():
    stone = Stone()

    assert [5, 5] == [stone.weight, stone.weight]
    assert 1 == stone.weighed


def test_it_is_not_made_before_somebody_asks():
    assert 0 == Stone().weighed


def test_each_object_has_its_own():
    first, second = Stone(), Stone()

    assert 5 == first.weight == second.weight
    assert [1, 1] == [first.weighed, second.weighed]


def test_it_may_be_set_before_it_is_made():
    stone = Stone()
    stone.weight = 7

    assert (7, 0) == (stone.weight, stone.weighed)


def test_the_class_tells_what_it_is():
    assert "In grams." == Stone.weight.__doc__
