"""Index files of ratarmount: what its reader looks at, and the same bytes each time."""

from __future__ import annotations

import errno
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import builders
from imagenet_prep.formats import ratarmount_index

FOLDERS = {"val", "val/n1", "val/n2"}
IMAGES = pa.table(
    {
        "filename": ["b.JPEG", "a.JPEG", "c.JPEG"],
        "folder": ["val/n2", "val/n1", "val/n1"],
        "offset": [2048, 512, 9216],
        "length": [700, 1000, 3],
    }
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.tar"
    path.write_bytes(builders.tar({"a": bytes(30000)}))
    return path


@pytest.fixture
def index(archive: Path) -> Path:
    path = archive.with_name("index.sqlite")
    ratarmount_index.write(path, archive, FOLDERS, IMAGES)
    return path


def rows(index: Path, query: str) -> list[Any]:
    with sqlite3.connect(index) as database:
        return database.execute(query).fetchall()


def changed(index: Path, statement: str) -> Path:
    with sqlite3.connect(index) as database:
        database.execute(statement)
    database.close()
    return index


def test_files_lie_in_the_folders_that_they_are_given(index: Path) -> None:
    found = rows(index, "SELECT path || '/' || name, offset, size FROM files WHERE mode = 33188 ORDER BY 1")
    assert found == [("/val/n1/a.JPEG", 512, 1000), ("/val/n1/c.JPEG", 9216, 3), ("/val/n2/b.JPEG", 2048, 700)]
    folders = rows(index, "SELECT path || '/' || name FROM files WHERE mode = 16877 ORDER BY 1")
    assert folders == [("/val",), ("/val/n1",), ("/val/n2",)]


def test_the_last_entry_is_followed_by_an_end_of_a_tar_whichever_images_are_named(index: Path, archive: Path) -> None:
    """Else ratarmount takes the archive for one that has grown, and deletes the index."""
    ((end,),) = rows(index, "SELECT offset + size FROM files ORDER BY offset DESC LIMIT 1")
    assert archive.read_bytes()[end:] == bytes(1024)
    ((stats,),) = rows(index, "SELECT value FROM metadata WHERE key = 'tarstats'")
    assert json.loads(stats) == {"st_size": archive.stat().st_size}


def test_of_an_archive_without_an_end_mark_nothing_is_compared(archive: Path) -> None:
    archive.write_bytes(b"x" * 20480)
    path = archive.with_name("index.sqlite")
    ratarmount_index.write(path, archive, FOLDERS, IMAGES)
    assert rows(path, "SELECT value FROM metadata WHERE key = 'tarstats'") == []


def test_a_disk_that_breaks_while_the_archive_is_read_is_told_with_its_name(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(ratarmount_index, "open", lambda path, mode: Broken(), raising=False)
    with pytest.raises(OSError, match="Input/output error") as caught:
        ratarmount_index.write(archive.with_name("index.sqlite"), archive, FOLDERS, IMAGES)
    assert caught.value.filename == str(archive)


def test_the_same_bytes_come_of_it_whatever_the_order_the_place_and_the_release_of_sqlite(
    index: Path, archive: Path
) -> None:
    other = archive.with_name("other")
    ratarmount_index.write(other, archive, sorted(FOLDERS, reverse=True), IMAGES.take([2, 0, 1]))
    assert other.read_bytes() == index.read_bytes()
    assert index.read_bytes()[96:100] == (3_040_000).to_bytes(4, "big")


def test_what_was_written_is_read(index: Path) -> None:
    found = ratarmount_index.read(index).to_pylist()
    wanted = IMAGES.sort_by([("folder", "ascending"), ("filename", "ascending")]).to_pylist()
    assert found == [{key: row[key] for key in ("folder", "filename", "offset", "length")} for row in wanted]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE files SET mode = 41471 WHERE name = 'a.JPEG'",
        "UPDATE files SET offsetheader = 1 WHERE name = 'a.JPEG'",
        "DELETE FROM files WHERE name = 'n1'",
        "DELETE FROM metadata WHERE key = 'backendName'",
        "INSERT INTO metadata VALUES ('isGnuIncremental', '1')",
        "DROP TABLE files",
    ],
)
def test_what_is_no_such_index_is_refused(index: Path, statement: str) -> None:
    with pytest.raises(ValueError):
        ratarmount_index.read(changed(index, statement))


def test_what_is_no_database_is_refused(index: Path) -> None:
    index.write_bytes(b"no database" * 1000)
    with pytest.raises(ValueError, match="SQLite"):
        ratarmount_index.read(index)
