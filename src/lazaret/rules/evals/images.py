"""Attached images: how many, how large, under which names (Mail::SpamAssassin::Plugin::ImageInfo)."""

import struct
from dataclasses import dataclass, field

from lazaret.mime.part import Part
from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.matching import matches
from lazaret.rules.evals.ranges import number

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


@eval_function("image_count")
def image_count(subject: Subject, kind: str, low: str, high: str = "undef") -> int:
    """Images of this kind: `gif`, `png`, `jpeg`, `all`."""
    return _between(_of_kind(subject, kind).count, low, high)


@eval_function("pixel_coverage")
def pixel_coverage(subject: Subject, kind: str, low: str, high: str = "undef") -> int:
    """Pixels of all images together."""
    return _between(_of_kind(subject, kind).pixels, low, high)


@eval_function("image_to_text_ratio")
def image_to_text_ratio(subject: Subject, kind: str, low: str, high: str) -> int:
    """Octets of text to pixels of images; `high` is not reached."""
    pixels, text = _of_kind(subject, kind).pixels, sum(map(len, subject.message.body))
    return pixels > 0 and text > 0 and number(low) <= text / pixels < number(high)


@eval_function("image_size_exact")
def image_size_exact(subject: Subject, kind: str, height: str, width: str) -> int:
    return (int(number(height)), int(number(width))) in _of_kind(subject, kind).sizes


@eval_function("image_size_range")
def image_size_range(
    subject: Subject,
    kind: str,
    least_height: str,
    least_width: str,
    most_height: str = "undef",
    most_width: str = "undef",
) -> int:
    return any(
        _between(height, least_height, most_height) and _between(width, least_width, most_width)
        for height, width in _of_kind(subject, kind).sizes
    )


@eval_function("image_named")
def image_named(subject: Subject, name: str) -> int:
    return name in subject.once(_names)


@eval_function("image_name_regex")
def image_name_regex(subject: Subject, expression: str) -> str:
    return next((name for name in subject.once(_names) if matches(expression, name)), "")


def _between(value: float, low: str, high: str) -> bool:
    return value >= number(low) and (high == "undef" or value <= number(high))


def _of_kind(subject: Subject, kind: str) -> Images:
    return subject.once(_images).get(kind) or Images()


def _images(subject: Subject) -> dict[str, Images]:
    found = {kind: Images() for kind in ("all", *_KINDS.values())}
    for part in _attached(subject):
        size = _size(part)
        for kind in (_KINDS[part.content_type], "all"):
            found[kind].count += 1
            if size:
                found[kind].pixels += size[0] * size[1]
                found[kind].sizes.add(size)
    return found


def _names(subject: Subject) -> tuple[str, ...]:
    return tuple(
        part.name.decode("utf-8", "replace") for part in _attached(subject) if part.name and _size(part)
    )


def _attached(subject: Subject) -> list[Part]:
    images = (part for part in subject.message.parts if part.leaf and part.content_type in _KINDS)
    return [part for part in images if part.last("Content-Transfer-Encoding").strip().lower() == b"base64"]


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
