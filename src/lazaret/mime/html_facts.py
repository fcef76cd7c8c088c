"""What is known of an HTML part besides its text: links and statistics."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Link(NamedTuple):
    """One URI in an attribute of a tag."""

    tag: str
    """Lower case: a, area, img, form, base …"""
    attribute: str
    """href, src, action, background, data-saferedirecturl, content (of meta refresh)."""
    target: bytes
    """As written, entities decoded, in UTF-8, at most 8192 characters."""
    text: str
    """What a reader sees of it: the text in <a>, with "<img>" for an image; "" for other tags."""


@dataclass(slots=True)
class HtmlFacts:
    """Statistics over an HTML part, under the names that SpamAssassin gives them; None: does not apply."""

    html: bool = False
    """There was an HTML part."""
    length: int = 0
    """Characters of the source."""
    html_length: int = 0
    """Characters of the rendered text."""
    non_space_len: int = 0
    ratio: float | None = None
    """Share of the source that is not shown."""
    image_area: int = 0
    """Square pixels."""
    min_size: int = 3
    max_size: int = 3
    """Font sizes, 1 to 7 as a rule."""
    closed_extra_ratio: float | None = None
    """End tags that close nothing, of all tags."""
    bad_tag_ratio: float | None = None
    """Tags that HTML does not know, of all tags."""
    non_element_ratio: float | None = None
    """The same of the kinds of tags."""
    obfuscation_ratio: float | None = None
    """Words with a tag inside, to all tags."""
    backhair_count: int | None = None
    """How many kinds of such short words: pairs of lengths."""
    font_low_contrast: bool = False
    font_invalid_color: bool = False
    font_face_bad: bool = False
    form_action_mailto: bool = False
    embeds: bool = False
    charsets: str = ""
    """Charsets named in <meta>, separated by blanks."""
    uri_truncated: bool = False
    title: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)
    """With <!-- and -->."""
    script: list[str] = field(default_factory=list)
    anchor: list[str] = field(default_factory=list)
    """The text of every <a>."""
    inside: dict[str, int] = field(default_factory=dict)
    """Tag -> how often it is open at the end; a key for every tag that was seen."""
