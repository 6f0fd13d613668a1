"""What people have of the archives already: what is used as it lies there, and what is only told."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.findings import CONTENT, TRAIN, VAL, only, put, settings, val_in
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import archive_search
from imagenet_prep.engine.archive_search import expect_finished, find, stand_in
from imagenet_prep.errors import PrepError

NO_TAR = b"what only a checksum or a name can tell" * 20

# What can be used.


def test_an_archive_in_its_place_is_not_searched_for(folder: Path) -> None:
    put(folder / VAL, b"whatever it is")
    put(folder / "val.tar", CONTENT)
    assert val_in(folder) == []


@pytest.mark.parametrize("name", ["val.tar", "ILSVRC2012_img_val (1).tar", "validation/val", f"ILSVRC/2012/{VAL}"])
def test_an_archive_of_another_name_or_in_another_folder_is_used(folder: Path, name: str) -> None:
    path = put(folder / name, CONTENT)
    found = val_in(folder)
    assert only(found).usable
    assert stand_in(found, "val") == path
    assert VAL in found[0].message


def test_a_file_of_the_right_size_with_another_checksum_is_not_used(folder: Path) -> None:
    put(folder / "val.tar", bytes(len(CONTENT)))
    assert val_in(folder) == []


def test_a_large_file_is_known_by_its_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_search, "_QUICKLY_READ", len(CONTENT) - 1)
    put(folder / "val.tar", bytes(len(CONTENT)))
    assert only(val_in(folder)).usable, "its checksum is compared by the verification"


def test_a_file_that_a_download_kept_aside_is_never_used(folder: Path) -> None:
    large = (1 << 30) + 1  # known by its size alone
    bad = put(folder / f"{VAL}.bad-0123abcd")
    os.truncate(bad, large)
    for checksums in (True, False):
        assert find(folder, {"val": settings(VAL, CONTENT, bytes=large)}, ILSVRC2012, checksums=checksums) == []
    bad.rename(folder / "val.tar")
    assert only(val_in(folder, bytes=large)).usable


def test_an_archive_of_unknown_size_is_known_by_its_checksum(folder: Path) -> None:
    about = replace(ILSVRC2012.archives["val"], bytes=None, about=len(NO_TAR) + 100)
    dataset = replace(ILSVRC2012, archives={"val": about})
    searched = {"val": settings(VAL, NO_TAR, bytes=None)}
    put(folder / "val.tar", NO_TAR)
    put(folder / "other.tar", bytes(len(NO_TAR)))
    assert only(find(folder, searched, dataset)).path == folder / "val.tar"
    assert find(folder, searched, dataset, checksums=False) == []


def test_a_file_of_another_size_than_the_unknown_one_can_have_is_not_read(folder: Path) -> None:
    put(folder / "val.tar", NO_TAR)
    assert val_in(folder, NO_TAR, bytes=None) == []


def test_without_size_and_checksum_only_the_name_tells(folder: Path) -> None:
    put(folder / "val.tar", NO_TAR)
    assert val_in(folder, None) == []
    path = put(folder / "down" / VAL, NO_TAR)
    assert stand_in(val_in(folder, None), "val") == path


def test_a_file_of_the_right_name_and_another_size_is_not_used(folder: Path) -> None:
    put(folder / "old" / VAL, CONTENT[:-1])
    assert val_in(folder) == []


def test_links_are_followed_and_lead_in_no_circle(folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "nas" / "imagenet" / "val.tar", CONTENT)
    (folder / "shared").symlink_to(tmp_path / "nas")
    (tmp_path / "nas" / "back").symlink_to(folder)
    (folder / "self").symlink_to("self")
    (folder / "gone").symlink_to("nowhere")
    assert stand_in(val_in(folder), "val") == folder / "shared" / "imagenet" / "val.tar"


def test_a_linked_file_under_another_name_is_used(folder: Path, tmp_path: Path) -> None:
    (folder / "val").symlink_to(put(tmp_path / "elsewhere", CONTENT))
    assert stand_in(val_in(folder), "val") == folder / "val"


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert val_in(tmp_path / "not" / "there") == []
    assert val_in(put(tmp_path / "file")) == []


# What is only told.


@pytest.mark.parametrize(
    "name",
    [
        f"{VAL}.crdownload",
        f"{VAL}.part",
        "ILSVRC2012_img_val.Xy12.tar.part",
        f"{VAL}.download/Info.plist",
        f"{VAL}.partial",
    ],
)
def test_a_download_of_a_browser_that_broke_off_is_told_and_not_used(folder: Path, name: str) -> None:
    put(folder / name, CONTENT)
    found = only(val_in(folder))
    assert not found.usable
    assert f"a download of {VAL} that broke off" in found.message


def test_the_workflows_own_partial_download_is_no_such_thing(folder: Path) -> None:
    put(folder / f"{VAL}.part", CONTENT)
    put(folder / f"{VAL}.part.json", b"{}")
    assert val_in(folder) == []


def test_a_download_of_train_t3_is_none_of_train(folder: Path) -> None:
    put(folder / "ILSVRC2012_img_train_t3.tar.crdownload", CONTENT)
    assert find(folder, {"train": settings(TRAIN)}, ILSVRC2012) == []


def test_a_file_that_aria2_has_not_finished_is_refused(folder: Path) -> None:
    archive = put(folder / VAL, CONTENT)
    expect_finished(archive)
    put(folder / f"{VAL}.aria2")
    with pytest.raises(PrepError, match="aria2 has not finished this download"):
        expect_finished(archive)


def test_a_file_that_aria2_has_not_finished_is_not_used_under_another_name(folder: Path) -> None:
    put(folder / "val.tar", CONTENT)
    put(folder / "val.tar.aria2")
    assert val_in(folder) == []


def test_a_link_to_nowhere_is_refused_and_not_downloaded_over(folder: Path) -> None:
    (folder / VAL).symlink_to("/mnt/nas/val.tar")
    with pytest.raises(PrepError, match=r"a link to /mnt/nas/val\.tar, which is not there\. Mount that disk"):
        expect_finished(folder / VAL)
    expect_finished(folder / TRAIN)


def test_the_archive_comes_before_what_is_only_told(folder: Path) -> None:
    put(folder / f"{VAL}.crdownload")
    put(folder / "a" / "ILSVRC2012_val_00000001.JPEG")
    put(folder / "zz" / VAL, CONTENT)
    found = val_in(folder)
    assert [candidate.usable for candidate in found] == [True, False, False]


def test_a_folder_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = folder / "closed"
    closed.mkdir()
    put(folder / "open" / "val.tar", CONTENT)
    put(folder / f"{VAL}.crdownload")
    scandir: Callable[..., Any] = os.scandir

    def refuse(path: Path) -> Any:
        if path == closed:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    used, unfinished, told = val_in(folder)
    assert used.usable
    assert unfinished.archive == "val"
    assert not told.usable
    assert f"{closed}: this folder cannot be read (Permission denied)" in told.message
