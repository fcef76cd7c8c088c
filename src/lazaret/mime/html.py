"""What does an HTML part show, hide and link to?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """One URI in an attribute of a tag."""

    tag: str
    """Lower case: a, area, img, form, base …"""
    attribute: str
    """href, src, action, background, data-saferedirecturl, content (of meta refresh)."""
    target: bytes
    """As written, entities decoded, in UTF-8."""
    text: str
    """What a reader sees of it: the text between <a> and </a>; "" for other tags."""


class HtmlFacts:
    """Statistics over an HTML part, under the names that SpamAssassin gives them."""
