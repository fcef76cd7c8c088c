"""What a file is by its first octets, whatever its name and its sender say."""

import re

_SIGNATURES = (
    (b"MZ", "Windows program", "application/x-msdownload"),
    (b"\x7fELF", "Linux program", "application/x-elf"),
    (b"%PDF-", "PDF", "application/pdf"),
    (b"PK\x03\x04", "ZIP archive", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old office file", "application/x-ole-storage"),
    (b"{\\rtf", "RTF text", "application/rtf"),
    (b"Rar!\x1a\x07", "RAR archive", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive", "application/x-7z-compressed"),
    (b"\x1f\x8b", "gzip", "application/gzip"),
    (b"BZh", "bzip2", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "xz", "application/x-xz"),
    (b"MSCF", "cabinet archive", "application/vnd.ms-cab-compressed"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "Windows shortcut", "application/x-ms-shortcut"),
    (b"\x89PNG\r\n\x1a\n", "PNG image", "image/png"),
    (b"\xff\xd8\xff", "JPEG image", "image/jpeg"),
    (b"GIF87a", "GIF image", "image/gif"),
    (b"GIF89a", "GIF image", "image/gif"),
    (b"BM", "BMP image", "image/bmp"),
    (b"II*\x00", "TIFF image", "image/tiff"),
    (b"MM\x00*", "TIFF image", "image/tiff"),
    (b"OggS", "Ogg sound", "audio/ogg"),
    (b"ID3", "MP3 sound", "audio/mpeg"),
    (b"#!", "script", "text/x-shellscript"),
    (b"\xca\xfe\xba\xbe", "Java class", "application/java-vm"),
)
_LOOKED_AT = 4096
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script|svg)\b", re.I | re.S)
_OFFICE = (
    (b"word/", "Word document"),
    (b"xl/", "Excel table"),
    (b"ppt/", "PowerPoint slides"),
    (b"META-INF/MANIFEST", "Java archive"),
)
_ISO_AT, _ISO = 0x8001, b"CD001"


def true_type(octets: bytes) -> tuple[str, str]:
    """(in words, media type); text and what nothing is known of are ("text", "text/plain") and ("", "")."""
    head = octets[:_LOOKED_AT]
    for signature, words, media in _SIGNATURES:
        if head.startswith(signature):
            return (_inside_zip(octets) if media == "application/zip" else words), media
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP image", "image/webp"
    if octets[_ISO_AT : _ISO_AT + len(_ISO)] == _ISO:
        return "disk image", "application/x-iso9660-image"
    if _HTML.match(head):
        return "HTML page", "text/html"
    if b"\x00" not in head and sum(c < 9 for c in head) == 0:
        return "text", "text/plain"
    return "", ""


def _inside_zip(octets: bytes) -> str:
    """Office files are archives; their first members tell."""
    start = octets[: 1 << 16]
    return next((words for member, words in _OFFICE if member in start), "ZIP archive")
