"""Small tar archives, what Python's tarfile finds in them, and what the walk finds or refuses."""

from __future__ import annotations

import io
import tarfile

import pytest

import builders
from imagenet_prep.errors import PrepError
from imagenet_prep.formats.stream import Stream
from imagenet_prep.formats.tar import Member, walk

FORMATS = {"GNU": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT}
FILES = {"a.JPEG": b"first", "b.JPEG": b"x" * 512, "empty": b"", "c.JPEG": bytes(1500)}
END = bytes(1024)

formats = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


def members(data: bytes) -> list[Member]:
    """What the walk finds in an archive."""
    with Stream(io.BytesIO(data)) as stream:
        return list(walk(stream, "archive.tar", end=len(data)))


def found_by_tarfile(data: bytes) -> list[Member]:
    """The same, as Python's tarfile finds it."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [Member(file.name, file.offset_data, file.size) for file in archive if file.isfile()]


def refusal(data: bytes) -> PrepError:
    """The error of a walk, in one line and with its place."""
    with pytest.raises(PrepError) as caught:
        members(data)
    assert caught.value.place == "archive.tar"
    assert caught.value.offset is not None
    assert builders.is_one_line(caught.value)
    return caught.value
