"""The checksum that follows a download: right whatever was handed over, and never waited for."""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagenet_prep.download.checksum import FollowingChecksum

GIB = 1 << 30
BLOCK = 1 << 14


@pytest.fixture
def large(tmp_path: Path) -> Iterator[int]:
    """A file that takes many seconds to hash, open for reading."""
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 4 * GIB)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_it_stops_at_once_however_much_is_still_to_be_read(large: int) -> None:
    checksum = FollowingChecksum("md5", large)
    checksum.feed(4 * GIB, b"")
    time.sleep(0.1)
    start = time.monotonic()
    checksum.stop()
    assert time.monotonic() - start < 2


def test_nobody_who_feeds_it_waits_while_it_reads_what_was_there(large: int) -> None:
    checksum = FollowingChecksum("md5", large)
    start = time.monotonic()
    for i in range(500):
        checksum.feed(3 * GIB + i * BLOCK, bytes(BLOCK))
    checksum.stop()
    assert time.monotonic() - start < 2


def test_it_is_right_where_blocks_found_no_room(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(32 << 20)
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        checksum = FollowingChecksum("sha256", file.fileno())
        for start in range(len(content) // 2, len(content), BLOCK):
            checksum.feed(start, content[start : start + BLOCK])
        assert checksum.hexdigest(len(content)) == hashlib.sha256(content).hexdigest()


def test_it_is_right_where_blocks_come_out_of_order_or_twice(tmp_path: Path) -> None:
    content = random.Random(2).randbytes(1 << 20)
    path = tmp_path / "file"
    path.write_bytes(content)
    starts = [*range(0, len(content), BLOCK)] * 2
    random.Random(3).shuffle(starts)
    with path.open("rb") as file:
        checksum = FollowingChecksum("md5", file.fileno())
        for start in starts:
            checksum.feed(start, content[start : start + BLOCK])
        assert checksum.hexdigest(len(content)) == hashlib.md5(content).hexdigest()


def test_a_file_that_is_shorter_than_it_was_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("rb") as file:
        checksum = FollowingChecksum("md5", file.fileno())
        checksum.feed(10, b"")
        with pytest.raises(OSError, match="shorter than what was written"):
            checksum.hexdigest(10)
