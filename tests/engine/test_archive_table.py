"""Where archives lie or come from, and what a look tells is wrong with them, with nothing read but their beginnings."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import yaml

import builders
from damage import LOGIN_PAGE
from imagenet_prep import configuration
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import archive_paths, archive_table

FILES = {name: archive.file for name, archive in ILSVRC2012.archives.items()}
PLAIN = builders.tar(builders.val_images(2))
NOTHING_KNOWN = {"md5": None, "sha256": None, "bytes": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the archives."""
    folder = tmp_path / "archives"
    folder.mkdir()
    return folder


def configured(checkout: Path, folder: Path, **archives: dict[str, Any]) -> dict[str, Any]:
    """A configuration with these archives in use, and the devkit, which is there and right."""
    config = yaml.safe_load((checkout / "config" / "config.yaml").read_text())
    config |= {"archives_dir": str(folder), "output_dir": str(folder.parent / "results"), "products": ["labels"]}
    if folder.is_dir():
        (folder / FILES["devkit"]).write_bytes(gzip.compress(PLAIN))
    config["archives"] = {"devkit": {**NOTHING_KNOWN, "unpacked_sha256": None}, **archives}
    return configuration.complete(config | {"use": ["devkit", *archives]}, checkout)


def wrong(config: dict[str, Any]) -> list[str]:
    """The problems of all archives in use, in their order."""
    return [str(problem) for problem in archive_table.problems(config, archive_table.look(config, config["use"]))]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("val", b"", "empty (0 bytes)"),
        ("val", LOGIN_PAGE, "not a tar archive but a web page"),
        ("val", b"BZh91AY", "compressed by bzip2. Unpack it: `mv "),
        ("train", PLAIN[1:], "this is not a tar archive"),
        ("bbox_val", LOGIN_PAGE, "a web page"),
        ("bbox_val", b"BZh91AY", "compressed by bzip2"),
        ("multilabel", LOGIN_PAGE, "this is no JSON but a web page"),
        ("real_labels", b"", "this is no JSON but empty"),
    ],
)
@pytest.mark.parametrize("known", [NOTHING_KNOWN, {}], ids=["", "of a known size"])
def test_what_the_first_bytes_tell_is_wrong(
    checkout: Path, folder: Path, name: str, content: bytes, words: str, known: dict[str, Any]
) -> None:
    (folder / FILES[name]).write_bytes(content)
    [said] = wrong(configured(checkout, folder, **{name: known}))
    assert said.startswith(str(folder / FILES[name]))
    assert words in said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("val", PLAIN),
        ("val", gzip.compress(PLAIN)),
        ("val", bytes(10240)),
        ("bbox_val", PLAIN),
        ("bbox_val", gzip.compress(PLAIN)),
        ("multilabel", b'{"initial_annots": {}}'),
        ("real_labels", b"[[1], []]"),
    ],
)
def test_what_may_be_right_is_left_to_be_read(checkout: Path, folder: Path, name: str, content: bytes) -> None:
    (folder / FILES[name]).write_bytes(content)
    assert wrong(configured(checkout, folder, **{name: NOTHING_KNOWN})) == []


def test_another_size_is_wrong_but_not_that_of_an_unpacked_archive(checkout: Path, folder: Path) -> None:
    (folder / FILES["val"]).write_bytes(PLAIN)
    config = configured(checkout, folder, val={**NOTHING_KNOWN, "bytes": 7}, bbox_val={"bytes": 7})
    (folder / FILES["bbox_val"]).write_bytes(PLAIN)
    config["archives"]["bbox_val"]["unpacked_sha256"] = "0" * 64
    [said] = wrong(config)
    assert f"it has {len(PLAIN)} bytes where 7 are expected" in said


def test_what_is_no_file_or_a_link_to_nowhere_is_wrong(checkout: Path, folder: Path) -> None:
    (folder / FILES["val"]).mkdir()
    (folder / FILES["train"]).symlink_to("/no/such/disk/train.tar")
    config = configured(checkout, folder, val=NOTHING_KNOWN, train=NOTHING_KNOWN)
    train, val = wrong(config)
    assert "this is a link to /no/such/disk/train.tar, which is not there" in train
    assert "this is no file" in val


def test_only_what_is_needed_can_be_wrong(checkout: Path, folder: Path) -> None:
    (folder / FILES["val"]).write_bytes(b"")
    config = configured(checkout, folder, val=NOTHING_KNOWN, train={"url": None})
    seen = archive_table.look(config, ["devkit"])
    assert archive_table.problems(config, seen) == []
    assert "not there, and not needed now" in archive_table.as_table(config, seen)


def test_the_table_has_sizes_and_what_will_be_downloaded_without_secrets(checkout: Path, folder: Path) -> None:
    urls = ["file:///no/such.tar", "https://me:secret@mirror.example.org/val.tar?key=secret"]
    config = configured(checkout, folder, val={"bytes": 5000, "url": urls}, bbox_val={"url": urls[1]})
    (folder / f"{FILES['val']}.part").write_bytes(b"x" * 4096)
    table = archive_table.as_table(config, archive_table.look(config, config["use"]))
    lines = [" ".join(line.split()) for line in table.splitlines()]
    size = (folder / FILES["devkit"]).stat().st_size
    assert lines[0] == "archive bytes expected where"
    assert f"devkit {size // 1000} {size % 1000:03} not known {folder / FILES['devkit']}" in lines
    begun = "of which 4 096 bytes have come"
    assert f"val - 5 000 not there: to be downloaded from mirror.example.org into {folder}, {begun}" in lines
    assert lines[-1] == "to be downloaded: 904 bytes, and 1 of a size that is not known"
    assert "secret" not in table


def test_a_local_source_is_where_the_archive_lies(checkout: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "of a colleague.tar").write_bytes(PLAIN)
    source = (tmp_path / "of a colleague.tar").as_uri()
    config = configured(checkout, folder, val={**NOTHING_KNOWN, "url": source})
    assert wrong(config) == []
    assert str(tmp_path / "of a colleague.tar") in archive_table.as_table(
        config, archive_table.look(config, config["use"])
    )


def test_a_folder_in_place_of_an_archive_is_where_it_lies(checkout: Path, folder: Path) -> None:
    (folder / "train" / "n01440764").mkdir(parents=True)
    (folder / "train" / "n01440764" / "n01440764_1.JPEG").write_bytes(builders.image())
    config = configured(checkout, folder, train={"url": "https://example.org/train.tar"})
    assert wrong(config) == []
    table = archive_table.as_table(config, archive_table.look(config, config["use"]))
    [line] = [" ".join(it.split()) for it in table.splitlines() if it.startswith("train ")]
    assert line == f"train - 147 897 477 120 {folder / 'train'}"
    assert "to be downloaded" not in table


def test_what_looks_like_an_archive_is_told_before_it_is_downloaded(checkout: Path, folder: Path) -> None:
    (folder / f"{FILES['train']}.crdownload").write_bytes(b"x")
    config = configured(checkout, folder, train={"url": "https://example.org/train.tar"})
    table = archive_table.as_table(config, archive_table.look(config, config["use"]))
    assert f"{folder / FILES['train']}.crdownload: a download of {FILES['train']} that broke off" in table


# The folder


def test_a_folder_that_is_not_there_is_one_problem_and_the_usual_one_is_none(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ilsvrc2012").mkdir()
    config = configured(checkout, tmp_path / "ilsvrc2021", val={"url": "https://example.org/val.tar"})
    [said] = wrong(config)
    assert said.startswith(f"configuration key archives_dir: there is no folder {tmp_path / 'ilsvrc2021'}. ")
    assert f"Did you mean {tmp_path / 'ilsvrc2012'}?" in said
    assert "to be downloaded" not in archive_table.as_table(config, archive_table.look(config, config["use"]))
    monkeypatch.chdir(tmp_path)
    assert wrong(config | {"archives_dir": "archives", "use": ["val"]}) == []


def test_a_disk_that_is_not_mounted_is_one_problem(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").symlink_to(tmp_path / "unmounted")
    config = configured(checkout, tmp_path / "elsewhere", val={})
    [said] = wrong(config | {"archives_dir": str(tmp_path / "disk" / "archives")})
    assert "Mount that disk" in said


def test_the_usual_folder_is_the_one_that_is_configured_by_default(checkout: Path) -> None:
    assert configuration.complete({}, checkout)["archives_dir"] == archive_paths.FOLDER
