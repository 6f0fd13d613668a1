"""Index files with which ratarmount mounts a tar, and shows in it what they name, in the folders that they name.

The form is that of ratarmount's `SQLiteIndexedTar`, version 0.7.0 of its indexes (read in ratarmountcore's source): a
row an entry, folders too. It goes by offset and size, and looks at no tar header, so that members of a tar in the tar
are files like any others, and may be shown in any folder.

Two traps. Of the archive's size and time in `metadata`, the time is left out, since it says nothing of what an archive
holds. And where the bytes behind the last entry are no end of a tar, ratarmount takes the archive for one that has
grown, deletes the index and makes another one: so a folder, whose place nobody reads, stands at the end.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from imagenet_prep import atomic
from imagenet_prep.errors import reading
from imagenet_prep.formats.tar_header import BLOCK

_BACKEND = "SQLiteIndexedTar"
_VERSIONS = (("ratarmount", "1.3.0", 1, 3, 0), ("index", "0.7.0", 0, 7, 0))
_FILE, _FOLDER = 0o100644, 0o40755  # modes
_REGULAR, _DIRECTORY = 0, 5  # of tar's types of members, as numbers
# Sorted by the key, and without row numbers, it is half as large, and is read as any other.
_TABLES = """
CREATE TABLE "files" (
    "path" VARCHAR(65535) NOT NULL, "name" VARCHAR(65535) NOT NULL, "offsetheader" INTEGER, "offset" INTEGER,
    "size" INTEGER, "mtime" REAL, "mode" INTEGER, "type" INTEGER, "linkname" VARCHAR(65535), "uid" INTEGER,
    "gid" INTEGER, "istar" BOOL, "issparse" BOOL, "isgenerated" BOOL, "recursiondepth" INTEGER,
    PRIMARY KEY ("path", "name", "offsetheader")
) WITHOUT ROWID;
CREATE TABLE "metadata" (
    "key" VARCHAR(65535) NOT NULL, "value" VARCHAR(65535) NOT NULL, PRIMARY KEY ("key")
);
CREATE TABLE "versions" (
    "name" VARCHAR(65535) NOT NULL, "version" VARCHAR(65535) NOT NULL, "major" INTEGER, "minor" INTEGER,
    "patch" INTEGER, PRIMARY KEY ("name")
);
"""
_INSERT = f"INSERT INTO files VALUES ({', '.join('?' * 15)})"
_ROWS_AT_A_TIME = 1 << 16
_END = bytes(2 * BLOCK)
# Where a database notes which release of SQLite has written it, which readers do not look at, and the number written.
_WRITER, _WRITERS_NUMBER = 96, (3_040_000).to_bytes(4, "big")

SAMPLES = pa.schema(
    [("folder", pa.string()), ("filename", pa.string()), ("offset", pa.int64()), ("length", pa.int64())]
)


def write(path: str | os.PathLike[str], archive: Path, folders: Iterable[str], images: pa.Table) -> None:
    """Write the index of images: the same bytes whatever the release of SQLite, the machine and the day.

    Args:
        path: the file, which appears whole.
        archive: in which the images lie.
        folders: the paths of all folders, those above others included.
        images: with `folder` (the path of one of these), `filename`, `offset` and `length` (bytes) of each.
    """
    # In memory, since SQLite would say in words of its own that a disk is full.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript("PRAGMA page_size=4096;" + _TABLES)
        metadata = {"backendName": _BACKEND, "arguments": "{}"}
        if end := _end_of(archive):
            metadata["tarstats"] = json.dumps({"st_size": end + len(_END)})
        database.execute("BEGIN")
        database.executemany("INSERT INTO metadata VALUES (?, ?)", sorted(metadata.items()))
        database.executemany("INSERT INTO versions VALUES (?, ?, ?, ?, ?)", _VERSIONS)
        database.executemany(_INSERT, (_folder(it, end) for it in sorted(folders)))
        database.executemany(_INSERT, _files(images.sort_by([("folder", "ascending"), ("filename", "ascending")])))
        database.execute("COMMIT")
        content = database.serialize()
    with atomic.replacing(path) as partial, open(partial, "wb") as file:
        file.write(content[:_WRITER])
        file.write(_WRITERS_NUMBER)
        file.write(memoryview(content)[_WRITER + len(_WRITERS_NUMBER) :])


def _end_of(archive: Path) -> int:
    """Where the archive's end mark begins, as ratarmount looks for it; 0 where there is none such."""
    with open(archive, "rb") as file, reading(archive):
        nbytes = file.seek(0, os.SEEK_END)
        start = max(0, nbytes - len(_END))
        file.seek(start)
        return start if start % BLOCK == 0 and file.read() == _END else 0


def _folder(folder: str, offset: int) -> tuple[object, ...]:
    above, _, name = f"/{folder}".rpartition("/")
    return (above, name, 0, offset, 0, 0, _FOLDER, _DIRECTORY, "", 0, 0, 0, 0, 0, 0)


def _files(images: pa.Table) -> Iterator[tuple[object, ...]]:
    for part in images.to_batches(max_chunksize=_ROWS_AT_A_TIME):
        columns = (part[name].to_pylist() for name in ("folder", "filename", "offset", "length"))
        for folder, filename, offset, length in zip(*columns, strict=True):
            place = (f"/{folder}", filename, offset - BLOCK, offset, length)
            yield (*place, 0, _FILE, _REGULAR, "", 0, 0, 0, 0, 0, 0)


def read(path: Path) -> pa.Table:
    """The files that an index names, schema `SAMPLES`, by folder and name.

    Raises:
        ValueError: it is no such index.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro&immutable=1", uri=True)) as database:
            return _read(database)
    except sqlite3.Error as error:
        raise ValueError(f"SQLite: {error}") from error


def _read(database: sqlite3.Connection) -> pa.Table:
    (problem,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if problem != "ok":
        raise ValueError(f"SQLite: {problem}")
    metadata = dict(database.execute("SELECT key, value FROM metadata"))
    if metadata.get("backendName") != _BACKEND or not {"tarstats", "arguments"}.issuperset(
        metadata.keys() - {"backendName"}
    ):
        raise ValueError("what it says of itself is not what ratarmount looks for")
    folders, above = set(), {""}
    found = database.execute(
        "SELECT path, name, offsetheader, offset, size, mode, type FROM files ORDER BY path, name, offsetheader"
    )
    parts = [SAMPLES.empty_table()]
    while rows := found.fetchmany(_ROWS_AT_A_TIME):
        files = []
        for place, name, header, offset, size, mode, kind in rows:
            above.add(place)
            if (mode, kind) == (_FOLDER, _DIRECTORY):
                folders.add(f"{place}/{name}")
            elif (mode, kind) != (_FILE, _REGULAR) or header + BLOCK != offset:
                raise ValueError(f"{place}/{name} is not what ratarmount takes for a file of a tar")
            else:
                files.append((place.removeprefix("/"), name, offset, size))
        if files:
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*files, strict=True), SAMPLES, strict=True)
            ]
            parts.append(pa.table(columns, schema=SAMPLES))
    if above != {"", *folders} and above != {*folders}:
        raise ValueError("its folders are not those of its files")
    return pa.concat_tables(parts)
