"""The key of a message in amavis' tables, and how people write it."""

import re
from dataclasses import dataclass

from lazaret.model.errors import NoSuchMessage, UserError
from lazaret.store.connection import Connection

_WRITTEN = re.compile(r"([^\[\]]+)(?:\[([0-9]{1,9})\])?")


@dataclass(frozen=True, slots=True)
class Key:
    """`mail_id` with the partition that it lies in."""

    mail_id: str
    partition_tag: int = 0

    @property
    def values(self) -> dict[str, object]:
        return {"mail_id": self.mail_id, "tag": self.partition_tag}


def find(connection: Connection, written: str) -> Key:
    """The key of `ID` or `ID[TAG]`.

    NoSuchMessage when there is none; UserError when the id lies in several partitions and no tag says which.
    """
    parts = _WRITTEN.fullmatch(written)
    if parts is None:
        raise NoSuchMessage(written)
    found = connection.execute(
        # Only msgrcpt has an index on the id alone where amavisd-new made the tables.
        "SELECT partition_tag FROM msgs WHERE mail_id = :mail_id AND content IS NOT NULL AND partition_tag IN"
        " (SELECT r.partition_tag FROM msgrcpt r WHERE r.mail_id = :mail_id) ORDER BY 1",
        {"mail_id": parts[1]},
    )
    tags = [tag for (tag,) in found if parts[2] is None or tag == int(parts[2])]
    if not tags:
        raise NoSuchMessage(written)
    if len(tags) > 1:
        choice = ", ".join(f"{parts[1]}[{tag}]" for tag in tags)
        raise UserError(f"{written} lies in several partitions: {choice}")
    return Key(parts[1], tags[0])
