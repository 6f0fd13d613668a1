"""WebDataset shards: plain tar archives in which the files of a sample follow each other, and DALI's index of one.

The files of a sample have one key, and each an extension of its own: `<key>.jpg`, `<key>.cls`, `<key>.json` (README of
the webdataset library). The archive is POSIX ustar; owners are 0 and times 1970, so that the same samples give the same
bytes. The index is the text that DALI's `wds2idx` writes: `v1.2 <samples>`, then a line a sample, of each of its files
`<extension> <offset> <bytes> <name>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import FileIO
from typing import Any

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tar
from imagenet_prep.formats.gathering import GatheringWriter
from imagenet_prep.formats.stream import Buffer, Stream
from imagenet_prep.formats.tar_header import BLOCK

INDEX_VERSION = "v1.2"
"""The word with which DALI's indexes begin."""

_NAME_LIMIT = 100
_SIZE_LIMIT = 8 << 30
# The fields of a header but name, size and checksum, each with the byte that ends it.
_BEFORE_SIZE = b"0000644\x00" + b"0000000\x00" + b"0000000\x00"  # mode, owner, group
_BEFORE_SUM = b"\x00" + b"00000000000\x00"  # end of the size, time
_KIND = (b"\x00 " + b"0").ljust(103, b"\x00")  # end of the checksum, a regular file, no link
_MAGIC = (b"ustar\x00" + b"00").ljust(72, b"\x00")  # no names of owner and group
_BEHIND_SUM = (_KIND + _MAGIC + b"0000000\x00" + b"0000000\x00").ljust(BLOCK - 154, b"\x00")  # no device
_REST_OF_SUM = sum(_BEFORE_SIZE + _BEFORE_SUM + _BEHIND_SUM) + 8 * ord(" ") - ord(" ")
_PADDING = [bytes(n) for n in range(BLOCK)]

Files = tuple[tuple[str, Buffer], ...]
"""The files of a sample: the extension of each, without its dot, and its content."""


def header(name: str, nbytes: int) -> bytes:
    """The 512 bytes before a file of `nbytes`.

    Raises:
        ValueError: a plain ustar header cannot say this.
    """
    raw = name.encode()
    if not 0 < len(raw) <= _NAME_LIMIT or nbytes >= _SIZE_LIMIT:
        raise ValueError(f"a member of {nbytes} bytes called {name!r} fits in no header of a tar archive")
    size = b"%011o" % nbytes
    checksum = b"%06o" % (_REST_OF_SUM + sum(raw) + sum(size))
    return b"".join((raw, _PADDING[_NAME_LIMIT - len(raw)], _BEFORE_SIZE, size, _BEFORE_SUM, checksum, _BEHIND_SUM))


def write_samples(file: FileIO, samples: Iterable[tuple[str, Files]]) -> dict[str, Any]:
    """Write a shard; return its `bytes`, its `crc32c` in hexadecimal, and as `beside` a list of one: DALI's index.

    Args:
        file: open for writing, unbuffered.
        samples: the key of each, without a dot, and its files.

    Raises:
        ValueError: a key or a file that a shard cannot hold.
    """
    output, lines = GatheringWriter(file), []
    for key, files in samples:
        if not key or "." in key.rpartition("/")[2]:
            raise ValueError(f"{key!r} cannot be the key of a sample: readers take it to end at its first dot")
        line, waiting = [], b""  # what is behind a file, in one piece with the header of the next one
        for extension, content in files:
            name, nbytes = f"{key}.{extension}", len(content)
            before = waiting + header(name, nbytes)
            line.append(f"{extension} {output.nbytes + len(before)} {nbytes} {name}")
            output.write(before, content)
            waiting = _PADDING[-nbytes % BLOCK]
        output.write(waiting)
        lines.append(" ".join(line))
    output.write(bytes(2 * BLOCK))
    output.flush()
    index = "".join(f"{line}\n" for line in (f"{INDEX_VERSION} {len(lines)}", *lines))
    return {"bytes": output.nbytes, "crc32c": f"{output.crc32c:08x}", "beside": [index.encode()]}


def read_samples(stream: Stream, place: str, nbytes: int) -> Iterator[tuple[str, dict[str, tuple[int, Buffer]]]]:
    """Yield the key of each sample, and by extension the offset in bytes and the content of each of its files.

    Shares no code with `write_samples`, which the audit checks with it.

    Args:
        stream: of the shard.
        place: its name, for messages.
        nbytes: its length in bytes.

    Raises:
        PrepError: it is no whole tar archive, or a sample has two files with the same extension.
    """
    key = ""
    files: dict[str, tuple[int, Buffer]] = {}
    for member in tar.walk(stream, place, end=nbytes):
        folder, slash, base = member.name.rpartition("/")
        stem, _, extension = base.partition(".")
        if (of := folder + slash + stem) != key:
            if files:
                yield key, files
            key, files = of, {}
        if extension in files:
            raise PrepError(place, "the sample has two files of one kind", "", member=member.name, offset=member.offset)
        files[extension] = member.offset, bytes(stream.take(member.nbytes))
    if files:
        yield key, files
