"""Attached programs, and names that do not fit the type (Mail::SpamAssassin::Plugin::AntiVirus)."""

import re

from lazaret.mime.part import Part
from lazaret.rules.evals import Subject, eval_function

_PROGRAM_NAME = re.compile(
    r"\.(?:ade|adp|asx|bas|bat|chm|cmd|com|cpl|crt|dll|exe|hlp|hta|inf|ins|isp|js|jse|lnk|mda|mdb|mde|mdt|mdw"
    r"|mdz|msc|msi|msp|mst|nws|ops|pcd|pif|prf|reg|scf|scr\??|sct|shb|shs|shm|swf|url|vb|vbe|vbs|vbx|vxd|wsc"
    r"|wsf|wsh)$"
)
_PROGRAM_IN_BASE64 = re.compile(rb"TV[opqr].A..[AB].[AQgw][A-H].A")
_PROGRAM_UUENCODED = re.compile(rb"^M35[GHIJK].`..`..*````", re.MULTILINE)
_VENDOR = re.compile(r"/(?:x-|vnd\.)")
_TYPES_BY_NAME = (
    (
        r"txt|[px]?html?|xml",
        r"text/(?:plain|[px]?html?|english|sgml|xml|enriched|richtext)|message/external-body",
    ),
    (r"jpe?g|tiff?|gif|png", r"image/|application/mac-binhex"),
    (r"vcf", r"text/vcard$"),
    (r"bat|com|exe|pif|scr|swf|vbs", r"application/"),
    (r"doc", r"application/.*word$"),
    (r"ppt", r"application/.*(?:powerpoint|ppt)$"),
    (r"xls", r"application/.*excel$"),
)
_EXPECTED = tuple((re.compile(name), re.compile(kind)) for name, kind in _TYPES_BY_NAME)


@eval_function("check_microsoft_executable")
def executable(subject: Subject) -> str:
    """A part is a program for Windows by its name or its first octets."""
    for part in subject.message.parts:
        if part.leaf and _is_program(part):
            return _name(part) or part.content_type
    return ""


@eval_function("check_suspect_name")
def suspect_name(subject: Subject) -> str:
    """The name of a part promises another type than the part declares."""
    return next((_name(part) for part in subject.message.parts if part.leaf and _is_misnamed(part)), "")


def _name(part: Part) -> str:
    return (part.type.name or b"").decode("utf-8", "replace").lower()


def _declared(part: Part) -> str:
    return part.last("Content-Type").partition(b";")[0].strip().lower().decode("latin-1") or part.content_type


def _is_program(part: Part) -> bool:
    if _PROGRAM_NAME.search(_name(part)):
        return True
    if b"base64" in part.last("Content-Transfer-Encoding").lower():
        return _PROGRAM_IN_BASE64.match(part.body) is not None
    return _declared(part).startswith("text") and _PROGRAM_UUENCODED.search(part.body) is not None


def _is_misnamed(part: Part) -> bool:
    declared, name = _declared(part), _name(part)
    if not name or declared == "application/octet-stream":
        return False
    declared, ending = _VENDOR.sub("/", declared, count=1), name.rpartition(".")[2]
    return any(names.fullmatch(ending) and not types.match(declared) for names, types in _EXPECTED)
