"""Single inputs, small as files, that ask for much memory, time or depth."""

from __future__ import annotations

import datetime
import gzip
import io
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from PIL import Image

from builders import header, padded, tar
from faults.hostile_archives import END, PHOTO, VAL
from faults.hostile_configurations import OFFICIAL
from faults.hostile_images import chunk, frame, png, segment
from faults.hostile_labels import XML
from faults.hostile_records import record
from faults.matfile import META, TRUTH, zeros


def large(mode: str, width: int, height: int, **how: Any) -> bytes:
    """A whole image of one colour: small as a file."""
    output = io.BytesIO()
    Image.new(mode, (width, height)).save(output, "JPEG", **how)
    return output.getvalue()


def of_many_scans(n: int) -> bytes:
    """A progressive JPEG whose last scan, cut to its header, comes again and again."""
    content = large("CMYK", 2000, 1500, progressive=True)
    last = content.rindex(b"\xff\xda")
    scan = content[last : last + 2 + int.from_bytes(content[last + 2 : last + 4], "big")]
    return content[:-2] + (scan + b"\0") * n + b"\xff\xd9"


def circular() -> dict[str, Any]:
    """A list in itself, which YAML's anchors can say."""
    knot: list[Any] = []
    knot.append(knot)
    return {**OFFICIAL, "output_dir": knot, "classes": knot}


def deep(n: int) -> dict[str, Any]:
    """Lists in lists."""
    value: Any = 1
    for _ in range(n):
        value = [value]
    return {**OFFICIAL, "classes": value}


Bomb = Callable[[], Any]


def deflated_tar(members: Iterable[bytes]) -> bytes:
    """A compressed archive of members that need not all be in memory."""
    output = io.BytesIO()
    with gzip.GzipFile(fileobj=output, mode="wb", compresslevel=1) as packed:
        for member in members:
            packed.write(member)
        packed.write(END)
    return output.getvalue()


def named(name: bytes) -> bytes:
    """An empty member with a long name."""
    return header("././@LongLink", len(name), b"L") + padded(name) + header("x")


BOMBS: dict[str, dict[str, Bomb]] = {
    "tar scanner": {
        "a member of 10 GB": lambda: header(VAL, 10 << 30) + padded(PHOTO) + END,
        "a member of 2**88 bytes": lambda: header(VAL, b"\x80" + b"\xff" * 11) + END,
        "a sparse member": lambda: header("x", 0, b"S") + END,
        "a name of 255 bytes": lambda: tar({"n" * 255: b"x"}),
    },
    "compressed archive": {
        "names of a gigabyte": lambda: deflated_tar(named(b"%04d" % i + b"n" * (1 << 20)) for i in range(1024)),
        "names of 4000 characters, a gigabyte in all": lambda: deflated_tar(
            named(b"%06d" % i + b"n" * 4000) for i in range(1 << 18)
        ),
        "a gigabyte of zeros behind the end": lambda: gzip.compress(END, 1) + gzip.compress(bytes(64 << 20), 1) * 16,
        "a member of a gigabyte": lambda: (
            gzip.compress(header("x", 1 << 30), 1) + gzip.compress(bytes(64 << 20), 1) * 16
        ),
    },
    "image": {
        "65535x65535 pixels in a header": lambda: (
            b"\xff\xd8" + frame(65535, 65535, 3) + segment(0xDA, bytes(10)) + b"\xff\xd9"
        ),
        "as many pixels as are decoded, CMYK": lambda: large("CMYK", 8192, 8192),
        "a hundred million pixels, CMYK": lambda: large("CMYK", 12000, 9000),
        "as many pixels, no end marker": lambda: large("CMYK", 8192, 8192)[:-2],
        "as many pixels, PNG": lambda: png(8192, 8192, zlib.compress(bytes((3 * 8192 + 1) * 8192), 1)),
        "thousands of scans": lambda: of_many_scans(5000),
        "megabytes between the segments": lambda: b"\xff\xd8\xff\xfe\0\2" + bytes(16 << 20) + PHOTO[2:],
        "a million segments of nothing": lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * (4 << 20) + PHOTO[2:],
        "text of a gigabyte": lambda: png(
            24, 16, zlib.compress(bytes(73 * 16)), chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1 << 30), 1))
        ),
        "a profile of a gigabyte": lambda: png(
            24, 16, zlib.compress(bytes(73 * 16)), chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(1 << 30), 1))
        ),
    },
    "VOC XML": {
        "a billion laughs": lambda: (
            b"<!DOCTYPE a [<!ENTITY l0 'lol'>"
            + b"".join(b"<!ENTITY l%d '%s'>" % (i, b"&l%d;" % (i - 1) * 10) for i in range(1, 10))
            + b"]><annotation><folder>&l9;</folder></annotation>"
        ),
        "an external entity": lambda: (
            b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///dev/zero'>]><annotation>&x;</annotation>"
        ),
        "elements ten thousand deep": lambda: b"<annotation>" + b"<a>" * 10_000,
        "a name of half a megabyte": lambda: XML.replace(b"n01751748", b"n" * (1 << 19)),
        "a number of half a megabyte": lambda: XML.replace(b">500<", b">" + b"9" * (1 << 19) + b"<"),
        "half a million character references": lambda: XML.replace(b"n01751748", b"&#97;" * 180_000),
        "a hundred thousand attributes": lambda: (
            b"<annotation " + b" ".join(b"a%d=''" % i for i in range(100_000)) + b"/>"
        ),
    },
    "meta.mat": {
        "a gigabyte of zeros": lambda: {META: zeros(1 << 30), TRUTH: b"1\n"},
    },
    "multi-label JSON": {
        "lists a million deep": lambda: b'{"x": ' + b"[" * 1_000_000,
        "objects a million deep": lambda: b'{"x":' * 1_000_000,
        "a string of 32 MB": lambda: b'{"initial_annots": {"' + b"x" * (32 << 20) + b'": {}}}',
        "a number of a million digits": lambda: b'{"x": ' + b"9" * 1_000_000 + b"}",
        "an exponent of a million": lambda: b'{"initial_annots": 1e1000000}',
    },
    "ReaL JSON": {
        "lists a million deep": lambda: b"[" * 1_000_000,
        "millions of lists": lambda: b"[" + b"[]," * 5_000_000 + b"[]]",
        "a number of a million digits": lambda: b"[[" + b"9" * 1_000_000 + b"],[],[]]",
    },
    "TFRecord": {
        "a record of 2 GB": lambda: record(b"", 1 << 31),
        "a record of 2**64 bytes": lambda: record(b"", (1 << 64) - 1),
        "a number of a thousand groups": lambda: record(b"\x0a" + b"\xff" * 1000),
    },
    "configuration": {
        "a list in itself": circular,
        "lists a hundred thousand deep": lambda: deep(100_000),
        "classes from a device without end": lambda: {**OFFICIAL, "classes": "/dev/zero"},
        "a name with a zero byte": lambda: {**OFFICIAL, "output_dir": "a\0b"},
        "a name that is no text": lambda: {**OFFICIAL, "archives_dir": "\ud800"},
        "a key that is a date": lambda: {
            **OFFICIAL,
            "jobs": {datetime.date(2012, 1, 1): {datetime.date(2012, 1, 1): 1}},
        },
    },
}
