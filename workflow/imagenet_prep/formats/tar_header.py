"""The 512-byte headers of tar archives and the extended headers that belong to them, each parsed by itself.

Every function raises `ValueError` with the end of a sentence about the member, where the bytes make no sense.
Sources of the formats: see `tar`.
"""

from __future__ import annotations

import re
import zlib

BLOCK = 512

_LENGTH = re.compile(rb"[1-9][0-9]{0,9}")
_NAME_LIMIT = 4096  # longest path of any system that this runs on


def checksum_holds(header: bytes) -> bool:
    """Whether the header's sum is the one written in it, by which a header is known."""
    return _octal(header[148:156]) == _sum(header) - sum(header[148:156]) + 8 * 32


def begins(beginning: bytes) -> bool:
    """Whether an archive begins with these bytes, a block or more: with the header of a member."""
    return len(beginning) >= BLOCK and any(beginning[:BLOCK]) and checksum_holds(beginning[:BLOCK])


def _octal(field: bytes) -> int | None:
    """The number in octal digits, between spaces, up to the first zero byte; 0 of none, None of other bytes."""
    digits = field.partition(b"\0")[0].strip(b" ")
    return None if digits.strip(b"01234567") else int(digits or b"0", 8)


def _sum(header: bytes) -> int:
    """The sum of the bytes: the lower half of an Adler-32 checksum, which 256 bytes cannot carry over its modulus."""
    return (zlib.adler32(header[:256], 0) & 0xFFFF) + (zlib.adler32(header[256:], 0) & 0xFFFF)


def size(header: bytes) -> int:
    """The length of the member's content in bytes."""
    field = header[124:136]
    if field[0] == 0x80:  # GNU base-256, for sizes of 8 GiB and more; 0xFF in its place would make it negative
        return int.from_bytes(field[1:], "big")
    written = _octal(field)
    if written is None:
        raise ValueError(f"the member's size is no number: {field!r}")
    return written


def name(header: bytes) -> str:
    """The member's name as the header alone gives it, with the prefix of the ustar format."""
    short = text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        return text(header[345:500]) + "/" + short
    return short


def text(field: bytes) -> str:
    """A name, up to the first zero byte."""
    try:
        return field.partition(b"\0")[0].decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"the member's name is not UTF-8: {field.rstrip(bytes(1))!r}") from None


def pax(payload: bytes) -> dict[bytes, bytes]:
    r"""The records of a pax extended header, each `<length> <key>=<value>\n` with a length in decimal.

    None of them is decoded: there are attributes of files and systems among them that are no text.
    """
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(payload):
        digits, _, _ = payload[position : position + 12].partition(b" ")
        length = int(digits) if _LENGTH.fullmatch(digits) else 0
        record = payload[position + len(digits) + 1 : position + length]
        key, equals, value = record.partition(b"=")
        if position + length > len(payload) or not equals or value[-1:] != b"\n":
            raise ValueError("the pax header is damaged")
        records[key] = value[:-1]
        position += length
    return records


def pax_name(records: dict[bytes, bytes]) -> str | None:
    """The member's name that a pax header gives, or None where it gives none."""
    written = records.get(b"path")
    if not written:
        return None
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"the member's name is not UTF-8: {written!r}") from None


def pax_size(records: dict[bytes, bytes]) -> int | None:
    """The length of the content that a pax header gives, or None where it gives none."""
    written = records.get(b"size")
    if written is None:
        return None
    if not written.isdigit() or len(written) > 20:
        raise ValueError(f"the pax header gives a size of {written.decode('ascii', 'replace')!r}")
    return int(written)


def is_sparse(records: dict[bytes, bytes]) -> bool:
    """Whether a pax header says that holes were left out of the member's content."""
    return any(key.startswith(b"GNU.sparse") for key in records)


def link_target(header: bytes, records: dict[bytes, bytes], long_target: bytes | None) -> str:
    """Where a link leads, for messages: as the pax header, the GNU header before it, or the header itself says."""
    written = records.get(b"linkpath") or long_target or header[157:257]
    return written.split(b"\0", 1)[0].decode("utf-8", "replace")


def safe_name(written: str) -> str:
    """The name without `./` and doubled slashes; one that is absolute or leads out of the folder is refused."""
    if len(written) > _NAME_LIMIT:
        raise ValueError(f"the member's name has {len(written)} characters")
    parts = [part for part in written.split("/") if part not in ("", ".")]
    if written.startswith("/"):
        raise ValueError("the member's name is absolute")
    if ".." in parts:
        raise ValueError("the member's name leads out of the folder")
    if not written.isprintable():
        raise ValueError("the member's name holds what cannot be printed")
    return "/".join(parts)
