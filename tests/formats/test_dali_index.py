"""Index files of DALI: written as `wds2idx` writes them, and read strictly."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from imagenet_prep.formats import dali_index

IMAGES = pa.table({"filename": ["b.JPEG", "a.JPEG"], "offset": [2048, 512], "length": [700, 1000]})
TEXT = b"v1.2 2\njpg 2048 700 b.JPEG hdr 1536 9 header\njpg 512 1000 a.JPEG hdr 0 9 header\n"


def test_a_line_has_the_image_and_the_beginning_of_its_header_in_the_order_given(tmp_path: Path) -> None:
    dali_index.write(tmp_path / "index", IMAGES, 9)
    assert (tmp_path / "index").read_bytes() == TEXT


def test_what_was_written_is_read() -> None:
    assert dali_index.read(TEXT, 9).to_pydict() == IMAGES.to_pydict()


def test_an_index_of_nothing_is_one(tmp_path: Path) -> None:
    dali_index.write(tmp_path / "index", IMAGES[:0], 9)
    assert len(dali_index.read((tmp_path / "index").read_bytes(), 9)) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"v1.2 2", b"v1.1 2"),
        (b"v1.2 2", b"v1.2 3"),
        (b"v1.2 2", b"v1.2 two"),
        (b"jpg 512", b"png 512"),
        (b" hdr 0 9", b" hdr 512 9"),
        (b" hdr 0 9", b" hdr 0 8"),
        (b"jpg 512", b"jpg 5x2"),
        (b"a.JPEG hdr", b"a.JPEG"),
        (b"\njpg 512", b"\n\njpg 512"),
        (b"header\njpg", b"header jpg"),
    ],
)
def test_what_is_no_such_index_is_refused(old: bytes, new: bytes) -> None:
    assert old in TEXT
    with pytest.raises((ValueError, pa.ArrowException)):
        dali_index.read(TEXT.replace(old, new), 9)


def test_one_without_its_end_is_refused() -> None:
    with pytest.raises(ValueError, match="lines"):
        dali_index.read(TEXT[:-1], 9)
