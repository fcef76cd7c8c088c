"""A search that somebody has kept under a name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """Of one person, and seen by nobody else."""

    id: int
    name: str
    query: str
    everything: bool = False
    """Over all mail, not only the quarantine."""
