"""What does seven-bit Japanese say? ISO-2022-JP (RFC 1468) with its extensions, by way of EUC-JP."""

import codecs
import re

_EIGHTH_BIT = re.compile(rb"[\x80-\xff]")
_SHIFTED = re.compile(rb"\x1b(\([BJ]|\(I|\$[@B]|\$\(D)([^\x1b]*+)")
_TO_UPPER_HALF = bytes.maketrans(bytes(range(0x21, 0x7F)), bytes(range(0xA1, 0xFF)))
_KANA = re.compile(rb"[\xa1-\xdf]")
_PAIR = re.compile(rb"[\xa1-\xfe]{2}")
_ERRORS = "lazaret.octets-in-words"


def decode(octets: bytes) -> str:
    r"""The text up to the first octet that does not belong: what is damaged is written as \xA1.

    Half a character at the end is dropped. Text ends where an octet has its eighth bit set, and at an
    unknown escape sequence.
    """
    eighth = _EIGHTH_BIT.search(octets)
    text = _SHIFTED.sub(_in_euc, octets[: eighth.start()] if eighth else octets)
    return text.partition(b"\x1b")[0].decode("euc_jis_2004", _ERRORS)


def _in_euc(shifted: re.Match[bytes]) -> bytes:
    escape, text = shifted.groups()
    if escape in (b"(B", b"(J"):
        return text
    text = text.translate(_TO_UPPER_HALF)
    if escape == b"(I":
        return _KANA.sub(b"\x8e\\g<0>", text)
    if escape == b"$(D":
        return _PAIR.sub(b"\x8f\\g<0>", text)
    return text


def _in_words(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if error.reason.startswith("incomplete"):
        return "", error.end
    damaged = error.object[error.start : error.end]
    return "".join(f"\\x{octet:02X}" for octet in damaged), error.end


codecs.register_error(_ERRORS, _in_words)
