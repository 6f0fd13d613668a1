"""Made-up archives are told from somebody's own by receipts, at every moment."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import builders
from imagenet_prep import atomic
from imagenet_prep.errors import PrepError
from imagenet_prep.synthetic import Settings, make_archives, receipt, synthesize

NAMES = ("val", "test", "devkit")
ONE = Settings(
    seed=3,
    classes=2,
    train_images_per_class=1,
    val_images_per_class=1,
    test_images=1,
    train_t3_classes=1,
    train_t3_images_per_class=1,
    max_side=16,
)
OTHER = replace(ONE, seed=4)
THIRD = replace(ONE, seed=5, test_images=9)
RECEIPT = "made-up.0123456789.1.json"
LATER = "made-up.abcdef0123.2.json"
NOTE = "made-up.unfinished.json"

Expected = Callable[[Settings], dict[str, str]]


def checksums(folder: Path, names: Iterable[str] = NAMES) -> dict[str, str]:
    return {name: atomic.sha256(folder / name) for name in names}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """The checksums of the archives of some settings."""
    known: dict[Settings, dict[str, str]] = {}

    def expected(settings: Settings) -> dict[str, str]:
        if settings not in known:
            folder = tmp_path_factory.mktemp("expected")
            synthesize({name: folder / name for name in NAMES}, settings)
            known[settings] = checksums(folder)
        return known[settings]

    return expected


def make(folder: Path, settings: Settings, receipt: str = RECEIPT, names: Iterable[str] = NAMES) -> Any:
    """Make archives; what the receipt says."""
    make_archives({name: folder / name for name in names}, settings, folder / receipt)
    return json.loads((folder / receipt).read_text())


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """All files of a folder: inode, time of change, content."""
    return {
        path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if path.is_file()
    }


def entries(folder: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    paths = [folder / name for name in sorted(names)]
    return [{"file": it.name, "bytes": it.stat().st_size, "sha256": atomic.sha256(it)} for it in paths]


def test_the_receipt_says_what_was_made_from_which_settings(tmp_path: Path, expected: Expected) -> None:
    said = make(tmp_path / "new", ONE)
    assert checksums(tmp_path / "new") == expected(ONE)
    assert said == {"settings": asdict(ONE), "archives": entries(tmp_path / "new", NAMES), "others": []}
    assert builders.files_below(tmp_path / "new") == {*NAMES, RECEIPT}


def test_the_receipt_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = []

    def note(source: Any, target: Any, rename: Callable[[Any, Any], None] = os.replace) -> None:
        renamed.append(Path(target).name)
        rename(source, target)

    monkeypatch.setattr(os, "replace", note)
    make(tmp_path, ONE)
    assert renamed[0] == NOTE
    assert sorted(renamed[1:-2]) == sorted(NAMES)
    assert renamed[-2:] == [NOTE, RECEIPT]


def test_an_old_receipt_is_gone_before_an_archive_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, ONE)
    changes = []

    def note(change: str, really: Callable[..., None], place: Callable[..., Any]) -> Callable[..., None]:
        def change_and_note(*arguments: Any) -> None:
            changes.append((change, Path(place(*arguments)).name))
            really(*arguments)

        return change_and_note

    monkeypatch.setattr(os, "replace", note("rename", os.replace, lambda _, target: target))
    monkeypatch.setattr(os, "unlink", note("remove", os.unlink, lambda path: path))
    monkeypatch.setattr(os, "fsync", note("sync", os.fsync, lambda number: os.readlink(f"/proc/self/fd/{number}")))
    make(tmp_path, OTHER, LATER)
    removed = changes.index(("remove", RECEIPT))
    assert changes[removed - 2 : removed] == [("rename", NOTE), ("sync", tmp_path.name)]
    assert changes[removed + 1] == ("sync", tmp_path.name)
    assert min(changes.index(("rename", name)) for name in NAMES) > removed + 1
    assert changes[-2:] == [("rename", LATER), ("sync", tmp_path.name)]


def test_archives_of_these_settings_are_not_touched(tmp_path: Path) -> None:
    first = make(tmp_path, ONE)
    before = state_of(tmp_path)
    assert make(tmp_path, ONE, LATER) == first
    after = state_of(tmp_path)
    assert [after[name] for name in NAMES] == [before[name] for name in NAMES]
    assert builders.files_below(tmp_path) == {*NAMES, LATER}


def test_archives_of_these_settings_are_not_read(tmp_path: Path) -> None:
    make(tmp_path, ONE)
    content = (tmp_path / "val").read_bytes()
    (tmp_path / "val").write_bytes(content[::-1])
    make(tmp_path, ONE, LATER)
    assert (tmp_path / "val").read_bytes() == content[::-1]


def test_only_what_is_missing_is_made(tmp_path: Path, expected: Expected, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, ONE)
    (tmp_path / "test").unlink()
    written = []

    def write(name: str, *rest: Any, really: Callable[..., None] = receipt.write) -> None:
        written.append(name)
        really(name, *rest)

    monkeypatch.setattr(receipt, "write", write)
    make(tmp_path, ONE, LATER)
    assert written == ["test"]
    assert checksums(tmp_path) == expected(ONE)


def test_archives_of_other_settings_are_replaced_and_their_receipts_removed(tmp_path: Path, expected: Expected) -> None:
    make(tmp_path, ONE)
    said = make(tmp_path, OTHER, LATER)
    assert checksums(tmp_path) == expected(OTHER)
    assert said == {"settings": asdict(OTHER), "archives": entries(tmp_path, NAMES), "others": []}
    assert builders.files_below(tmp_path) == {*NAMES, LATER}


def test_archives_that_are_not_in_use_now_are_still_known_as_made_up_later(tmp_path: Path, expected: Expected) -> None:
    make(tmp_path, ONE)
    (tmp_path / "devkit").unlink()
    other = make(tmp_path, OTHER, names=["val"])
    assert other["archives"] == entries(tmp_path, ["val"])
    assert other["others"] == entries(tmp_path, ["test"])
    assert checksums(tmp_path, ["test"])["test"] == expected(ONE)["test"]
    make(tmp_path, OTHER)
    assert checksums(tmp_path) == expected(OTHER)


def test_an_archive_of_these_settings_that_is_not_in_use_now_stays_when_it_is_again(tmp_path: Path) -> None:
    make(tmp_path, ONE)
    before = state_of(tmp_path)
    make(tmp_path, ONE, names=["val"])
    make(tmp_path, ONE)
    assert state_of(tmp_path)["test"] == before["test"]


@pytest.mark.parametrize("what", ["file", "file of the right size", "folder", "link to nothing", "link to a file"])
def test_what_was_not_made_up_is_named_and_nothing_is_touched(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "archives"
    make(folder, ONE, names=["val"])
    own, elsewhere = folder / "test", tmp_path / "elsewhere"
    synthesize({"test": elsewhere}, ONE)
    if what == "file":
        own.write_bytes(b"my own")
    elif what == "file of the right size":
        own.write_bytes(elsewhere.read_bytes()[::-1])
    elif what == "folder":
        own.mkdir()
    else:
        if what == "link to nothing":
            elsewhere.unlink()
        else:
            elsewhere.write_bytes(b"my own")
        own.symlink_to(elsewhere)
    before = state_of(folder)
    with pytest.raises(PrepError, match="may be your own") as caught:
        make(folder, OTHER, LATER)
    assert caught.value.place == str(own)
    assert "another archives_dir" in caught.value.remedy
    assert state_of(folder) == before


def test_a_file_of_another_size_than_was_made_is_somebodys_own(tmp_path: Path) -> None:
    make(tmp_path, ONE)
    (tmp_path / "val").write_bytes(b"my own")
    with pytest.raises(PrepError, match="may be your own"):
        make(tmp_path, OTHER)
    assert (tmp_path / "val").read_bytes() == b"my own"


def test_an_archive_without_receipt_that_is_what_would_be_made_stays(tmp_path: Path) -> None:
    synthesize({name: tmp_path / name for name in NAMES}, ONE)
    before = state_of(tmp_path)
    said = make(tmp_path, ONE)
    assert said["archives"] == entries(tmp_path, NAMES)
    assert {name: state_of(tmp_path)[name] for name in NAMES} == before
    assert builders.files_below(tmp_path) == {*NAMES, RECEIPT}


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b'{"settings": 1, "archives": [1], "others": []}'])
def test_a_file_like_a_receipt_says_nothing_and_stays(tmp_path: Path, expected: Expected, content: bytes) -> None:
    (tmp_path / "made-up.mine.json").write_bytes(content)
    make(tmp_path, ONE)
    assert checksums(tmp_path) == expected(ONE)
    assert (tmp_path / "made-up.mine.json").read_bytes() == content


def test_a_failure_on_the_way_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, ONE)
    before = state_of(tmp_path)

    def write(name: str, *rest: Any, really: Callable[..., None] = receipt.write) -> None:
        if name == "devkit":
            raise OSError("disk full")
        really(name, *rest)

    monkeypatch.setattr(receipt, "write", write)
    with pytest.raises(OSError, match="disk full"):
        make(tmp_path, OTHER, LATER)
    assert state_of(tmp_path) == before


def killed_before(step: int, folder: Path, settings: Settings, receipt: str) -> bool:
    """Make archives in a process that is killed before its so manieth change of the folder; whether it was.

    A change is a file renamed, removed or forced to the disk.
    """
    child = os.fork()
    if child == 0:
        try:
            left = iter(range(step))

            def counted(change: Callable[..., None]) -> Callable[..., None]:
                def change_or_die(*arguments: Any) -> None:
                    if next(left, None) is None:
                        os.kill(os.getpid(), signal.SIGKILL)
                    change(*arguments)

                return change_or_die

            for name in ("replace", "unlink", "fsync"):
                setattr(os, name, counted(getattr(os, name)))
            make(folder, settings, receipt)
        except BaseException:
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.parametrize("begun", ["nothing", "these settings", "other settings", "a kill"])
def test_killed_at_any_moment_no_receipt_is_wrong(tmp_path: Path, expected: Expected, begun: str) -> None:
    start = tmp_path / "start"
    start.mkdir()
    if begun != "nothing":
        make(start, OTHER if begun == "these settings" else ONE)
        (start / "test").unlink()
    if begun == "a kill":  # while the archives of other settings were replaced by those of third ones
        assert killed_before(11, start, THIRD, "made-up.third.1.json")
        assert (start / NOTE).exists()
    step = 0
    while True:
        folder = tmp_path / str(step)
        shutil.copytree(start, folder)
        if not killed_before(step, folder, OTHER, LATER):
            break
        for path in set(folder.glob("made-up.*.json")) - {folder / NOTE}:
            for made in json.loads(path.read_text())["archives"]:
                if made["file"] != "test" or path.name != RECEIPT:  # which was deleted by hand
                    assert atomic.sha256(folder / made["file"]) == made["sha256"]
        for settings in (OTHER, ONE, THIRD):
            again = tmp_path / f"{step}-{settings.seed}"
            shutil.copytree(folder, again)
            make(again, settings, "made-up.next.3.json")
            assert checksums(again) == expected(settings)
            assert builders.files_below(again) == {*NAMES, "made-up.next.3.json"}
        step += 1
    assert step > 10
