"""Dataclasses of which no field is set again, for what is made once or more for each message.

`@dataclass(frozen=True)` holds that at run time too, and pays for it where an object is made: each field
costs a call of object.__setattr__, three times what all of it costs otherwise. Here the type checker alone
holds it.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[_T]) -> type[_T]:
    """The class as a dataclass with slots, which compares and hashes by its fields."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen_with_lazy(cls: type[_T]) -> type[_T]:
    """The same without slots, for a class some of whose attributes are made when asked for (`model.lazy`)."""
    return dataclass(unsafe_hash=True)(cls)
