"""Class folders as the audit reads them."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from crc32c import crc32c

from imagenet_prep.products import class_folder_samples
from imagenet_prep.products.class_folder_samples import read_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("n01/a.JPEG", "n01/b.JPEG", "n01/more/c.JPEG", "012/d.JPEG", "12/e.JPEG"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())
    return tmp_path


def test_a_file_is_a_sample_of_the_class_that_its_folder_says(root: Path) -> None:
    rows = sorted(read_folder(root, root / "n01", "wnid").samples.to_pylist(), key=lambda row: row["path"])
    assert [(row["filename"], row["wnid"]) for row in rows] == [
        ("a.JPEG", "n01"),
        ("b.JPEG", "n01"),
        ("c.JPEG", "n01/more"),
    ]
    assert rows[0] == {
        "path": str(root / "n01" / "a.JPEG"),
        "filename": "a.JPEG",
        "length": 6,
        "crc32c": crc32c(b"a.JPEG"),
        "wnid": "n01",
    }


@pytest.mark.parametrize(("folder", "index"), [("012", 12), ("12", -1), ("n01", -1)])
def test_an_index_is_three_digits_and_nothing_else(root: Path, folder: str, index: int) -> None:
    assert set(read_folder(root, root / folder, "class_index").samples["class_index"].to_pylist()) == {index}


def test_an_unreadable_file_is_a_problem_and_no_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = class_folder_samples._read

    def broken(path: str, buffer: bytearray) -> tuple[int, int]:
        if path.endswith("a.JPEG"):
            raise OSError(errno.EIO, "Input/output error", path)
        return read(path, buffer)

    monkeypatch.setattr(class_folder_samples, "_read", broken)
    reading = read_folder(root, root / "n01", "wnid")
    assert [error.place for error in reading.problems] == [str(root / "n01" / "a.JPEG")]
    assert set(reading.samples["filename"].to_pylist()) == {"b.JPEG", "c.JPEG"}


def test_a_class_folder_that_is_a_file_is_a_sample_of_no_class(root: Path) -> None:
    (root / "n02").write_bytes(b"file")
    (row,) = read_folder(root, root / "n02", "wnid").samples.to_pylist()
    assert (row["path"], row["filename"], row["wnid"]) == (str(root / "n02"), "n02", "")
