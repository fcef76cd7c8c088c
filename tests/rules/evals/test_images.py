"""Attached images: how many, how large, under which names."""

import base64
import struct
from collections.abc import Callable

import pytest

from lazaret.rules import evals

Call = Callable[..., float | str]

GIF = b"GIF89a" + struct.pack("<HH", 20, 10) + b"\x00" * 3
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 20, 10) + b"\x00" * 9
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 10, 20) + b"\x00" * 4


def mail(kind: str, octets: bytes, encoding: str = "base64", text: bytes = b"hello") -> bytes:
    return b"".join(
        [
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + text + b"\n--b\n",
            f'Content-Type: image/{kind}; name="x.{kind}"\n'.encode(),
            f"Content-Transfer-Encoding: {encoding}\n\n".encode(),
            base64.b64encode(octets) + b"\n--b--\n",
        ]
    )


@pytest.mark.parametrize(
    ("kind", "name", "octets"), [("gif", "gif", GIF), ("png", "png", PNG), ("jpg", "jpeg", JPEG)]
)
def test_images_are_counted_and_measured(call: Call, kind: str, name: str, octets: bytes) -> None:
    raw = mail(kind, octets)
    for which in (name, "all"):
        assert call(raw, "image_count", which, "1", "1")
        assert not call(raw, "image_count", which, "2")
        assert call(raw, "pixel_coverage", which, "200", "200")
        assert call(raw, "image_size_exact", which, "10", "20")
        assert not call(raw, "image_size_exact", which, "20", "10")
        assert call(raw, "image_size_range", which, "5", "5", "10", "20")
        assert not call(raw, "image_size_range", which, "5", "5", "9")
    assert call(raw, "image_named", f"x.{kind}")
    assert f"x.{kind}" == call(raw, "image_name_regex", r"^x\.")


def test_text_is_compared_with_the_images(call: Call) -> None:
    assert call(mail("gif", GIF), "image_to_text_ratio", "all", "0.01", "0.1")
    assert not call(mail("gif", GIF), "image_to_text_ratio", "all", "0.1", "1")


def test_rawbody_rules_count_the_markup_as_text(call: Call) -> None:
    page = b"<p title='%s'>hi" % (b"x" * 400)
    raw = mail("gif", GIF, text=page).replace(b"--b\n\n", b"--b\nContent-Type: text/html\n\n", 1)
    in_rawbody = evals.called("image_to_text_ratio", "rawbody")
    assert "image_to_text_ratio" == evals.called("image_to_text_ratio", "body") != in_rawbody
    assert call(raw, in_rawbody, "all", "2", "3")
    assert not call(raw, "image_to_text_ratio", "all", "2", "3")
    assert "image_count" == evals.called("image_count", "rawbody")


@pytest.mark.parametrize(
    "octets", [b"", b"GIF89a", PNG[:12], JPEG[:9], b"\xff\xd8" + b"\xff\xe0\x00\x02" * 40000]
)
@pytest.mark.parametrize("kind", ["gif", "png", "jpeg"])
def test_a_damaged_image_has_no_size(call: Call, kind: str, octets: bytes) -> None:
    assert call(mail(kind, octets), "image_count", kind, "1")
    assert call(mail(kind, octets), "pixel_coverage", kind, "0", "0")


def test_other_encodings_do_not_count(call: Call) -> None:
    assert call(mail("gif", GIF, "7bit"), "image_count", "all", "0", "0")
