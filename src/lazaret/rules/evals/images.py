"""Attached images: how many, how large, under which names (Mail::SpamAssassin::Plugin::ImageInfo)."""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lazaret.mime.part import Part
from lazaret.rules.evals import Settings, Subject, eval_test, forms
from lazaret.rules.evals.matching import matcher
from lazaret.rules.evals.ranges import between, number

_KINDS = {"image/gif": "gif", "image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg"}
_PNG = b"\x89PNG\r\n\x1a\n"
_SIZE_IN_JPEG = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_END_OF_JPEG = (0xD9, 0xDA)
_MOST_SEGMENTS = 10_000


@dataclass(slots=True)
class Images:
    """The images of one kind."""

    count: int = 0
    pixels: int = 0
    sizes: set[tuple[int, int]] = field(default_factory=set)
    """Height and width."""


Found = Mapping[str, Images]
"""By kind: `gif`, `png`, `jpeg`, `all`."""
Shares = Mapping[str, float]
"""Octets of text to pixels of images, by kind."""
_NONE = Images()


def _images(subject: Subject) -> Found:
    found: dict[str, Images] = {}
    for part in subject.once(_attached):
        size = _size(part)
        for kind in (_KINDS[part.content_type], "all"):
            images = found.setdefault(kind, Images())
            images.count += 1
            if size:
                images.pixels += size[0] * size[1]
                images.sizes.add(size)
    return found


def _text_shares(subject: Subject) -> Shares | None:
    """Of the text that people see."""
    return _shares(subject, lambda: subject.message.body)


def _raw_shares(subject: Subject) -> Shares | None:
    """Of the decoded parts, markup and all."""
    return _shares(subject, lambda: subject.message.rawbody)


def _shares(subject: Subject, texts: Callable[[], Iterable[bytes]]) -> Shares | None:
    """None without any text or image."""
    found = subject.once(_images)
    text = sum(map(len, texts())) if found else 0
    return {kind: text / images.pixels for kind, images in found.items() if images.pixels} if text else None


def _names(subject: Subject) -> tuple[str, ...]:
    return tuple(
        part.name.decode("utf-8", "replace") for part in subject.once(_attached) if part.name and _size(part)
    )


@eval_test("image_count", of=_images)
def image_count(_settings: Settings, kind: str, low: str, high: str = "undef") -> Callable[[Found], bool]:
    """Images of this kind."""
    fits = between(low, high)
    return lambda found: fits(found.get(kind, _NONE).count)


@eval_test("pixel_coverage", of=_images)
def pixel_coverage(_settings: Settings, kind: str, low: str, high: str = "undef") -> Callable[[Found], bool]:
    """Pixels of all images together."""
    fits = between(low, high)
    return lambda found: fits(found.get(kind, _NONE).pixels)


@eval_test("image_to_text_ratio", of=_text_shares)
@eval_test("image_to_text_ratio", of=_raw_shares, scope="rawbody")
def image_to_text_ratio(_settings: Settings, kind: str, low: str, high: str) -> Callable[[Shares], bool]:
    """Octets of text to pixels of images; `high` is not reached."""
    least, end = number(low), number(high)
    return lambda shares: kind in shares and least <= shares[kind] < end


@eval_test("image_size_exact", of=_images)
def image_size_exact(_settings: Settings, kind: str, height: str, width: str) -> Callable[[Found], bool]:
    size = int(number(height)), int(number(width))
    return lambda found: size in found.get(kind, _NONE).sizes


@eval_test("image_size_range", of=_images)
def image_size_range(
    _settings: Settings,
    kind: str,
    least_height: str,
    least_width: str,
    most_height: str = "undef",
    most_width: str = "undef",
) -> Callable[[Found], bool]:
    high, wide = between(least_height, most_height), between(least_width, most_width)
    return lambda found: any(high(h) and wide(w) for h, w in found.get(kind, _NONE).sizes)


@eval_test("image_named", of=_names)
def image_named(_settings: Settings, name: str) -> Callable[[tuple[str, ...]], bool]:
    return lambda names: name in names


@eval_test("image_name_regex", of=_names)
def image_name_regex(_settings: Settings, expression: str) -> Callable[[tuple[str, ...]], str]:
    matches = matcher(expression)
    return lambda names: next(filter(matches, names), "")


def _attached(subject: Subject) -> list[Part]:
    return [part for part in subject.once(forms.in_base64) if part.content_type in _KINDS]


def _size(part: Part) -> tuple[int, int] | None:
    """Height and width as the file says; None when it is none of its kind, or empty."""
    read = {"gif": _gif, "png": _png, "jpeg": _jpeg}[_KINDS[part.content_type]]
    try:
        height, width = read(part.octets)
    except (struct.error, ValueError):
        return None
    return (height, width) if height and width else None


def _gif(octets: bytes) -> tuple[int, int]:
    if octets[:6] not in (b"GIF87a", b"GIF89a"):
        raise ValueError
    width, height = struct.unpack_from("<HH", octets, 6)
    return height, width


def _png(octets: bytes) -> tuple[int, int]:
    """The chunk with the size is the first one."""
    length, kind, width, height = struct.unpack_from(">I4sII", octets, len(_PNG))
    if octets[: len(_PNG)] != _PNG or kind != b"IHDR" or length != 13:
        raise ValueError
    return height, width


def _jpeg(octets: bytes) -> tuple[int, int]:
    if octets[:2] != b"\xff\xd8":
        raise ValueError
    position = 2
    for _ in range(_MOST_SEGMENTS):
        sign, marker, length = struct.unpack_from(">BBH", octets, position)
        if sign != 0xFF or marker in _END_OF_JPEG or length < 2:
            break
        if marker in _SIZE_IN_JPEG:
            _precision, height, width = struct.unpack_from(">BHH", octets, position + 4)
            return height, width
        position += 2 + length
    raise ValueError
