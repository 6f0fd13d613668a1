"""Inputs as an enemy would make them: valid files changed where their format says something, or made up from its parts.

Strategies of hypothesis, which make as many as one likes.
"""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from typing import Any

import yaml
from crc32c import crc32c
from hypothesis import strategies as st

from builders import CRANE, FOX, header, image, padded, tar
from faults.matfile import META, TRUTH, deflated, meta_mat
from imagenet_prep.configuration import SCHEMA
from imagenet_prep.formats import example, tfrecord

END = bytes(1024)
VAL = "ILSVRC2012_val_00000001.JPEG"

_NUMBERS = [0, 1, 2, 127, 128, 255, 256, 32767, 65535, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]


@st.composite
def mutated(draw: st.DrawFn, bases: list[bytes], most: int = 4) -> bytes:
    """One of the files with up to so many pieces overwritten, taken out, doubled or put in, and perhaps cut off."""
    content = bytearray(draw(st.sampled_from(bases)))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, most]))):
        start = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 16) | st.just(512))
        piece = draw(
            st.binary(min_size=1, max_size=8)
            | st.sampled_from(_NUMBERS).map(lambda number: struct.pack("<I", number))
            | st.sampled_from(_NUMBERS).map(lambda number: struct.pack(">I", number))
            | st.sampled_from([bytes(512), b"\xff" * 12, b"\0\0"])
        )
        how = draw(st.sampled_from(["overwrite", "take out", "double", "put in"]))
        if how == "overwrite":
            content[start : start + len(piece)] = piece
        elif how == "take out":
            del content[start : start + length]
        else:
            content[start:start] = content[start : start + length] if how == "double" else piece
    is_cut = draw(st.integers(0, 5)) == 5
    return bytes(content[: draw(st.integers(0, len(content)))] if is_cut else content)


# Names, and archives of them

NAMES = st.sampled_from(
    [
        *(
            "../up",
            "a/../../up",
            "..",
            "/etc/passwd",
            "//x",
            "./.",
            "",
            "a\nb",
            "a\0b",
            "a\\..\\b",
            "C:\\x",
            "\u202egpj",
        ),
        *("nul\x7f", "é", "e\u0301", "A" * 99, "ü" * 127, "n" * 255, f"{FOX}_{'1' * 250}.JPEG", f"{FOX}_\u0661.JPEG"),
        *(
            VAL,
            VAL.lower(),
            VAL.upper(),
            VAL.replace("1", "\u0661"),
            f"{FOX}_1.JPEG",
            f"{FOX}_1.jpeg",
            f"{FOX.upper()}_1.JPEG",
        ),
        *(f"{FOX}.tar", f"{FOX}.TAR", "n\u0661" + "1" * 7 + ".tar", f"../{FOX}.tar", f"x/{VAL}", f"x/../{VAL}"),
    ]
).map(lambda name: name.encode()) | st.binary(max_size=120)
KINDS = st.sampled_from([b"0", b"\0", b"7", b"5", b"1", b"2", b"3", b"6", b"S", b"L", b"K", b"x", b"g", b"V", b"\xff"])
SIZES = st.sampled_from(
    [
        *(10 << 30, (1 << 33) - 1, b"\x80" + (10 << 30).to_bytes(11, "big"), b"\x80" + b"\xff" * 11, b"\xff" * 12),
        *(b"777777777777", b"-0000000010\0", b" " * 12, bytes(12), b"0x10       \0"),
    ]
)


@st.composite
def members(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> bytes:
    """One member of a tar archive: any name, kind and size, its header's checksum right."""
    usual = st.sampled_from([VAL, f"{FOX}.tar", f"{FOX}_1.JPEG", "ILSVRC2012_test_00000001.JPEG"]).map(str.encode)
    name, kind, content = draw(usual | NAMES), draw(st.just(b"0") | st.just(b"0") | KINDS), draw(contents)
    right = st.just(len(content))
    size = draw(right | right | right | SIZES | st.integers(0, 2000))
    front = b""
    how = draw(st.sampled_from(["header", "header", "header", "GNU", "pax"]))
    if how == "GNU":
        front = header("././@LongLink", len(name), b"L") + padded(name)
    elif how == "pax":
        key = draw(st.sampled_from([b"path", b"size", b"GNU.sparse.map", b"linkpath"]))
        record = key + b"=" + name + b"\n"
        record = b"%d " % (len(record) + len(b"%d " % (len(record) + 4))) + record
        front = header("pax", len(record), b"x") + padded(record)
    return front + header(name[:100], size, kind) + padded(content)


def archives(contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Tar archives of such members, ended or not."""
    joined = st.lists(members(contents), min_size=1, max_size=4).map(b"".join)
    return st.builds(lambda body, end: body + end, joined, st.sampled_from([END, END, b"", bytes(512)]))


PHOTO = image(1)
WHOLE_TAR = tar({VAL: PHOTO, "b" * 120: b"x" * 700, "n.tar": tar({f"{FOX}_1.JPEG": PHOTO})})
SMALL_ARCHIVES = archives(st.binary(max_size=600) | st.just(PHOTO) | archives(st.just(PHOTO))) | mutated([WHOLE_TAR])
COMPRESSED_ARCHIVES = SMALL_ARCHIVES.map(lambda content: gzip.compress(content, 1)) | mutated(
    [gzip.compress(WHOLE_TAR)]
)


# Images


def segment(marker: int, content: bytes, length: int | None = None) -> bytes:
    """One segment of a JPEG; its length may be a lie."""
    said = len(content) + 2 if length is None else length
    return bytes([0xFF, marker]) + (said & 0xFFFF).to_bytes(2, "big") + content


def frame(width: int, height: int, channels: int, marker: int = 0xC0) -> bytes:
    """The segment of a JPEG that gives its size."""
    return segment(marker, struct.pack(">BHHB", 8, height, width, channels) + bytes(range(3 * channels)))


def chunk(kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """One chunk of a PNG, its checksum right; its length may be a lie."""
    said = len(content) if length is None else length
    return struct.pack(">I", said) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, pixels: bytes, *extra: bytes, colour: int = 2) -> bytes:
    """A PNG of compressed pixels, whatever size it claims."""
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


_SEGMENTS = st.builds(
    segment, st.integers(0, 255), st.binary(max_size=40), st.none() | st.sampled_from([0, 1, 2, 3, 9, 0x7FFF, 0xFFFF])
)
_FRAMES = st.builds(
    frame,
    st.sampled_from([0, 1, 24, 4000, 65535]),
    st.sampled_from([0, 1, 16, 4000, 65535]),
    st.integers(0, 5),
    st.sampled_from([0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCF]),
)
_PHOTOS = [
    image(1),
    image(2, mode="CMYK"),
    image(3, mode="L", progressive=True),
    image(4, mode="CMYK", progressive=True),
]
_PNGS = [image(5, form="PNG"), image(6, mode="P", form="PNG"), image(7, mode="RGBA", form="PNG")]
IMAGES = (
    mutated(_PHOTOS + _PNGS)
    | st.builds(
        lambda parts, photo: b"\xff\xd8" + b"".join(parts) + photo[2:],
        st.lists(_SEGMENTS | _FRAMES, max_size=4),
        st.sampled_from(_PHOTOS),
    )
    | st.lists(_SEGMENTS | _FRAMES, max_size=6).map(lambda parts: b"\xff\xd8" + b"".join(parts))
    | st.builds(
        png,
        st.sampled_from([0, 1, 24, 5000, 1 << 30, (1 << 31) - 1]),
        st.sampled_from([0, 1, 16, 5000, 1 << 30]),
        st.sampled_from([zlib.compress(bytes(2000)), b"", b"\x78"]),
        st.builds(
            chunk,
            st.sampled_from([b"tEXt", b"zTXt", b"iCCP", b"PLTE", b"acTL", b"IDAT", b"eXIf"]),
            st.binary(max_size=30),
            st.none() | st.sampled_from(_NUMBERS),
        ),
        colour=st.sampled_from([0, 2, 3, 4, 6, 7]),
    )
)

# Annotations

XML = b"""<annotation><folder>val</folder><filename>ILSVRC2012_val_00000001</filename>
<source><database>d</database></source><size><width>500</width><height>375</height><depth>3</depth></size><segmented>0</segmented><object><name>n01751748</name>
<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax>
<ymax>4</ymax></bndbox></object></annotation>"""
_TAGS = ["annotation", "folder", "filename", "size", "width", "height", "object", "name", "bndbox", "xmin", "xmax", "x"]
_TEXTS = st.sampled_from(
    [
        *(
            "",
            "0",
            "-1",
            "1e308",
            "-1e999",
            "nan",
            "inf",
            "1_0",
            "\u0661",
            "9" * 400,
            "1." + "0" * 300,
            "%s",
            "&#0;",
            "&x;",
            "]]>",
        ),
        "x" * 300,
    ]
) | st.text(max_size=5)


def _element(tag: str, inner: str) -> str:
    return f"<{tag}>{inner}</{tag}>"


_ELEMENTS = st.recursive(
    _TEXTS,
    lambda inner: st.lists(st.builds(_element, st.sampled_from(_TAGS), inner), max_size=5).map("".join),
    max_leaves=12,
)


@st.composite
def annotations(draw: st.DrawFn) -> bytes:
    """The XML with values exchanged, or elements of the same names in any order."""
    if draw(st.booleans()):
        return draw(mutated([XML]))
    if draw(st.booleans()):
        return _element("annotation", draw(_ELEMENTS)).encode("utf-8", "surrogatepass")
    xml = XML.decode()
    for old in draw(
        st.lists(
            st.sampled_from([">500<", ">375<", ">n01751748<", ">1<", ">4<", ">Unspecified<", "ILSVRC2012_val_00000001"])
        )
    ):
        new = draw(_TEXTS)
        xml = xml.replace(old, f">{new}<" if old.startswith(">") else new)
    return xml.encode("utf-8", "surrogatepass")


# JSON

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from([CRANE, FOX, "v1", "correct"])
)
_KEYS = st.sampled_from(
    ["initial_annots", "problematic_images", "imagenet_m", "v1", "v2", "correct", "wrong", "unclear", ""]
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=15
)
MULTILABEL = json.dumps(
    {"initial_annots": {"v1": {"correct": [FOX]}}, "problematic_images": {"v2": 1}, "imagenet_m": ["v1"]}
).encode()
DOCUMENTS = _VALUES.map(lambda value: json.dumps(value).encode()) | st.builds(
    lambda a, p, m: json.dumps({"initial_annots": a, "problematic_images": p, "imagenet_m": m}).encode(),
    _VALUES,
    _VALUES,
    _VALUES,
)
MULTILABELS = DOCUMENTS | mutated([MULTILABEL])
REAL_LABELS = DOCUMENTS | mutated([b"[[1], [0, 2], []]"])


# meta.mat

_META = meta_mat()
KITS = st.builds(
    lambda meta, truth, compressed: {META: deflated(meta) if compressed else meta, TRUTH: truth},
    mutated([_META], 3),
    st.just(b"1\n2\n2\n") | mutated([b"1\n2\n2\n"]),
    st.booleans(),
) | mutated(
    [
        _META,
        b"",
        b"MATLAB 7.3 MAT-file" + bytes(600),
        *(struct.pack("<5i", kind, 2, 2, 0, 2) + b"a\0" + bytes(64) for kind in (0, 50, 51, 52, 1000)),
    ]
).map(lambda meta: {META: meta, TRUTH: b"1\n2\n2\n"})


# Records

_EXAMPLE = (
    example.around(
        example.bytes_entry("image/filename", b"x.JPEG")
        + example.int64_entry("label", [1, -1])
        + example.float_entry("xmin", [0.5]),
        "image",
        3,
    )
    + b"abc"
)


def record(data: bytes, length: int | None = None) -> bytes:
    """A framed record; its length, with a right checksum, may be a lie."""
    packed = struct.pack("<Q", len(data) if length is None else length)
    return (
        packed
        + struct.pack("<I", tfrecord.masked(crc32c(packed)))
        + data
        + struct.pack("<I", tfrecord.masked(crc32c(data)))
    )


RECORDS = st.lists(
    st.builds(
        record,
        mutated([_EXAMPLE]) | st.binary(max_size=60),
        st.none() | st.none() | st.sampled_from([*_NUMBERS, 1 << 63, (1 << 64) - 1]),
    ),
    max_size=4,
).map(b"".join) | mutated([record(_EXAMPLE) * 2])


# Predictions

PREDICTIONS = mutated(
    [b"filename,top1,top2\nv1,0,1\nv2,1,2\n", b'filename,top1\nv1,0\nv2,"1"\n', b"filename,top1\nv1,1e300\nv2,\n"]
)


# The configuration


def _paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = (
        [found for key, below in value.items() for found in _paths(below, (*path, key))]
        if isinstance(value, dict)
        else []
    )
    return [path, *inner] if path else inner


def _with(config: Any, path: tuple[str, ...], value: Any) -> Any:
    return (
        {**config, path[0]: _with(config[path[0]], path[1:], value) if path[1:] else value}
        if isinstance(config, dict)
        else config
    )


OFFICIAL = yaml.safe_load((SCHEMA.parents[2] / "config" / "config.yaml").read_text(encoding="utf-8"))
_WORDS = [
    "",
    ".",
    "..",
    "/",
    "a\0b",
    "a\nb",
    "\ud800",
    "x" * 5000,
    "~",
    "n01440764",
    "train",
    "link",
    "s3://",
    "file://h/x",
    "gs://\0",
    "http://[",
    "./../",
    "/dev/zero",
    "/dev/null",
    "/proc/self/mem",
]
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(_WORDS)
    | st.text(max_size=8)
    | st.binary(max_size=4)
    | st.dates()
    | st.just(10**4000)
)
_YAML_KEYS = (
    st.sampled_from(["file", "url", "md5", "output_dir", "use"])
    | st.text(max_size=4)
    | st.integers()
    | st.none()
    | st.dates()
    | st.binary(max_size=2)
)
_YAML = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_YAML_KEYS, inner, max_size=3), max_leaves=6
)


@st.composite
def configurations(draw: st.DrawFn) -> Any:
    """The official configuration with anything that YAML can say in place of some of its values, and other keys."""
    config: Any = OFFICIAL
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(_paths(OFFICIAL)))
        config = _with(config, path, draw(_YAML))
    return {**config, draw(_YAML_KEYS): draw(_YAML)} if draw(st.integers(0, 4)) == 4 else config
