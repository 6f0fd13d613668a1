"""Archives as an enemy would make them: any names, kinds and sizes of members.

Strategies of hypothesis, which make as many as one likes.
"""

from __future__ import annotations

import gzip

from hypothesis import strategies as st

from builders import FOX, header, image, padded, tar
from faults.mutation import mutated

END = bytes(1024)
VAL = "ILSVRC2012_val_00000001.JPEG"
NAMES = st.sampled_from(
    [
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
        "nul\x7f",
        "é",
        "e\u0301",
        "A" * 99,
        "ü" * 127,
        "n" * 255,
        f"{FOX}_{'1' * 250}.JPEG",
        f"{FOX}_\u0661.JPEG",
        VAL,
        VAL.lower(),
        VAL.upper(),
        VAL.replace("1", "\u0661"),
        f"{FOX}_1.JPEG",
        f"{FOX}_1.jpeg",
        f"{FOX.upper()}_1.JPEG",
        f"{FOX}.tar",
        f"{FOX}.TAR",
        "n\u0661" + "1" * 7 + ".tar",
        f"../{FOX}.tar",
        f"x/{VAL}",
        f"x/../{VAL}",
    ]
).map(lambda name: name.encode()) | st.binary(max_size=120)
KINDS = st.sampled_from([b"0", b"\0", b"7", b"5", b"1", b"2", b"3", b"6", b"S", b"L", b"K", b"x", b"g", b"V", b"\xff"])
SIZES = st.sampled_from(
    [
        10 << 30,
        (1 << 33) - 1,
        b"\x80" + (10 << 30).to_bytes(11, "big"),
        b"\x80" + b"\xff" * 11,
        b"\xff" * 12,
        b"777777777777",
        b"-0000000010\0",
        b" " * 12,
        bytes(12),
        b"0x10       \0",
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
