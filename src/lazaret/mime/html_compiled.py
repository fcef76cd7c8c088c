"""The reader of HTML whose loop and state are compiled (html_kernel.c)."""

from typing import Any, ClassVar

from lazaret.mime import entities, style
from lazaret.mime.broken_words import BrokenWords
from lazaret.mime.html_page import NOTHING, Counted, Texts, read_tag
from lazaret.mime.html_reader import Reader
from lazaret.mime.html_tokens import LITERAL, TOKEN_LIMIT, Tokenizer
from lazaret.mime.style_stack import base_size


def reader(kernel: Any) -> type[Reader]:
    """The class; it gives what Reader gives. `kernel` is kernel.html, and there."""
    kernel.use_references(entities.ALWAYS, entities.WITH_SEMICOLON, entities.decode, entities.decode_value)

    class CompiledReader(kernel.Page, Reader):  # type: ignore[misc]
        helpers: ClassVar = (
            style.PLAIN,
            style.restyle,
            style.visibility,
            style.resized,
            base_size,
            read_tag,
            LITERAL,
            NOTHING,
        )
        """What the kernel asks Python for, in its order."""

        def __init__(self, wide: bool, tokens: int = TOKEN_LIMIT) -> None:
            Tokenizer.__init__(self, tokens)
            self.words = BrokenWords(wide)
            self.begin()
            self.prepare(self.words, wide)

        def texts(self) -> Texts:
            return Texts(*self.texts_read())

        def counted(self) -> Counted:
            return Counted(*super().counted())

    return CompiledReader
