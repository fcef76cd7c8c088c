"""An attribute that is made when somebody first asks for it, and then stands in the object.

functools.cached_property takes a lock for every one that it makes (until Python 3.12), which costs
more than many a view of a message. Without a lock two threads that ask at once may both make it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # To the type checker it is the same.
    from functools import cached_property as lazy
else:

    class lazy:  # Written as a decorator.
        """Makes a method of no arguments an attribute."""

        def __init__(self, make):
            self._make = make
            self._name = make.__name__
            self.__doc__ = make.__doc__

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            value = self._make(instance)
            # Python looks there first from now on, and does not come by again. To write into `__dict__` would
            # make the object keep all its attributes in a dictionary, where each costs more to find.
            setattr(instance, self._name, value)
            return value


__all__ = ["lazy"]
