"""Into which partition of amavis' storage tables a message is written: amavisd's `$sql_partition_tag`."""

from dataclasses import dataclass
from datetime import date

ISO_WEEK = "iso-week"
"""How the setting writes that it is the week of the reception."""
WEEKS = 53


@dataclass(frozen=True, slots=True)
class Partition:
    """One number for all messages, or the week of the year in which each came in."""

    constant: int = 0
    weekly: bool = False

    def tag(self, received: float) -> int:
        """`partition_tag` of a message; `received` in seconds since 1970.

        The week is that of local time (ISO 8601, 1 to 53), as amavisd's `iso8601_week` gives it.
        """
        return date.fromtimestamp(received).isocalendar().week if self.weekly else self.constant


ALWAYS_0 = Partition()
