"""What is written down of an archive that was read: nothing holds any more that was made of another content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.outputs import put, written
from imagenet_prep.engine.verification import verify
from imagenet_prep.errors import PrepError

RECEIPT = {"archive": "val", "bytes": 7, "md5": "0" * 32, "members": 3}
CONTENT = f"md5 {'0' * 32}, 7 bytes"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return written(tmp_path / "archives" / "val.tar", "content")


def config(output: Path) -> dict[str, Any]:
    return {
        "output_dir": str(output),
        "archives_dir": str(output / "elsewhere"),
        "archives": {"val": {"file": "val.tar"}},
    }


def test_the_receipt_of_a_scan_says_what_was_read_and_written(tmp_path: Path, archive: Path) -> None:
    table = tmp_path / "state" / "archives" / "val.parquet"
    (tmp_path / "state").mkdir()

    def read(_: Path) -> dict[str, Any]:
        written(table)
        return RECEIPT

    body = verify(config(tmp_path), "val", read, [table])
    assert json.loads((tmp_path / "verified" / "val.json").read_text()) == RECEIPT
    assert (body["content"], body["members"]) == (CONTENT, 3)
    assert body["stat"] == [7, archive.stat().st_mtime_ns]
    assert body["files"].keys() == {"verified/val.json", "state/archives/val.parquet"}


def test_an_archive_that_changes_while_it_is_read_is_not_taken_for_what_was_read(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "state").mkdir()

    def read(path: Path) -> dict[str, Any]:
        path.write_text("longer content")
        return RECEIPT

    assert verify(config(tmp_path), "val", read)["stat"] != [14, archive.stat().st_mtime_ns]


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(("made_of", "stays"), [("md5 of something else", False), (CONTENT, True)])
def test_what_was_made_of_another_content_is_disowned(tmp_path: Path, made_of: str, stays: bool) -> None:
    made = put(tmp_path, "images", "validation", archives={"val": made_of})
    verify(config(tmp_path), "val", lambda _: RECEIPT)
    assert made.exists() is stays


@pytest.mark.usefixtures("archive")
def test_an_archive_that_is_not_right_changes_nothing(tmp_path: Path) -> None:
    made = put(tmp_path, "images", "validation", archives={"val": "something else"})

    def read(path: Path) -> dict[str, Any]:
        raise PrepError(path, "it is another one", "Get the right one")

    with pytest.raises(PrepError, match="another one"):
        verify(config(tmp_path), "val", read)
    assert made.exists()
    assert not (tmp_path / "verified").exists()


def test_an_archive_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PrepError, match=r"not there.*Put it back") as caught:
        verify(config(tmp_path), "val", lambda _: RECEIPT)
    assert caught.value.place == str(tmp_path / "archives" / "val.tar")
