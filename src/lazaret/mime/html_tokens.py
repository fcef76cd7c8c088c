"""Where do tags, text and comments begin and end? HTML cut as HTML::Parser cuts it for SpamAssassin."""

import re
from collections.abc import Mapping

from lazaret.mime import entities

TOKEN_LIMIT = 60_000
"""Tags and pieces of text that are looked at in one message: ten times what the largest newsletters have,
and a third of a second of the dearest ones."""

BLANKS = " \t\n\r\f\v"
_S = r" \t\n\r\f\v"
_TOKEN = re.compile(
    r"([^<]*+)"
    rf"(?:<([A-Za-z_:][^{_S}>]*+)"
    rf"((?>(?:[{_S}]*+[^{_S}>][^{_S}=>]*+[{_S}]*+"
    rf"(?:=[{_S}]*+(?:\"[^\"]*+\"|'[^']*+'|[^{_S}>\"'][^{_S}>]*+|(?=>))|(?!=)))*)[{_S}]*+)>"
    rf"|</([^{_S}>]++)[^>\"']*+>)"
)
"""Text, and after it a start tag with its attributes or a plain end tag; the rest is for `_other`.

All quantifiers are possessive or atomic: a tag whose quote is never closed is found out in one pass.
"""
_ATTRIBUTE = re.compile(
    rf"([^{_S}>][^{_S}=>]*+)[{_S}]*+(?>(?:(=)[{_S}]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^{_S}>]*+)))?)"
)
_TO_GT = re.compile(r"(?>(?:[^>\"']++|(?<=[ =])\"[^\"]*+(?:\"|\Z)|(?<=[ =])'[^']*+(?:'|\Z)|[\"'])*)>")
"""To the end of an end tag, over quoted strings; a quote counts after a blank or an equals sign."""
_TAG_NAME = re.compile(rf"[^{_S}>]++")
_COMMENT_END = re.compile(rf"--[{_S}]*+>")
_DOCTYPE = re.compile(
    rf"<!doctype(?=[{_S}>\"'])"
    rf"(?>(?:[{_S}]++|\"[^\"]*+\"|'[^']*+'|--(?>(?:[^-]|-(?!-))*)--|[^{_S}>\"'-][^{_S}>]*+)*)>",
    re.I,
)
_SECTION = re.compile(rf"<!\[[{_S}]*+((?>(?:[A-Za-z_:][\w:.-]*+[{_S}]*+)*))\[", re.A)

LITERAL = {
    tag: re.compile(rf"</{tag}[{_S}]*+>", re.I)
    for tag in ("script", "style", "xmp", "iframe", "plaintext", "title", "textarea")
}
"""Tags whose content is text up to their end tag, and what ends them."""
_REFERENCES_COUNT = frozenset({"title", "textarea"})


def attributes(written: str) -> Mapping[str, str]:
    """Name in lower case -> value; of several attributes of one name the first counts."""
    found: dict[str, str] = {}
    for name, equals, double, single, bare in _ATTRIBUTE.findall(written):
        name = name.lower()
        if name in found:
            continue
        value = (double or single or bare) if equals else name
        found[name] = entities.decode_value(value) if "&" in value else value
    return found


class Tokenizer:
    """Cuts a document into tokens and calls a method for each. Linear; after `tokens` of them it stops."""

    def __init__(self, tokens: int = TOKEN_LIMIT) -> None:
        self.tokens = tokens
        """So many more are looked at."""
        self.over_budget = False
        self.comments: list[str] = []
        """With <!-- and -->."""
        self._comments_end_at_gt = False
        self._never_closed: set[str] = set()

    def start(self, tag: str, written: str) -> None:
        """A start tag; `written` are its attributes, unread."""
        raise NotImplementedError

    def end(self, tag: str) -> None:
        """An end tag."""
        raise NotImplementedError

    def text(self, text: str) -> None:
        """A piece of text, references decoded."""
        raise NotImplementedError

    def doctype(self) -> None:
        """A document type declaration."""
        raise NotImplementedError

    def read(self, source: str) -> None:
        """Cuts the whole document."""
        position = 0
        length = len(source)
        match = _TOKEN.match
        start, end, text = self.start, self.end, self.text
        left = self.tokens
        while left > 0 and position < length:
            token = match(source, position)
            if token is None:
                left -= 1
                position = self._other(source, position)
                continue
            piece, tag, written, ended = token.groups()
            if piece:
                left -= 1
                text(entities.decode(piece) if "&" in piece else piece)
                if not left:
                    position += len(piece)
                    break
            left -= 1
            position = token.end()
            if ended:
                end(ended.lower())
                continue
            tag = tag.lower()
            start(tag, written)
            if tag in LITERAL:
                position = self._literal(source, position, tag)
        self.tokens = left
        self.over_budget = position < length

    def _other(self, source: str, position: int) -> int:
        """Text before what is no plain tag, or such markup itself; where to go on."""
        end = source.find("<", position)
        if end == position:
            return self._markup(source, position)
        if end < 0:
            self._last_text(source[position:])
            return len(source)
        self.text(entities.decode(source[position:end]))
        return end

    def _last_text(self, text: str) -> None:
        """White space at the very end is a piece of its own."""
        shown = text.rstrip(BLANKS)
        if shown:
            self.text(entities.decode(shown))
        if len(shown) < len(text):
            self.text(text[len(shown) :])

    def _markup(self, source: str, position: int) -> int:
        """What begins with "<" and is neither a start tag nor a plain end tag; where to go on."""
        following = source[position + 1 : position + 2]
        if following == "!":
            return self._declaration(source, position)
        if following == "/":
            return self._odd_end(source, position)
        if following == "?":
            end = source.find(">", position)
            return end + 1 if end >= 0 else self._unfinished(source, position)
        if following.isascii() and (following.isalpha() or following in "_:"):
            return self._unfinished(source, position)
        end = source.find("<", position + 1)
        end = len(source) if end < 0 else end
        self.text(entities.decode(source[position:end]))
        return end

    def _unfinished(self, source: str, position: int) -> int:
        """Markup that never ends. A comment is given a second chance: it may end at the next ">"."""
        again = source.startswith("<!--", position) and not self._comments_end_at_gt
        self._comments_end_at_gt = True
        if again:
            return position
        self.comments.append(source[position:])
        return len(source)

    def _odd_end(self, source: str, position: int) -> int:
        """An end tag with quotes in it, or one without a name, which is a comment."""
        end = _TO_GT.match(source, position + 2)
        if end is None:
            return self._unfinished(source, position)
        name = _TAG_NAME.match(source, position + 2)
        if name:
            self.end(name[0].lower())
        else:
            self.comments.append(source[position : end.end()])
        return end.end()

    def _declaration(self, source: str, position: int) -> int:
        if source.startswith("<!--", position):
            return self._comment(source, position)
        if source.startswith("<![", position):
            section = _SECTION.match(source, position)
            if section:
                return self._section(source, section)
        doctype = _DOCTYPE.match(source, position)
        if doctype:
            self.doctype()
            return doctype.end()
        end = source.find(">", position)
        if end < 0:
            return self._unfinished(source, position)
        self.comments.append(source[position : end + 1])
        return end + 1

    def _comment(self, source: str, position: int) -> int:
        if self._comments_end_at_gt:
            end = source.find(">", position + 4) + 1
        else:
            closing = _COMMENT_END.search(source, position + 4)
            end = closing.end() if closing else 0
        if not end:
            return self._unfinished(source, position)
        self.comments.append(source[position:end])
        return end

    def _section(self, source: str, section: re.Match[str]) -> int:
        """A marked section: CDATA is text as it stands, RCDATA text with references, IGNORE nothing."""
        names = section[1].lower().split()
        if not {"cdata", "rcdata", "ignore"}.intersection(names):
            return section.end()
        end = source.find("]]>", section.end())
        content = source[section.end() : end if end >= 0 else None]
        if end < 0 and content.startswith("<"):
            self.comments.append(content)
        elif content and "ignore" not in names:
            self.text(entities.decode(content) if "rcdata" in names else content)
        return end + 3 if end >= 0 else len(source)

    def _literal(self, source: str, position: int, tag: str) -> int:
        closing = None
        if tag not in self._never_closed and tag != "plaintext":
            closing = LITERAL[tag].search(source, position)
        if closing is None:
            return self._unclosed(source, position, tag)
        self._content(source[position : closing.start()], tag)
        self.end(tag)
        return closing.end()

    def _unclosed(self, source: str, position: int, tag: str) -> int:
        """An unclosed title is read as if it ended at the next tag; of the others the rest is content.

        That there is no end tag is remembered: a million openings must not cause a million searches.
        """
        self._never_closed.add(tag)
        end = len(source)
        if tag == "title":
            following = source.find("<", position)
            end = following if following >= 0 else end
        self._content(source[position:end], tag)
        if tag in ("title", "script", "style"):
            self.end(tag)
        return end

    def _content(self, content: str, tag: str) -> None:
        if content:
            self.text(entities.decode(content) if tag in _REFERENCES_COUNT else content)
