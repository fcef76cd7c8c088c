"""A place where people teach: a journal, a model, and messages of two kinds."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from tests.learn.mail import mail
from tests.support.mailroom import SITE

from lazaret.flow.learn import Tally, Teaching
from lazaret.flow.learner import Learner, open_writer
from lazaret.flow.subject_tag import tag_patterns
from lazaret.learn import zones
from lazaret.learn.features import Hasher
from lazaret.learn.lesson import Delivered, Reading
from lazaret.learn.model import Model
from lazaret.learn.model_file import Writer
from lazaret.mime import message
from lazaret.mime.trust import Networks
from lazaret.model.lesson import Limit
from lazaret.store.opening import Store

BOB, EVE, ROOT = "user:bob@home.example", "user:eve@home.example", "cli:root"
LIMIT = Limit(daily=20, less=0.3)


class School:
    """A store with all that learns from it."""

    def __init__(self, store: Store, folder: Path, quarantine=None) -> None:
        self.store = store
        self.folder = folder
        self.secret = asyncio.run(store.lessons.secret())
        self.hasher = Hasher(self.secret)
        reading = Reading(self.hasher, Networks(), None)
        delivered = Delivered(SITE.hostname, tag_patterns(["***SPAM*** "]))
        self.teaching = Teaching(store.lessons, quarantine or store.quarantine, reading, delivered, LIMIT)

    def teach(
        self, kind: str, seeds: Iterable[int], who: str = ROOT, *, as_spam: bool | None = None
    ) -> Tally:
        """Messages of this kind; `as_spam`: what they are called, whatever they are."""
        spam = kind == "spam" if as_spam is None else as_spam
        return asyncio.run(self.teaching.teach((mail(kind, seed) for seed in seeds), spam=spam, who=who))

    def open(self) -> tuple[Writer, Learner]:
        """The model, and what follows the journal."""
        writer = open_writer(self.folder, self.secret)
        return writer, Learner(self.store.lessons, writer)

    def learn(self) -> None:
        """All that was taught, and ends in good order."""
        writer, learner = self.open()
        asyncio.run(learner.catch_up())
        writer.close()

    def score(self, memory, kind: str, seed: int = 999) -> float:
        """What a model says of a message."""
        found = self.hasher.features(zones.view(message.parse(mail(kind, seed))))
        return Model(memory).judge(found).score
