"""A database of addresses in MaxMind's format, version 2.0, for a few networks."""

import ipaddress
import struct
from collections.abc import Mapping

Record = Mapping[str, object]
_MARK = b"\xab\xcd\xefMaxMind.com"
_TEXT, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11
_BITS = 24


def database(networks: Mapping[str, Record], kind: str = "Test") -> bytes:
    """The file; later networks may lie within earlier ones."""
    tree: list[list[int | None]] = [[None, None]]
    data = b""
    places: list[tuple[int, int, int]] = []
    for network, record in networks.items():
        place, bits = len(data), _bits(network)
        data += _encoded(record)
        node = 0
        for bit in bits[:-1]:
            following = tree[node][bit]
            if following is None:
                following = tree[node][bit] = len(tree)
                tree.append([None, None])
            node = following
        places.append((node, bits[-1], place))
    count = len(tree)
    records = [[count if following is None else following for following in node] for node in tree]
    for node, bit, place in places:
        records[node][bit] = count + 16 + place
    written = b"".join(struct.pack(">I", value)[1:] for node in records for value in node)
    about = {
        "node_count": (_UINT32, count),
        "record_size": (_UINT16, _BITS),
        "ip_version": (_UINT16, 6),
        "database_type": kind,
        "languages": ["en"],
        "binary_format_major_version": (_UINT16, 2),
        "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, 1_700_000_000),
        "description": {"en": kind},
    }
    return written + b"\0" * 16 + data + _MARK + _encoded(about)


def _bits(network: str) -> list[int]:
    """IPv4 lies at the very beginning of the tree for IPv6."""
    parsed = ipaddress.ip_network(network)
    length = parsed.prefixlen + (96 if parsed.version == 4 else 0)
    number = int(parsed.network_address)
    return [number >> (127 - place) & 1 for place in range(length)]


def _encoded(value: object) -> bytes:
    if isinstance(value, str):
        octets = value.encode()
        return _control(_TEXT, len(octets)) + octets
    if isinstance(value, tuple):
        kind, number = value
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return _control(kind, len(octets)) + octets
    if isinstance(value, int):
        return _encoded((_UINT32, value))
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_encoded, value))
    assert isinstance(value, Mapping)
    return _control(_MAP, len(value)) + b"".join(_encoded(k) + _encoded(v) for k, v in value.items())


def _control(kind: int, size: int) -> bytes:
    assert size < 29 + 256
    small = min(size, 29)
    first = bytes([kind << 5 | small]) if kind < 8 else bytes([small, kind - 7])
    return first + (bytes([size - 29]) if small == 29 else b"")
